import { Worker } from '@temporalio/worker';
import { readRunHistory } from '../../src/testing/history.js';
import { scriptedSteps } from '../../src/testing/stand-in/script.js';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { openWorld, untilEvent, workflowBundle } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';

const server = useTemporalServer();

// A worker that does not have a run in its cache takes a workflow task that did nothing and an update that comes right after it as one
// task, the update first; a later replay takes them as two. So no two tasks in a row may do nothing.
it('replays a run that was sent an update after its worker was replaced', async () => {
  const world = await openWorld(server, {
    script: scriptedSteps([
      { toolCalls: [{ name: 'ask_human', args: { question: 'Which?' } }] },
      { text: 'Done.' },
    ]),
  });
  try {
    const first = await world.startWorker();
    const run = await world.client.start({ goal: 'Ask.' });
    const handle = world.temporal.workflow.getHandle(run.runId);
    await untilEvent(run, 'decision_requested');
    await run.pause();
    await handle.signal('answer', { text: 'This one.' });
    await untilEvent(run, 'decision_made');
    await handle.signal('say', { text: 'And be quick.' });
    await untilEvent(run, 'message_accepted');
    await first.stop();
    await world.startWorker();
    await run.resume();
    expect(await run.result()).toMatchObject({ outcome: 'done' });
    await expectFoldEqualsProgress(world.temporal, run.runId);
    for (const history of await readRunHistory(world.temporal, run.runId))
      await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, run.runId);
  } finally {
    await world.close();
  }
});
