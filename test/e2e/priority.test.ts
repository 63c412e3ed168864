import { activityInfo } from '@temporalio/activity';
import { z } from 'zod';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import { AGENT_RUN } from '../../src/contract/names.js';
import type { RunPriority } from '../../src/core/run-input.js';
import { scriptedSteps } from '../../src/testing/stand-in/script.js';
import { openWorld, type World } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { temporalCli } from './support/temporal-cli.js';

const server = useTemporalServer();
const PRIORITY: RunPriority = { priorityKey: 1, fairnessKey: 'team-a', fairnessWeight: 2.5 };
/** Of each run, the priorities of its tool activities. */
const seen = new Map<string, unknown[]>();
/** The server hands three of them to the worker at once, past the queue, where a priority means nothing and is not told. */
const CALLS = 6;
let world: World;

beforeAll(async () => {
  world = await openWorld(server, {
    script: scriptedSteps([
      { toolCalls: Array.from({ length: CALLS }, () => ({ name: 'look' })) },
      { text: 'Done.' },
    ]),
    tools: [
      defineTool({
        name: 'look',
        description: 'l',
        effect: 'read',
        input: z.object({}),
        execute: (_args, { runId }) => {
          seen.set(runId, [...(seen.get(runId) ?? []), activityInfo().priority]);
          return 'looked';
        },
      }),
    ],
  });
  await world.startWorker();
}, 60_000);

afterAll(() => world.close());

it('gives a run and its activities the priority and fairness that it is started with', async () => {
  const run = await world.client.start({ goal: 'Look.', priority: PRIORITY });
  expect(await run.result()).toMatchObject({ outcome: 'done' });
  const handle = world.temporal.workflow.getHandle(run.runId);
  expect((await handle.describe()).priority).toEqual(PRIORITY);
  expect(seen.get(run.runId)).toContainEqual(PRIORITY);
});

it('starts a run raw, with a priority in its input alone', async () => {
  const id = uniqueName('raw');
  const input = JSON.stringify({ goal: 'Look.', priority: PRIORITY });
  const named = ['--type', AGENT_RUN, '--task-queue', world.taskQueue, '--workflow-id', id];
  await temporalCli(world.address, ['workflow', 'start', ...named, '--input', input]);
  expect(await world.client.run(id).result()).toMatchObject({ outcome: 'done' });
});

it('takes the priority of temporal workflow start', async () => {
  const id = uniqueName('raw');
  const named = ['--type', AGENT_RUN, '--task-queue', world.taskQueue, '--workflow-id', id];
  const flags = ['--priority-key', '1', '--fairness-key', 'team-a', '--fairness-weight', '2.5'];
  await temporalCli(world.address, ['workflow', 'start', ...named, ...flags, '--input', '{"goal":"Look."}']);
  expect(await world.client.run(id).result()).toMatchObject({ outcome: 'done' });
  expect(seen.get(id)).toContainEqual(PRIORITY);
});
