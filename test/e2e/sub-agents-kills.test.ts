import type { RunHandle } from '../../src/client/run-handle.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import {
  agentOf,
  callThenTell,
  delegate,
  expectFamilyEnds,
  expectFamilyFolds,
  familyBill,
  startedAgent,
  toolTexts,
  whenProgress,
} from './support/family.js';
import { byGoal } from './support/goal-scripts.js';
import { useKillWorlds } from './support/kill-world.js';

const TEST_MS = 90_000;
const open = useKillWorlds(useTemporalServer());
const LIMITS = { maxCostUsd: 1 };
const act = (effect: string) => ({ name: `${effect}_act`, args: { hold: true } });

it(
  'run and sub-agents go on after their worker was killed in the middle of calls of each kind',
  async () => {
    const world = await open({
      script: byGoal({
        Go: callThenTell(delegate('child'), act('idempotent')),
        child: callThenTell(act('read'), delegate('grandchild')),
        grandchild: callThenTell(act('read')),
      }),
    });
    const worker = await world.startProcess();
    const run = await world.client.start({ goal: 'Go', limits: LIMITS }, { id: uniqueName('kill-agents') });
    const paths = ['s0.c0', 's0.c0/s0.c1'];
    await Promise.all([
      world.effects.untilBegun(run.runId, 's0.c1'),
      ...paths.map((path) => world.effects.untilBegun(agentOf(world, run, path).runId, 's0.c0')),
    ]);
    await worker.kill9();
    await world.startProcess();
    const { result } = await expectFamilyEnds(world, run, paths);
    expect(result).toMatchObject({ outcome: 'done', unknownOutcomes: [] });
    expect(toolTexts(await run.transcript())).toEqual([
      'Told: acted: s0.c0\nTold: acted: s0.c0',
      'acted: s0.c1',
    ]);
    expect(result.spend).toMatchObject({ modelCalls: 6, lostModelCalls: 0 });
    expect(begunBy((runId) => world.effects.begun(runId), run, ['', ...paths])).toEqual([
      ['s0.c1', 's0.c1'],
      ['s0.c0', 's0.c0'],
      ['s0.c0', 's0.c0'],
    ]);
  },
  TEST_MS,
);

it(
  'a call of effect once that was lost with the worker comes up to the run, where a human settles it',
  async () => {
    const world = await open({
      script: byGoal({ Go: callThenTell(delegate('child')), child: callThenTell(act('once')) }),
    });
    const worker = await world.startProcess();
    const run = await world.client.start({ goal: 'Go', limits: LIMITS }, { id: uniqueName('kill-agents') });
    const callId = 's0.c0/s0.c0';
    await whenProgress(run, ({ pending }) => pending.length === 1);
    await run.approve(callId);
    const child = agentOf(world, run, 's0.c0');
    await world.effects.untilBegun(child.runId, 's0.c0');
    await worker.kill9();
    await world.startProcess();
    await whenProgress(run, ({ pending }) => pending[0]?.kind === 'unknown_outcome');
    await expectFamilyFolds(world, run, ['s0.c0']);
    await run.reject(callId, { note: 'Nobody can tell.' });
    const { result } = await expectFamilyEnds(world, run, ['s0.c0']);
    expect(result).toMatchObject({ outcome: 'done', unknownOutcomes: [{ callId, tool: 'once_act' }] });
    expect(world.effects.begun(child.runId)).toEqual(['s0.c0']);
  },
  TEST_MS,
);

it(
  'a decision that was sent while no worker was there is carried out by the sub-agent, once',
  async () => {
    const world = await open({
      script: byGoal({
        Go: callThenTell(delegate('child')),
        child: callThenTell({ name: 'once_act' }),
      }),
    });
    const worker = await world.startProcess();
    const run = await world.client.start({ goal: 'Go', limits: LIMITS }, { id: uniqueName('kill-agents') });
    await whenProgress(run, ({ pending }) => pending.length === 1);
    await worker.kill9();
    const handle = world.temporal.workflow.getHandle(run.runId);
    await handle.signal('approve', { by: 'ann' });
    await handle.signal('reject', { by: 'bob' });
    await world.startProcess();
    const { result, events } = await expectFamilyEnds(world, run, ['s0.c0']);
    expect(result).toMatchObject({ outcome: 'done', answer: 'Told: Told: acted: s0.c0' });
    expect(world.effects.begun(agentOf(world, run, 's0.c0').runId)).toEqual(['s0.c0']);
    const made = events.filter(({ type }) => type === 'decision_made');
    expect(made).toMatchObject([{ callId: 's0.c0/s0.c0', by: 'ann' }]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'control_rejected' }));
  },
  TEST_MS,
);

it(
  'a worker that dies while both write loses no money of either',
  async () => {
    const slow = { text: 'word '.repeat(300), chunkDelayMs: 20 };
    const world = await open({
      script: byGoal({
        Go: (_request, { stepIndex }) =>
          stepIndex === 0 ? { toolCalls: [delegate('a'), delegate('b')] } : { text: 'Done.' },
        a: (_request, { attempt }) => (attempt === 1 ? slow : { text: 'A.' }),
        b: (_request, { attempt }) => (attempt === 1 ? slow : { text: 'B.' }),
      }),
    });
    const worker = await world.startProcess();
    const run = await world.client.start({ goal: 'Go', limits: LIMITS }, { id: uniqueName('kill-agents') });
    const paths = ['s0.c0', 's0.c1'];
    await Promise.all(paths.map(async (path) => untilWriting(await startedAgent(world, run, path))));
    await worker.kill9();
    await world.startProcess();
    const result = await run.result();
    expect(result).toMatchObject({ outcome: 'done', answer: 'Done.', unknownOutcomes: [] });
    await world.standIn.idle();
    const { costNanoUsd, estimatedNanoUsd } = result.spend;
    expect(costNanoUsd + estimatedNanoUsd).toBeGreaterThanOrEqual(familyBill(world, run).nanoUsd);
    expect(costNanoUsd + estimatedNanoUsd).toBeLessThanOrEqual(1e9);
    await expectFamilyFolds(world, run, paths);
  },
  TEST_MS,
);

function begunBy(begun: (runId: string) => string[], run: RunHandle, paths: readonly string[]): string[][] {
  return paths.map((path) => begun(path === '' ? run.runId : `${run.runId}/${path}`));
}

/** Waits until the model has begun to write. */
async function untilWriting(run: RunHandle): Promise<void> {
  const found = new AbortController();
  for await (const { type } of run.deltas(found.signal)) if (type === 'text_delta') found.abort();
}
