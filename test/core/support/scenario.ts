import fc from 'fast-check';
import { Simulator, type Scenario } from './simulator.js';

const number = fc.noShrink(fc.integer({ min: 0, max: 0x7fffffff }));

/** Simulated lives. Counter-examples shrink to the fewest things that have to happen. */
export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  setup: number,
  moves: fc.array(number, { maxLength: 90, size: 'max' }),
  ending: number,
});

/** How many lives a property is held against. */
export const LIVES = Number(process.env['LONGHAUL_PROPERTY_RUNS'] ?? 400);

// More lives than usual take longer than Jest's limit for one test.
jest.setTimeout(Math.max(30_000, LIVES * 100));

const lived: Simulator[] = [];
const livedLong: Simulator[] = [];

function live(scenario: Scenario): Simulator {
  return new Simulator(scenario).finish(scenario.ending);
}

/** Lives that are played once for all properties of a test file, which look at them and leave them as they are. */
function allLived(): readonly Simulator[] {
  if (lived.length === 0) lived.push(...fc.sample(scenarios, LIVES).map(live));
  return lived;
}

function passes(check: (simulator: Simulator) => void, simulator: Simulator): boolean {
  try {
    check(simulator);
    return true;
  } catch {
    return false;
  }
}

/** Holds `check`, which only looks, against many whole lives of runs; one that does not pass is shrunk and shown. */
export function holds(check: (simulator: Simulator) => void): void {
  if (!allLived().every((simulator) => passes(check, simulator)))
    holdsFor((scenario) => check(live(scenario)));
}

/** Holds `check` against many scenarios, which it plays itself. @param share of all lives, where each takes long. */
export function holdsFor(check: (scenario: Scenario) => void, share = 1): void {
  fc.assert(fc.property(scenarios, check), { numRuns: Math.ceil(LIVES * share) });
}

/** Lives of runs that go on for long: they meet the end of what models take, and circles. */
const longScenarios: fc.Arbitrary<Scenario> = fc.record({
  setup: number,
  moves: fc.array(number, { minLength: 100, maxLength: 250, size: 'max' }),
  ending: number,
});

function liveLong(scenario: Scenario): Simulator {
  return new Simulator(scenario, { isLong: true }).finish(scenario.ending);
}

/** As {@link holds}, for long lives, of which there are fewer. */
export function holdsForLong(check: (simulator: Simulator) => void): void {
  const numRuns = Math.ceil(LIVES / 25);
  if (livedLong.length === 0) livedLong.push(...fc.sample(longScenarios, { numRuns }).map(liveLong));
  if (livedLong.every((simulator) => passes(check, simulator))) return;
  fc.assert(
    fc.property(longScenarios, (scenario) => check(liveLong(scenario))),
    { numRuns },
  );
}
