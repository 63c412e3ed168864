import { WorkflowFailedError } from '@temporalio/client';
import { z } from 'zod';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import { AGENT_RUN } from '../../src/contract/names.js';
import type { WorldOptions } from '../support/run-support.js';
import { untilEvent, type World } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import {
  agentOf,
  callThenTell,
  delegate,
  expectFamilyEnds,
  expectFamilyFolds,
  familyBill,
  Holds,
  startedAgent,
  toolTexts,
  whenProgress,
} from './support/family.js';
import { byGoal } from './support/goal-scripts.js';
import { COUNT, MONEY_TOOLS, useMoneyWorlds } from './support/money-world.js';

const open = useMoneyWorlds(useTemporalServer());
const LIMITS = { maxCostUsd: 1 };
const CHILD = 's0.c0';
const GRANDCHILD = 's0.c0/s0.c0';

/** A run whose sub-agent has one itself, which is held by a tool. */
async function startHeld(options: Partial<WorldOptions> = {}) {
  const holds = new Holds();
  const world = await open({
    tools: [...MONEY_TOOLS, holds.tool],
    script: byGoal({
      Go: callThenTell(delegate('child'), COUNT),
      child: callThenTell(delegate('grandchild')),
      grandchild: callThenTell(holds.call('test')),
    }),
    ...options,
  });
  const run = await world.client.start({ goal: 'Go', limits: LIMITS });
  await holds.begun('test');
  return { world, run, holds };
}

const statusOf = async (run: RunHandle) => (await run.progress()).status;

it('stop goes down: each of them answers with what it has', async () => {
  const { world, run, holds } = await startHeld();
  await run.stop({ note: 'Enough.' });
  await whenProgress(agentOf(world, run, GRANDCHILD), ({ status }) => status === 'landing');
  expect(await statusOf(agentOf(world, run, CHILD))).toBe('landing');
  await expectFamilyFolds(world, run, [CHILD, GRANDCHILD]);
  holds.release('test');
  const { result } = await expectFamilyEnds(world, run, [CHILD, GRANDCHILD]);
  expect(result).toMatchObject({ outcome: 'stopped', unknownOutcomes: [] });
  expect(result.answer).toContain('held by test');
  for (const path of [CHILD, GRANDCHILD])
    expect(await agentOf(world, run, path).result()).toMatchObject({ outcome: 'stopped' });
});

it('a ceiling of the run goes down as a stop', async () => {
  const { world, run, holds } = await startHeld();
  await run.setLimits({ maxDurationMs: 1 });
  await whenProgress(agentOf(world, run, GRANDCHILD), ({ status }) => status === 'landing');
  holds.release('test');
  const { result } = await expectFamilyEnds(world, run, [CHILD, GRANDCHILD]);
  expect(result).toMatchObject({ outcome: 'limit', limit: 'duration' });
});

it('cancel goes down: each of them ends at once, and what they cost comes up', async () => {
  const { world, run } = await startHeld();
  await run.cancel();
  const { result } = await expectFamilyEnds(world, run, [CHILD, GRANDCHILD]);
  expect(result).toMatchObject({ outcome: 'cancelled', unknownOutcomes: [] });
  expect(result.spend.byPurpose['child']).toMatchObject({ calls: 2 });
  for (const path of [CHILD, GRANDCHILD])
    expect(await agentOf(world, run, path).result()).toMatchObject({ outcome: 'cancelled' });
});

it.each(['at once', 'when it has asked for its first answer'])(
  'cancel reaches a sub-agent that is only about to begin: %s',
  async (when) => {
    const world = await open({
      script: byGoal({
        Go: callThenTell(delegate('child')),
        child: () => ({ text: 'word '.repeat(500), chunkDelayMs: 20 }),
      }),
    });
    const run = await world.client.start({ goal: 'Go', limits: LIMITS });
    await untilEvent(run, 'tool_started');
    if (when !== 'at once') await untilEvent(await startedAgent(world, run, CHILD), 'step_started');
    await run.cancel();
    const result = await run.result();
    expect(result.outcome).toBe('cancelled');
    await world.standIn.idle();
    const { costNanoUsd, estimatedNanoUsd } = result.spend;
    expect(costNanoUsd + estimatedNanoUsd).toBeGreaterThanOrEqual(familyBill(world, run).nanoUsd);
    await expectFamilyFolds(world, run, []);
  },
);

it('pause goes down, and so does resume', async () => {
  const { world, run, holds } = await startHeld();
  await run.pause({ note: 'Wait.' });
  const grandchild = agentOf(world, run, GRANDCHILD);
  await whenProgress(grandchild, ({ status }) => status === 'paused');
  expect(await Promise.all([statusOf(run), statusOf(agentOf(world, run, CHILD))])).toEqual([
    'paused',
    'paused',
  ]);
  await expectFamilyFolds(world, run, [CHILD, GRANDCHILD]);
  holds.release('test');
  await untilEvent(grandchild, 'tool_completed');
  expect(familyBill(world, run).calls).toBe(3);
  await run.resume();
  const { result } = await expectFamilyEnds(world, run, [CHILD, GRANDCHILD]);
  expect(result).toMatchObject({ outcome: 'done', answer: 'Told: Told: Told: held by test\n1' });
});

it('a run that is terminated takes its sub-agents with it', async () => {
  const { world, run } = await startHeld();
  await world.temporal.workflow.getHandle(run.runId).terminate('Away with it.');
  for (const path of [CHILD, GRANDCHILD]) {
    const agent = agentOf(world, run, path);
    expect(await agent.result()).toMatchObject({ outcome: 'cancelled' });
  }
  await expectFamilyEndsOf(world, run, [CHILD, GRANDCHILD]);
});

it('a sub-agent that is terminated leaves an unknown outcome, and its share is charged', async () => {
  const { world, run } = await startHeld();
  const [agent] = (await run.progress()).agents;
  await world.temporal.workflow.getHandle(`${run.runId}/${CHILD}`).terminate('Away with it.');
  const result = await run.result();
  expect(result).toMatchObject({
    outcome: 'done',
    unknownOutcomes: [{ callId: CHILD, tool: 'delegate' }],
  });
  const [told = '', counted] = toolTexts(await run.transcript());
  expect(JSON.parse(told)).toMatchObject({ status: 'unknown_outcome' });
  expect(counted).toBe('1');
  expect(result.spend.estimatedNanoUsd).toBe(Math.round(Number(agent?.maxCostUsd) * 1e9));
  await expectFamilyFolds(world, run, []);
  expect(await agentOf(world, run, GRANDCHILD).result()).toMatchObject({ outcome: 'cancelled' });
});

it('a sub-agent that is cancelled by itself leaves its run to go on', async () => {
  const { world, run } = await startHeld();
  await agentOf(world, run, CHILD).cancel();
  const { result } = await expectFamilyEnds(world, run, [CHILD, GRANDCHILD]);
  expect(result).toMatchObject({ outcome: 'done', unknownOutcomes: [] });
  const [told = ''] = toolTexts(await run.transcript());
  expect(JSON.parse(told)).toMatchObject({ status: 'cancelled' });
});

it('a sub-agent whose name is taken by a run that goes on is never started', async () => {
  const world = await open({
    script: byGoal({
      Go: callThenTell(delegate('child'), COUNT),
      other: callThenTell({ name: 'ask_human', args: { question: 'What?' } }),
    }),
  });
  const runId = uniqueName('run');
  const other = await world.temporal.workflow.start(AGENT_RUN, {
    workflowId: `${runId}/${CHILD}`,
    taskQueue: world.taskQueue,
    args: [{ goal: 'other' }],
  });
  const run = await world.client.start({ goal: 'Go', limits: LIMITS }, { id: runId });
  const result = await run.result();
  expect(result).toMatchObject({ outcome: 'done', unknownOutcomes: [] });
  const [told = '', counted] = toolTexts(await run.transcript());
  expect(JSON.parse(told)).toMatchObject({ status: 'cancelled' });
  expect(counted).toBe('1');
  expect(result.spend.byPurpose).not.toHaveProperty('child');
  await expectFamilyFolds(world, run, []);
  await other.cancel();
  await expect(other.result()).rejects.toBeInstanceOf(WorkflowFailedError);
});

describe('a call of a sub-agent whose outcome nobody knows', () => {
  const lost = (onUnknown?: 'tell_model') =>
    defineTool({
      name: 'lost',
      description: 'l',
      approval: 'never',
      timeoutMs: 100,
      input: z.object({}),
      ...(onUnknown && { onUnknown }),
      execute: (_args, { signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('late')))),
    });
  const script = byGoal({
    Go: callThenTell(delegate('child')),
    child: callThenTell(delegate('grandchild')),
    grandchild: callThenTell({ name: 'lost' }),
  });

  it('is told to the model above and listed in the result', async () => {
    const world = await open({ script, tools: [lost('tell_model')] });
    const run = await world.client.start({ goal: 'Go', limits: LIMITS });
    const { result } = await expectFamilyEnds(world, run, [CHILD, GRANDCHILD]);
    const callId = `${GRANDCHILD}/s0.c0`;
    expect(result).toMatchObject({ outcome: 'done', unknownOutcomes: [{ callId, tool: 'lost' }] });
    expect(toolTexts(await run.transcript())[0]).toContain('lost (s0.c0/s0.c0)');
  });

  it('is settled by a human at the run', async () => {
    const world = await open({ script, tools: [lost()] });
    const run = await world.client.start({ goal: 'Go', limits: LIMITS });
    await whenProgress(run, ({ pending }) => pending.length === 1);
    const callId = `${GRANDCHILD}/s0.c0`;
    expect(await run.pending()).toMatchObject([{ kind: 'unknown_outcome', callId, tool: 'lost' }]);
    await run.answer(undefined, 'It had acted.');
    const { result } = await expectFamilyEnds(world, run, [CHILD, GRANDCHILD]);
    expect(result).toMatchObject({ outcome: 'done', unknownOutcomes: [] });
    expect(result.answer).toBe('Told: Told: Told: It had acted.');
  });
});

/** Of runs that have nobody above them any more. */
async function expectFamilyEndsOf(world: World, run: RunHandle, paths: readonly string[]): Promise<void> {
  await world.standIn.idle();
  const spent = await Promise.all(
    paths.map(async (path) => (await agentOf(world, run, path).result()).spend.byPurpose['step']),
  );
  expect(spent).toMatchObject(paths.map(() => ({ calls: 1 })));
}
