import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { untilEvent, type World } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';
import {
  agentOf,
  callThenTell,
  delegate,
  expectFamilyEnds,
  expectFamilyFolds,
  Holds,
  startedAgent,
  toolTexts,
  whenProgress,
} from './support/family.js';
import { byGoal } from './support/goal-scripts.js';
import { COUNT, GATED, MONEY_TOOLS, useMoneyWorlds } from './support/money-world.js';

const open = useMoneyWorlds(useTemporalServer());
const LIMITS = { maxCostUsd: 1 };
const CHILD = 's0.c0';

describe('what comes in one workflow task with the start of a sub-agent', () => {
  /** A run whose worker is away while it waits for leave to delegate. */
  async function startAway() {
    const script = byGoal({ Go: callThenTell(delegate('child')), child: callThenTell(COUNT) });
    const world = await open({ script }, 'none');
    const worker = await world.startWorker();
    const run = await world.client.start({ goal: 'Go', limits: LIMITS, requireApproval: 'always' });
    await whenProgress(run, ({ pending }) => pending.length === 1);
    await worker.stop();
    const handle = world.temporal.workflow.getHandle(run.runId);
    await handle.signal('approve');
    return { world, run, handle };
  }

  it('reaches it, if it is a pause, though the server has not started it yet', async () => {
    const { world, run, handle } = await startAway();
    await handle.signal('pause');
    await world.startWorker();
    await whenProgress(run, ({ agents }) => agents.length === 1);
    const child = await startedAgent(world, run, CHILD);
    await whenProgress(child, ({ status }) => status === 'paused');
    await expectFamilyFolds(world, run, [CHILD]);
    await run.resume();
    await whenProgress(run, ({ pending }) => pending.length === 1);
    await run.approve();
    const { result } = await expectFamilyEnds(world, run, [CHILD]);
    expect(result).toMatchObject({ outcome: 'done', answer: 'Told: Told: 1' });
  });

  it('keeps it from being started, if it is a cancel', async () => {
    const { world, run, handle } = await startAway();
    await handle.cancel();
    await world.startWorker();
    const { result } = await expectFamilyEnds(world, run, []);
    expect(result).toMatchObject({ outcome: 'cancelled', unknownOutcomes: [] });
    expect(result.spend.byPurpose).not.toHaveProperty('child');
    await expect(agentOf(world, run, CHILD).progress()).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  });
});

it('sub-agents that ended while no worker was there come in by the order of their calls, for the run and for who reads its history', async () => {
  const ask = callThenTell({ name: 'ask_human', args: { question: 'What?' } });
  const world = await open(
    {
      script: byGoal({
        Go: callThenTell(delegate('a'), delegate('b'), delegate('c'), { name: 'wait', args: { seconds: 2 } }),
        a: ask,
        b: ask,
        c: ask,
      }),
    },
    'none',
  );
  const worker = await world.startWorker();
  const run = await world.client.start({ goal: 'Go', limits: LIMITS });
  await whenProgress(run, ({ pending }) => pending.length === 3);
  await worker.stop();
  for (const call of ['s0.c2', 's0.c0', 's0.c1'])
    await world.temporal.workflow.getHandle(`${run.runId}/${call}`).terminate();
  await world.startWorker();
  const { unknownOutcomes } = await run.result();
  expect(unknownOutcomes.map(({ callId }) => callId)).toEqual(['s0.c0', 's0.c1', 's0.c2']);
  await expectFamilyFolds(world, run, []);
});

describe('while a run continues as new over and over', () => {
  const env = { LONGHAUL_CONTINUE_AS_NEW_EVENTS: '15' };

  it('it has sub-agents that do so too, and all is booked once', async () => {
    const counting = (steps: number, first: number) =>
      byGoal({
        Go: (_request, { stepIndex }) =>
          stepIndex < steps
            ? { toolCalls: stepIndex === first ? [delegate('child'), COUNT] : [COUNT] }
            : { text: 'Went.' },
        child: (_request, { stepIndex }) => (stepIndex < 4 ? { toolCalls: [COUNT] } : { text: 'Child.' }),
      });
    const world = await open({ env, script: counting(6, 2) });
    const run = await world.client.start({ goal: 'Go', limits: LIMITS });
    const { result } = await expectFamilyEnds(world, run, ['s2.c0']);
    expect(result).toMatchObject({ outcome: 'done', answer: 'Went.', steps: 7 });
    expect(result.spend.byPurpose).toMatchObject({ step: { calls: 7 }, child: { calls: 5 } });
    expect(toolTexts(await run.transcript())).toEqual(['1', '1', 'Child.', '1', '1', '1', '1']);
    for (const { runId } of [run, agentOf(world, run, 's2.c0')])
      expect(await executionsOf(world, runId)).toBeGreaterThan(2);
  }, 60_000);

  it('a call beside a sub-agent does not wait for its end', async () => {
    const holds = new Holds();
    const world = await open({
      env,
      tools: [...MONEY_TOOLS, holds.tool],
      script: byGoal({
        Go: callThenTell(delegate('child'), GATED, COUNT),
        child: callThenTell(holds.call('test')),
      }),
    });
    const run = await world.client.start({ goal: 'Go', limits: LIMITS });
    await holds.begun('test');
    const { historyLength } = await world.temporal.workflow.getHandle(run.runId).describe();
    expect(historyLength).toBeGreaterThan(15);
    await run.approve('s0.c1');
    await untilEvent(run, 'tool_completed', ({ callId }) => callId === 's0.c1');
    expect((await run.progress()).agents).toHaveLength(1);
    holds.release('test');
    const { result } = await expectFamilyEnds(world, run, [CHILD]);
    expect(result).toMatchObject({ outcome: 'done', answer: 'Told: Told: held by test\nsent\n1' });
    expect(await executionsOf(world, run.runId)).toBeGreaterThan(1);
  });
});

async function executionsOf(world: World, runId: string): Promise<number> {
  return (await expectFoldEqualsProgress(world.temporal, runId)).temporalRunIds.length;
}
