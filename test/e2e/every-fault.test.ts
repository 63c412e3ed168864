import { z } from 'zod';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { RunHandle, WatchedEvent } from '../../src/client/run-handle.js';
import { ATTEMPTS } from '../../src/core/behaviour.js';
import type { Wire } from '../../src/ports/model.js';
import { MODEL_FAULTS, type ModelFaultId } from '../../src/testing/model-faults.js';
import { defaultModels, type StandInModel } from '../../src/testing/stand-in/models.js';
import type { Reply, Script } from '../../src/testing/stand-in/script.js';
import { COUNT, FAULT_ACTS } from '../support/fault-acts.js';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { openWorld, type World } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';
import { billsOf } from './support/money-bill.js';
import { Unpluggable } from './support/unpluggable.js';

type Fault = (typeof MODEL_FAULTS)[number];

const UNPLUG = 'unplug';
const server = useTemporalServer();

/** Ends a run by design, so it has one of its own. */
const FATAL: ModelFaultId = 'http-401';
/** What comes of the fault before it: an answer that was paid and lost is in the response cache. */
const FOLLOWS = 'cache-hit';

/**
 * One fault a step. After odd answers comes a step in which all is well, lest a run of refused calls be taken for a loop; and one
 * before the connection is refused, in which a tool pulls the plug.
 */
const STEPS = MODEL_FAULTS.flatMap((fault): (Fault | typeof UNPLUG | null)[] => {
  if (fault.id === FATAL || fault.id === FOLLOWS) return [];
  if (fault.id === 'refused') return [UNPLUG, fault];
  return fault.becomes === 'an answer' ? [fault, null] : [fault];
});
const struck = MODEL_FAULTS.filter((fault) => STEPS.includes(fault));

/** Enough that each fault that is final for a model finds another one. */
const MODELS: readonly StandInModel[] = Array.from({ length: 24 }, (_, index) => ({
  id: `stand-in/number-${index}`,
  promptNanoUsd: 500,
  completionNanoUsd: 2_000,
}));

/** Billed by the stand-in, and nobody can tell: no generation was named. */
const LOST: readonly string[] = ['hang-before-headers', 'reset-before-headers'];

/** What one wire is tried with; both are tried at the same time, as most of it is waiting. */
interface Trial {
  line: Unpluggable;
  world: World;
  /** The faults that did strike. */
  fired: Set<string>;
  run: RunHandle;
  /** All that was seen of the run; resolves with its end. */
  events: Promise<WatchedEvent[]>;
}

const scriptOf =
  (wire: Wire, fired: Set<string>): Script =>
  ({ metadata }, { attempt }) => {
    const { longhaul_step: step = '', longhaul_purpose: purpose } = metadata ?? {};
    if (purpose !== 'step') return { text: 'The goal is to count; so far it went well.' };
    const due = STEPS[Number(step)];
    if (due === undefined) return { text: 'All counted.' };
    const well: Reply = {
      text: `Step ${step}.`,
      toolCalls: [due === UNPLUG ? { name: UNPLUG } : { name: COUNT, args: { n: Number(step) } }],
    };
    if (due === UNPLUG || due === null || due.id === 'refused' || attempt > 1) return well;
    if (due.id === FATAL || due.id === FOLLOWS) return well;
    fired.add(due.id);
    return FAULT_ACTS[due.id][0](well, wire);
  };

const toolsOf = (line: Unpluggable) => [
  defineTool({
    name: COUNT,
    description: 'Counts.',
    effect: 'read',
    input: z.object({ n: z.number().optional() }),
    execute: ({ n = 0 }) => n + 1,
  }),
  defineTool({
    name: UNPLUG,
    description: 'Pulls the plug.',
    effect: 'read',
    input: z.object({}),
    execute: async () => {
      await line.unplug();
      return 'pulled';
    },
  }),
];

async function begin(wire: Wire): Promise<Trial> {
  const line = await Unpluggable.open();
  const fired = new Set<string>();
  const world = await openWorld(server, {
    script: scriptOf(wire, fired),
    tools: toolsOf(line),
    standIn: { models: [...MODELS, ...defaultModels] },
    env: {
      OPENROUTER_BASE_URL: line.url,
      LONGHAUL_MODEL: MODELS[0]?.id ?? '',
      LONGHAUL_STALL_TIMEOUT_MS: '3000',
      LONGHAUL_FIRST_CONTENT_TIMEOUT_MS: '5000',
    },
  });
  line.targetPort = world.standIn.port;
  await world.startWorker();
  const run = await world.client.start({
    goal: 'Count.',
    wire,
    models: MODELS.slice(1).map(({ id }) => id),
    limits: { maxCostUsd: 100 },
  });
  const events = attend(run, line);
  // Whoever awaits it hears of it.
  events.catch(() => undefined);
  return { line, world, fired, run, events };
}

const WIRES: readonly Wire[] = ['chat', 'responses'];
const trials = new Map<Wire, Trial>();

beforeAll(async () => {
  for (const wire of WIRES) trials.set(wire, await begin(wire));
}, 60_000);

afterAll(async () => {
  for (const { world, line } of trials.values()) {
    await world.close();
    await line.unplug();
  }
});

/** Watches a run to its end, and does what a human has to: adds credit, puts the plug in. */
async function attend(run: RunHandle, line: Unpluggable): Promise<WatchedEvent[]> {
  const events: WatchedEvent[] = [];
  let isUnplugged = false;
  for await (const event of run.events()) {
    events.push(event);
    if (event.type === 'tool_completed' && event.tool === UNPLUG) isUnplugged = true;
    if (isUnplugged && event.type === 'model_failed') {
      isUnplugged = false;
      await line.plugIn();
    }
    if (event.type === 'run_paused') await run.resume();
  }
  return events;
}

/** How the attempts at a step failed. Without credit there is a pause, which is an event of its own. */
function codesAt(events: readonly WatchedEvent[], step: number): string[] {
  let now = 0;
  return events.flatMap((event) => {
    if (event.type === 'step_started') now = event.step;
    if (event.type === 'run_paused') return now === step ? ['MODEL_PAYMENT'] : [];
    return event.type === 'model_failed' && event.step === step ? [event.code] : [];
  });
}

/** Requests of each step, in order. */
function requestsOf({ run, world }: Trial): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { body } of world.standIn.requests) {
    const { metadata } = Object(body);
    if (metadata?.longhaul_run !== run.runId || metadata.longhaul_purpose !== 'step') continue;
    const step = Number(metadata.longhaul_step);
    counts.set(step, (counts.get(step) ?? 0) + 1);
  }
  return counts;
}

describe.each(WIRES)('over the wire %s', (wire) => {
  it('a run that meets every fault once gets to its end', async () => {
    const trial = trials.get(wire);
    if (trial === undefined) throw new Error('No run was begun.');
    const { run, world, fired } = trial;
    const events = await trial.events;
    const result = await run.result();
    await world.standIn.idle();
    expect(result).toMatchObject({ outcome: 'done', answer: 'All counted.', steps: STEPS.length + 1 });
    expect(STEPS.length).toBeGreaterThan(100);
    world.expectNoRefusals();

    // Every fault did strike, and was taken for what the table says.
    for (const fault of struck) {
      const wanted = fault.becomes === 'an answer' ? [] : [fault.becomes];
      expect([fault.id, ...codesAt(events, STEPS.indexOf(fault)).slice(0, 1)]).toEqual([fault.id, ...wanted]);
    }
    expect([...fired, 'refused'].sort()).toEqual(struck.map(({ id }) => id).sort());
    for (const [, requests] of requestsOf(trial)) expect(requests).toBeLessThanOrEqual(ATTEMPTS.step);

    expectBill(trial, result.spend);
    await expectFoldEqualsProgress(world.temporal, run.runId);
  }, 600_000);
});

/** What was lost without a name stays charged as an estimate; all else is known to the nano-dollar. */
function expectBill({ world, run }: Trial, spend: { costNanoUsd: number; estimatedNanoUsd: number }): void {
  const lostSteps = struck.filter(({ id }) => LOST.includes(id)).map((fault) => String(STEPS.indexOf(fault)));
  const bills = billsOf(world.standIn, run.runId);
  const lost = bills.filter(
    ({ metadata, attempt }) => lostSteps.includes(metadata['longhaul_step'] ?? '') && attempt === 1,
  );
  const sum = (entries: typeof bills) => entries.reduce((total, { costNanoUsd }) => total + costNanoUsd, 0);
  expect(lost.length).toBe(LOST.length);
  // The answer that was lost when all of it was written came for nothing the second time.
  expect(bills.filter(({ cached }) => cached).length).toBe(1);
  expect(spend.costNanoUsd).toBe(sum(bills) - sum(lost));
  expect(spend.estimatedNanoUsd).toBeGreaterThanOrEqual(sum(lost));
}

it('a key that is refused ends a run at once', async () => {
  const refused = await openWorld(server, { script: () => FAULT_ACTS[FATAL][0]({}, 'chat') });
  try {
    await refused.startWorker();
    const run = await refused.client.start({ goal: 'Count.', models: [defaultModels[1]?.id ?? ''] });
    expect(await run.result()).toMatchObject({ outcome: 'failed', steps: 0, error: { code: 'MODEL_AUTH' } });
  } finally {
    await refused.close();
  }
});
