import { firstRunId, readHistory, type HistoryEvent } from '../../src/client/history.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import { AGENT_RUN } from '../../src/contract/names.js';
import { scriptedSteps } from '../../src/testing/stand-in/script.js';
import { untilEvent } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { expectDone, useKillWorlds, type KillWorld } from './support/kill-world.js';

const open = useKillWorlds(useTemporalServer());

it('takes a signal once whose workflow task died with its worker', async () => {
  const world = await open({
    script: scriptedSteps([{ toolCalls: [{ name: 'once_act' }] }, { text: 'Done.' }]),
  });
  const worker = await world.startProcess();
  const run = await startImpatient(world);
  await untilEvent(run, 'decision_requested');
  // A frozen worker takes the task and does nothing with it, so the kill is sure to come in its middle.
  worker.freeze();
  await world.temporal.workflow.getHandle(run.runId).signal('approve', { by: 'ann' });
  await untilTaskAfterSignal(world, run);
  await worker.kill9();
  await world.startProcess();
  const { events } = await expectDone(world, run);
  expect(events.filter(({ type }) => type === 'decision_made')).toMatchObject([
    { decision: 'approve', by: 'ann' },
  ]);
  expect(events.filter(({ type }) => type === 'control_rejected')).toEqual([]);
  expect(world.effects.begun(run.runId)).toEqual(['s0.c0']);
}, 60_000);

/** Its workflow tasks time out soon, for the sake of the test alone. */
async function startImpatient({ temporal, client, taskQueue }: KillWorld): Promise<RunHandle> {
  const workflowId = uniqueName('kill-task');
  await temporal.workflow.start(AGENT_RUN, {
    workflowId,
    taskQueue,
    args: [{ goal: 'Act once.' }],
    workflowTaskTimeout: '2s',
  });
  return client.run(workflowId);
}

/** Waits until a worker was given the signal. */
async function untilTaskAfterSignal({ temporal }: KillWorld, { runId }: RunHandle): Promise<void> {
  const temporalRunId = await firstRunId(temporal, runId);
  const events: HistoryEvent[] = [];
  for await (const page of readHistory(temporal, { workflowId: runId, temporalRunId, follow: true })) {
    events.push(...page.events);
    const signal = events.findIndex((event) => event.workflowExecutionSignaledEventAttributes);
    if (signal >= 0 && events.slice(signal).some((event) => event.workflowTaskStartedEventAttributes)) return;
  }
}
