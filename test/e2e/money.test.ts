import type { RunHandle } from '../../src/client/run-handle.js';
import type { Fault } from '../../src/testing/stand-in/faults.js';
import { scriptedSteps } from '../../src/testing/stand-in/script.js';
import type { World } from '../support/run-support.js';
import { untilEvent } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { byGoal } from './support/goal-scripts.js';
import { billedNanoUsd, billsOf } from './support/money-bill.js';
import { longhaulCli } from './support/money-cli.js';
import {
  askedBy,
  COUNT,
  countForEver,
  DEAR,
  expectExactBill,
  GATED,
  NANO,
  untilProgress,
  useMoneyWorlds,
} from './support/money-world.js';

const open = useMoneyWorlds(useTemporalServer());

/** The cost of one step of {@link countForEver} is about a hundredth of this. */
const CEILING_USD = 0.06;

const script = byGoal({
  count: countForEver,
  'count thrice': scriptedSteps([
    { toolCalls: [GATED] },
    { toolCalls: [COUNT], usage: { promptTokens: 5_000, completionTokens: 3_000 } },
    { toolCalls: [COUNT], usage: { promptTokens: 5_000, completionTokens: 3_000 } },
    { text: 'Counted.' },
  ]),
});

describe('a ceiling of one dollar', () => {
  const mishaps: [string, Fault | undefined][] = [
    ['come through', undefined],
    ['break off first', { kind: 'truncate', afterChunks: 20 }],
    ['stall first', { kind: 'stall', afterChunks: 20 }],
    ['do not say what they cost', { kind: 'no-usage' }],
    ['never begin', { kind: 'hang-before-headers' }],
  ];

  it.each(mishaps)('is never passed by calls of about a dollar that %s', async (_how, fault) => {
    const world = await open({
      script: (request, { attempt }) =>
        request.tool_choice === 'none'
          ? { text: 'Landed.' }
          : {
              text: 'x'.repeat(30_000),
              chunkChars: 1_000,
              toolCalls: [COUNT],
              ...(fault && attempt === 1 && { fault }),
            },
      env: { LONGHAUL_STALL_TIMEOUT_MS: '800', LONGHAUL_FIRST_CONTENT_TIMEOUT_MS: '2000' },
    });
    const run = await world.client.start({ goal: 'Spend.', model: DEAR, limits: { maxCostUsd: 1 } });
    const result = await run.result();
    await world.standIn.idle();
    const billed = billedNanoUsd(world.standIn, run.runId);
    expect(billed).toBeLessThanOrEqual(NANO);
    expect(billed).toBeGreaterThan(0);
    expect(result).toMatchObject({ outcome: 'limit', limit: 'cost', error: null });
    expect(result.answer).not.toBe('');
    expect(result.spend.costNanoUsd + result.spend.estimatedNanoUsd).toBeLessThanOrEqual(NANO);
    if (fault?.kind !== 'hang-before-headers') await expectExactBill(world, run);
    world.expectNoRefusals();
  });

  it('is never passed by a dozen runs together that each have a twelfth of it', async () => {
    const world = await open({ script });
    const runs = await Promise.all(
      Array.from({ length: 12 }, () =>
        world.client.start({ goal: 'count', limits: { maxCostUsd: CEILING_USD / 12 } }),
      ),
    );
    for (const run of runs) await expectExactBill(world, run);
    const billed = runs.map(({ runId }) => billedNanoUsd(world.standIn, runId));
    expect(Math.max(...billed)).toBeLessThanOrEqual((CEILING_USD / 12) * NANO);
  });
});

it('lands a run that its ceiling ends, with an answer, as a limit', async () => {
  const world = await open({ script });
  const run = await world.client.start({ goal: 'count', limits: { maxCostUsd: CEILING_USD } });
  const result = await expectExactBill(world, run);
  expect(result).toMatchObject({ outcome: 'limit', limit: 'cost', answer: 'Landed.', error: null });
  expect(result.limitsReached).toEqual(['cost']);
  expect(result.steps).toBeGreaterThan(1);
  expect(billedNanoUsd(world.standIn, run.runId)).toBeLessThanOrEqual(CEILING_USD * NANO);
  // A ceiling that stops far too early would be kept as well.
  expect(billedNanoUsd(world.standIn, run.runId)).toBeGreaterThan(CEILING_USD * NANO * 0.5);
  expect(await longhaulCli(world, ['watch', run.runId])).toMatchObject({ code: 3 });
});

it('asks nothing at all when not even one call can be paid', async () => {
  const world = await open({ script });
  const run = await world.client.start({ goal: 'count', limits: { maxCostUsd: 0.000_01 } });
  const result = await expectExactBill(world, run);
  expect(result).toMatchObject({ outcome: 'limit', limit: 'cost', steps: 0 });
  expect(askedBy(world, run)).toEqual([]);
});

it('keeps one ceiling over a run that is paused and resumed three times, and its forks', async () => {
  const world = await open({ script });
  const run = await world.client.start({ goal: 'count', limits: { maxCostUsd: CEILING_USD } });
  for (let cycle = 0; cycle < 3; cycle += 1) {
    await untilEvent(run, 'model_completed', ({ step }) => step === cycle);
    await run.pause();
    await run.resume();
  }
  const first = await expectExactBill(world, run);
  expect(first).toMatchObject({ outcome: 'limit', limit: 'cost' });

  const again = await run.fork();
  const none = await expectExactBill(world, again);
  expect(none).toMatchObject({ outcome: 'limit', limit: 'cost' });
  const billed = (...runs: RunHandle[]) =>
    runs.reduce((sum, { runId }) => sum + billedNanoUsd(world.standIn, runId), 0);
  expect(billed(run, again)).toBeLessThanOrEqual(CEILING_USD * NANO);
  // Taken up again from its end a second time it would spend beside the first.
  await expect(run.fork()).rejects.toMatchObject({ code: 'RUN_EXISTS' });

  const richer = await again.fork({ limits: { maxCostUsd: CEILING_USD * 2 } });
  const second = await expectExactBill(world, richer);
  expect(second).toMatchObject({ outcome: 'limit', limit: 'cost', answer: 'Landed.' });
  expect(second.spend.inheritedNanoUsd).toBe(none.spend.costNanoUsd);
  expect(none.spend.inheritedNanoUsd).toBe(first.spend.costNanoUsd);
  expect(second.steps).toBeGreaterThan(first.steps);
  expect(second.spend.costNanoUsd).toBe(billed(run, again, richer));
  expect(billed(run, again, richer)).toBeLessThanOrEqual(CEILING_USD * 2 * NANO);
});

describe('a ceiling that is raised', () => {
  const LOW = { maxCostUsd: 0.025 };

  it('ends the run when it is not raised', async () => {
    const world = await open({ script });
    const run = await world.client.start({ goal: 'count thrice', limits: LOW });
    await untilEvent(run, 'decision_requested');
    await run.approve();
    expect(await expectExactBill(world, run)).toMatchObject({ outcome: 'limit', limit: 'cost' });
  });

  it('lets the run go on', async () => {
    const world = await open({ script });
    const run = await world.client.start({ goal: 'count thrice', limits: LOW });
    await untilEvent(run, 'decision_requested');
    await run.setLimits({ maxCostUsd: 1 });
    await run.approve();
    expect(await expectExactBill(world, run)).toMatchObject({ outcome: 'done', answer: 'Counted.' });
  });

  it('is too late once the run has ended, and the refusal names the way on', async () => {
    const world = await open({ script });
    const run = await world.client.start({ goal: 'count thrice', limits: { maxCostUsd: 0.000_01 } });
    await run.result();
    const { code, stderr } = await longhaulCli(world, ['limits', run.runId, '--max-cost', '1']);
    expect(code).not.toBe(0);
    expect(stderr).toContain(`longhaul fork ${run.runId} --max-cost 1`);
  });
});

it('shows what was spent of the ceiling within a second of each step', async () => {
  const world = await open({ script });
  const run = await world.client.start(
    { goal: 'count thrice', limits: { maxCostUsd: 1 } },
    { id: uniqueName('shown') },
  );
  const { costNanoUsd, at } = await untilEvent(run, 'model_completed');
  await untilProgress(run, ({ spend }) => spend.costNanoUsd === costNanoUsd);
  const { currentDetails } = await metadataOf(world, run);
  expect(Date.now() - Date.parse(at)).toBeLessThan(1_000);
  expect(costNanoUsd).toBe(billsOf(world.standIn, run.runId)[0]?.costNanoUsd);
  const usd = ((costNanoUsd ?? 0) / NANO).toFixed(6);
  expect(currentDetails).toContain(`**Cost:** ${usd} of 1 `);
  const { stdout } = await longhaulCli(world, ['show', run.runId]);
  expect(stdout).toMatch(/cost +\$?\d.* of \$?1/);
  expect((await run.progress()).limits.maxCostUsd).toBe(1);
  await run.cancel();
  await expectExactBill(world, run);
});

/** What Temporal's Web UI asks for. */
function metadataOf(world: World, run: RunHandle): Promise<{ currentDetails: string }> {
  return world.temporal.workflow
    .getHandle(run.runId)
    .query<{ currentDetails: string }>('__temporal_workflow_metadata');
}
