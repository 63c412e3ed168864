import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from '@temporalio/worker';
import { RunClient } from '../../src/client/run-client.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import { workflowBundle } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';

const server = useTemporalServer();
const started: RunHandle[] = [];
afterEach(async () => {
  for (const { runId } of started.splice(0)) await server.client.workflow.getHandle(runId).terminate();
});

it('names the task queue that no worker polls, also while the server still lists one that has gone', async () => {
  const taskQueue = uniqueName('unpolled');
  const { client, nativeConnection: connection } = server;
  const runs = new RunClient({ client, taskQueue, checkInput: () => ({ goal: 'g' }) });
  const start = async (): Promise<RunHandle> => {
    const run = await runs.start({ goal: 'g' });
    started.push(run);
    return run;
  };
  const early = await start();
  expect(await early.unpolledQueue()).toBe(taskQueue);
  const worker = await Worker.create({ connection, taskQueue, workflowBundle: await workflowBundle() });
  await worker.runUntil(async () => {
    // It has no activities, so the run waits for one and tells nothing.
    const taken = await start();
    while ((await taken.unpolledQueue()) !== null);
    expect(await early.unpolledQueue()).toBeNull();
  });
  // Clocks of servers may differ by a second, so that much has to lie between the last poll and the start of a run.
  await delay(1_500);
  expect(await (await start()).unpolledQueue()).toBe(taskQueue);
}, 60_000);

it('fails as other questions do for a run that is not there', async () => {
  const runs = new RunClient({ client: server.client, taskQueue: 'q', checkInput: () => ({ goal: 'g' }) });
  await expect(runs.run(uniqueName('nobody')).unpolledQueue()).rejects.toMatchObject({
    code: 'RUN_NOT_FOUND',
  });
});
