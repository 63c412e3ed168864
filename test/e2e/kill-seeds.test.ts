import type { RunHandle } from '../../src/client/run-handle.js';
import { Dice } from '../core/support/dice.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { audit, type Tally } from './support/kill-audit.js';
import { openCrew, type KillCrew } from './support/kill-crew.js';
import { killScript, liveAndDecide, type Sent } from './support/kill-life.js';
import { seedOf } from './support/random-life.js';
import { withRandomKills } from './support/random-kills.js';

const LIVES = Number(process.env['LONGHAUL_KILL_LIVES'] ?? 12);
const SEED = Number(process.env['LONGHAUL_KILL_SEED'] ?? 1);
const AT_ONCE = 12;
const WORKERS = 2;
const ENV = { LONGHAUL_HEARTBEAT_TIMEOUT_MS: '1500', LONGHAUL_CONTINUE_AS_NEW_EVENTS: '45' };

const server = useTemporalServer();
let crew: KillCrew;

beforeAll(async () => {
  crew = await openCrew(server, { script: killScript, env: ENV });
}, 60_000);
afterAll(() => crew.close());

it(
  'never does twice unasked what may be done once, shows all that is unknown, and loses no decision, whenever workers are killed',
  async () => {
    const problems: string[] = [];
    const { result: lives, kills } = await withRandomKills(
      crew,
      { dice: new Dice(SEED), workers: WORKERS },
      () => inPool((seed) => trying(seed, problems, () => live(seed))),
    );
    // Workers answer for the runs again, and nobody kills them.
    const tallies = await inPool((seed, index) =>
      trying(seed, problems, async () => {
        const { run, sent } = lives[index] ?? {};
        return run && sent ? audit(crew, run, sent) : null;
      }),
    );
    const counted = tallies.filter((one) => one !== null);
    if (process.env['LONGHAUL_KILL_LIVES']) report(counted, kills);
    if (problems.length > 0) problems.push(crew.complaints());
    expect(problems.join('\n\n')).toBe('');
    crew.expectNoRefusals();
    expect(sumOf(counted)['onceEffects']).toBeGreaterThan(LIVES / 2);
    expect(Object.keys(kills).length).toBeGreaterThan(0);
  },
  60_000 + LIVES * 30_000,
);

/** Does something for each life, some at a time. */
async function inPool<T>(job: (seed: number, index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async () => {
    for (let index = next++; index < LIVES; index = next++) results[index] = await job(SEED + index, index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}

/** Goes on with the other lives when one has a problem, and tells how to live it again. */
async function trying<T>(seed: number, problems: string[], job: () => Promise<T>): Promise<T | null> {
  try {
    return await job();
  } catch (error) {
    const { message, cause } = Object(error);
    const how = `LONGHAUL_KILL_SEED=${seed} LONGHAUL_KILL_LIVES=1`;
    problems.push(`${how}:\n${String(message)} ${String(Object(cause).message ?? '')}`);
    return null;
  }
}

async function live(seed: number): Promise<{ run: RunHandle; sent: Sent[] }> {
  const run = await crew.client.start({ goal: 'Live.' }, { id: `${uniqueName('kill')}:${seed}` });
  return { run, sent: await liveAndDecide(crew, run, new Dice(seedOf(`${seed}`))) };
}

function sumOf(tallies: readonly Tally[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const one of tallies)
    for (const [name, value] of Object.entries(one)) sum[name] = (sum[name] ?? 0) + value;
  return sum;
}

function report(tallies: readonly Tally[], kills: Record<string, number>): void {
  const total = Object.values(kills).reduce((sum, one) => sum + one, 0);
  process.stderr.write(
    `${JSON.stringify({ lives: tallies.length, total, kills, ...sumOf(tallies) }, null, 1)}\n`,
  );
}
