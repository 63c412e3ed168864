import type { RunHandle } from '../../src/client/run-handle.js';
import type { RunEvent } from '../../src/core/events.js';
import type { Fault } from '../../src/testing/stand-in/faults.js';
import type { Script } from '../../src/testing/stand-in/script.js';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { untilEvent } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';
import { WorkerProcess } from '../support/worker-process.js';
import { billedNanoUsd, billsOf } from './support/money-bill.js';
import { writeHeldTool } from './support/money-held.js';
import { COUNT, expectExactBill, untilProgress, useMoneyWorlds } from './support/money-world.js';

const open = useMoneyWorlds(useTemporalServer());
const workers = new Set<WorkerProcess>();

afterEach(async () => {
  await Promise.all([...workers].map((worker) => worker.kill9()));
  workers.clear();
});

/** A call, then the answer; the first request goes wrong. */
const firstGoesWrong =
  (fault: Fault): Script =>
  (_request, { stepIndex, attempt }) => ({
    text: 'word '.repeat(100),
    ...(stepIndex === 0 && { toolCalls: [COUNT] }),
    ...(stepIndex === 0 && attempt === 1 && { fault }),
  });

/** Streams slowly, but lands at once. */
const slowly: Script = (request, { stepIndex }) =>
  stepIndex > 0 || request.tool_choice === 'none' || request.messages.length > 2
    ? { text: 'At once.' }
    : { text: 'word '.repeat(2_000), chunkDelayMs: 30 };

describe('an answer that does not say what it cost', () => {
  const silences: [string, Fault][] = [
    ['says nothing', { kind: 'cost' }],
    ['says null', { kind: 'cost', value: null }],
    ['says NaN', { kind: 'cost', value: Number.NaN }],
    ['says less than nothing', { kind: 'cost', value: -1 }],
    ['does not even count its tokens', { kind: 'no-usage' }],
  ];

  it.each(silences)('is paid as its bill says when the server %s', async (_how, fault) => {
    const world = await open({ script: firstGoesWrong(fault) });
    const run = await world.client.start({ goal: 'Go.', limits: { maxCostUsd: 1 } });
    expect(await expectExactBill(world, run)).toMatchObject({ outcome: 'done', steps: 2 });
    const [first] = billsOf(world.standIn, run.runId);
    expect(await reconciled(run)).toMatchObject([
      { generationId: first?.id, costNanoUsd: first?.costNanoUsd },
    ]);
  });

  it.each(silences)(
    'is charged, never as nothing, when the server %s and nobody finds out',
    async (_how, fault) => {
      const world = await open({
        script: firstGoesWrong(fault),
        standIn: { generationMisses: Number.POSITIVE_INFINITY },
      });
      const run = await world.client.start({ goal: 'Go.', limits: { maxCostUsd: 1 } });
      await untilProgress(run, ({ settling }) => settling);
      // Whoever cannot wait for the last costs says so.
      await run.cancel();
      const { outcome, spend } = await run.result();
      const [first, second] = billsOf(world.standIn, run.runId);
      expect(outcome).toBe('done');
      expect(spend.costNanoUsd).toBe(second?.costNanoUsd);
      expect(first?.costNanoUsd).toBeGreaterThan(0);
      expect(spend.estimatedNanoUsd).toBeGreaterThanOrEqual(first?.costNanoUsd ?? 0);
      await expectFoldEqualsProgress(world.temporal, run.runId);
    },
  );
});

describe('a call that was cut off', () => {
  it('by an interruption is paid as its bill says', async () => {
    const world = await open({ script: slowly });
    const run = await world.client.start({ goal: 'Go.', limits: { maxCostUsd: 1 } });
    await untilText(run);
    await run.say('Something else.', { mode: 'interrupt' });
    const result = await expectExactBill(world, run);
    const [first] = billsOf(world.standIn, run.runId);
    expect(first).toMatchObject({ cancelled: true, completed: false });
    expect(result).toMatchObject({ outcome: 'done', answer: 'At once.' });
    expect(result.spend).toMatchObject({ lostModelCalls: 1, lostNanoUsd: first?.costNanoUsd });
    expect(await reconciled(run)).toMatchObject([
      { generationId: first?.id, costNanoUsd: first?.costNanoUsd },
    ]);
  });

  it('by the end of its run is paid as its bill says', async () => {
    const world = await open({ script: slowly });
    const run = await world.client.start({ goal: 'Go.', limits: { maxCostUsd: 1 } });
    await untilText(run);
    await run.cancel();
    const { outcome, spend } = await expectExactBill(world, run);
    expect(outcome).toBe('cancelled');
    expect(spend.costNanoUsd).toBeGreaterThan(0);
    expect(spend.modelCalls).toBe(0);
  });

  it('by a provider that goes on writing is paid to the end', async () => {
    const world = await open({ script: slowly });
    const run = await world.client.start({
      goal: 'Go.',
      model: 'google/stand-in-gemini',
      limits: { maxCostUsd: 1 },
    });
    await untilText(run);
    await run.stop();
    await expectExactBill(world, run);
    expect(billsOf(world.standIn, run.runId)[0]).toMatchObject({ cancelled: true, completionTokens: 2_500 });
  });
});

it('gets the answer of a worker that was killed after the last token again, for nothing', async () => {
  const world = await open(
    {
      script: (_request, { stepIndex }) =>
        stepIndex === 0 ? { text: 'word '.repeat(300), toolCalls: [{ name: 'held' }] } : { text: 'Done.' },
      env: { LONGHAUL_HEARTBEAT_TIMEOUT_MS: '1500' },
    },
    'none',
  );
  const held = writeHeldTool(world.dir);
  const startProcess = async () => {
    const worker = new WorkerProcess({ cwd: world.dir, env: { ...world.env, ...held.env } });
    workers.add(worker);
    await worker.ready;
    return worker;
  };
  const worker = await startProcess();
  const run = await world.client.start({ goal: 'Go.', limits: { maxCostUsd: 1 } });
  await held.untilHeld();
  await worker.kill9();
  await startProcess();
  const { answer, steps, spend } = await expectExactBill(world, run);

  const bills = billsOf(world.standIn, run.runId);
  const [paid, again, last] = bills;
  expect(bills).toHaveLength(3);
  expect(paid).toMatchObject({ completed: true, cached: false });
  expect(paid?.costNanoUsd).toBeGreaterThan(0);
  expect(again).toMatchObject({
    cached: true,
    cacheSourceId: paid?.id,
    bodyHash: paid?.bodyHash,
    costNanoUsd: 0,
  });
  expect(spend.costNanoUsd).toBe((paid?.costNanoUsd ?? 0) + (last?.costNanoUsd ?? 0));
  expect(spend).toMatchObject({ modelCalls: 2, lostModelCalls: 1, lostNanoUsd: paid?.costNanoUsd });
  expect({ answer, steps }).toEqual({ answer: 'Done.', steps: 2 });
  expect(held.timesAsked()).toBe(2);
  const completed = await untilEvent(run, 'model_completed', ({ step }) => step === 0);
  expect(completed).toMatchObject({ attempt: 2, cached: true, text: 'word '.repeat(300), costNanoUsd: 0 });
  expect(billedNanoUsd(world.standIn, run.runId)).toBe(spend.costNanoUsd);
}, 60_000);

async function untilText(run: RunHandle): Promise<void> {
  const found = new AbortController();
  for await (const { type } of run.deltas(found.signal)) if (type === 'text_delta') found.abort();
}

async function reconciled(run: RunHandle): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.events({ follow: false }))
    if (event.type === 'cost_reconciled') events.push(event);
  return events;
}
