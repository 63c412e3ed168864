import type { RunHandle } from '../../src/client/run-handle.js';
import { scriptedSteps } from '../../src/testing/stand-in/script.js';
import { untilEvent } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { expectDone, requestsOf, useKillWorlds, type KillWorld } from './support/kill-world.js';

const TEST_MS = 60_000;
const open = useKillWorlds(useTemporalServer());
const script = scriptedSteps([{ toolCalls: [{ name: 'once_act' }] }, { text: 'Done.' }]);

/** A run that waits for a decision, its worker killed. */
async function waitingRun(): Promise<{ world: KillWorld; run: RunHandle }> {
  const world = await open({ script });
  const worker = await world.startProcess();
  const run = await world.client.start({ goal: 'Act once.' }, { id: uniqueName('kill-decision') });
  await untilEvent(run, 'decision_requested');
  await worker.kill9();
  expect(await run.pending()).toMatchObject([{ kind: 'decision', callId: 's0.c0', tool: 'once_act' }]);
  return { world, run };
}

it(
  'keeps a decision waiting over the death of its worker and takes the update that came before the next one',
  async () => {
    const { world, run } = await waitingRun();
    const approved = run.approve('s0.c0', { by: 'ann' });
    await world.startProcess();
    await approved;
    await expectActedOnce(world, run, 'ann');
  },
  TEST_MS,
);

it(
  'takes a plain signal that came while no worker was alive',
  async () => {
    const { world, run } = await waitingRun();
    await world.temporal.workflow.getHandle(run.runId).signal('approve', { callId: 's0.c0', by: 'bob' });
    await expect(run.progress()).resolves.toMatchObject({ status: 'waiting' });
    await world.startProcess();
    await expectActedOnce(world, run, 'bob');
  },
  TEST_MS,
);

async function expectActedOnce(world: KillWorld, run: RunHandle, by: string): Promise<void> {
  const { events, result } = await expectDone(world, run);
  expect(events.filter(({ type }) => type === 'decision_made')).toMatchObject([
    { callId: 's0.c0', decision: 'approve', by },
  ]);
  expect(world.effects.of(run.runId).map(({ kind, callId }) => ({ kind, callId }))).toEqual([
    { kind: 'begin', callId: 's0.c0' },
    { kind: 'end', callId: 's0.c0' },
  ]);
  expect([0, 1].map((step) => requestsOf(world, run, step).length)).toEqual([1, 1]);
  expect(result).toMatchObject({ answer: 'Done.', unknownOutcomes: [] });
}
