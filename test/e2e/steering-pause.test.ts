import type { RunHandle } from '../../src/client/run-handle.js';
import type { Script } from '../../src/testing/stand-in/script.js';
import { textOf, type WireMessage } from '../../src/testing/transcript-rules.js';
import { untilEvent } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { expectDone, requestsOf, useKillWorlds } from './support/kill-world.js';
import { billsOf } from './support/money-bill.js';
import { askedBy } from './support/money-world.js';

const open = useKillWorlds(useTemporalServer());
const TOOL_MS = 1_500;

/** A call that takes a while, then the answer. */
const actThenAnswer: Script = (_request, { stepIndex }) =>
  stepIndex === 0
    ? { toolCalls: [{ name: 'idempotent_act', args: { ms: TOOL_MS } }] }
    : { text: `Answer ${stepIndex}.` };

/** An answer that takes two seconds and asks for a call, then the last one. */
const slowCallThenAnswer: Script = (_request, { stepIndex }) =>
  stepIndex === 0
    ? { text: 'word '.repeat(200), chunkDelayMs: 30, toolCalls: [{ name: 'idempotent_act' }] }
    : { text: `Answer ${stepIndex}.` };

const slowUntilTold: Script = (request) =>
  request.messages.length > 2 ? { text: 'At once.' } : { text: 'word '.repeat(2_000), chunkDelayMs: 30 };

async function untilText(run: RunHandle): Promise<void> {
  const found = new AbortController();
  for await (const { type } of run.deltas(found.signal)) if (type === 'text_delta') found.abort();
}

/** Positions of the events of these types, the first of each. */
function places(events: readonly { type: string }[], ...types: string[]): number[] {
  return types.map((type) => events.findIndex((event) => event.type === type));
}

function expectAscending(numbers: readonly number[]): void {
  expect(numbers[0]).toBeGreaterThanOrEqual(0);
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
}

/** What humans said in the last request, after the goal. */
function lastHeard(messages: readonly WireMessage[]): string[] {
  return messages
    .filter(({ role }) => role === 'user')
    .slice(1)
    .map(textOf);
}

it.each(['stay alive', 'are killed'])(
  'a pause lets a tool that runs end, starts nothing new, and keeps what is said meanwhile, while workers %s',
  async (how) => {
    const world = await open({ script: actThenAnswer });
    let worker = await world.startProcess();
    const killAndStart = async () => {
      if (how === 'stay alive') return;
      await worker.kill9();
      worker = await world.startProcess();
    };
    const run = await world.client.start({ goal: 'Go.' }, { id: uniqueName('pause-tool') });
    await world.effects.untilBegun(run.runId, 's0.c0');
    await run.pause({ note: 'Lunch.' });
    await killAndStart();
    await untilEvent(run, 'tool_completed');
    await run.say('Later.', { mode: 'queue' });
    await run.say('Mind the cat.');
    expect(await run.progress()).toMatchObject({ status: 'paused', queuedMessages: 2 });
    await killAndStart();
    expect(requestsOf(world, run, 1)).toEqual([]);
    await run.resume();
    const { events, result } = await expectDone(world, run);

    expect(result).toMatchObject({ answer: 'Answer 2.', steps: 3, unknownOutcomes: [] });
    const order = ['run_paused', 'tool_completed', 'message_accepted', 'run_resumed'];
    const nextStep = events.findIndex((event) => event.type === 'step_started' && event.step === 1);
    expectAscending([...places(events, ...order), nextStep]);
    const asked = askedBy(world, run).map(({ body }) => lastHeard(Object(body).messages));
    expect(asked).toEqual([[], ['Mind the cat.'], ['Mind the cat.', 'Later.']]);
    expect(new Set(world.effects.of(run.runId).map(({ key }) => key)).size).toBe(1);
  },
  60_000,
);

it('a pause lets an answer be written to its end, and runs none of its calls before the run is resumed', async () => {
  const world = await open({ script: slowCallThenAnswer });
  await world.startProcess();
  const run = await world.client.start({ goal: 'Go.' }, { id: uniqueName('pause-stream') });
  await untilText(run);
  await run.pause();
  await untilEvent(run, 'model_completed');
  expect((await run.progress()).status).toBe('paused');
  expect(world.effects.begun(run.runId)).toEqual([]);
  await run.resume();
  const { events } = await expectDone(world, run);
  expectAscending(places(events, 'run_paused', 'model_completed', 'run_resumed', 'tool_started'));
  expect(billsOf(world.standIn, run.runId)).toMatchObject([
    { completed: true, cancelled: false },
    { completed: true, cancelled: false },
  ]);
}, 60_000);

it('an interruption that is sent while no worker is alive is heard once, however often it was sent', async () => {
  const world = await open({ script: slowUntilTold });
  const worker = await world.startProcess();
  const run = await world.client.start({ goal: 'Go.' }, { id: uniqueName('interrupt-dead') });
  await untilText(run);
  await worker.kill9();
  const handle = world.temporal.workflow.getHandle(run.runId);
  for (let n = 0; n < 3; n += 1)
    await handle.signal('say', { text: 'Something else.', mode: 'interrupt', messageId: 'once' });
  await world.startProcess();
  const { events, result } = await expectDone(world, run);
  expect(result).toMatchObject({ answer: 'At once.', steps: 1 });
  expect(askedBy(world, run).map(({ body }) => lastHeard(Object(body).messages))).toEqual([
    [],
    ['Something else.'],
  ]);
  expect(events.filter(({ type }) => type === 'message_accepted')).toHaveLength(1);
  const [lost, next] = billsOf(world.standIn, run.runId);
  expect(result.spend.costNanoUsd + result.spend.estimatedNanoUsd).toBeGreaterThanOrEqual(
    (lost?.costNanoUsd ?? 0) + (next?.costNanoUsd ?? 0),
  );
}, 60_000);
