import { z } from 'zod';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import { AgentClient } from '../../src/agent-client.js';
import type { Script } from '../../src/testing/stand-in/script.js';
import { cli } from '../cli/support.js';
import { openWorld, untilEvent, type World } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';

const server = useTemporalServer();
let world: World;

const OTHER_MODEL = 'stand-in/second';

/** Looks, pays, answers; the other model does not pay. */
const script: Script = ({ model, messages }) => {
  const results = messages.filter(({ role }) => role === 'tool').length;
  if (results === 0) return { text: 'I look.', toolCalls: [{ name: 'look' }] };
  if (model === OTHER_MODEL) return { text: 'Not paid.' };
  return results === 1 ? { toolCalls: [{ name: 'pay' }] } : { text: 'Paid.' };
};

const input = z.object({});
const tools = [
  defineTool({ name: 'look', description: 'l', effect: 'read', input, execute: () => 'seen' }),
  defineTool({ name: 'pay', description: 'p', input, execute: () => 'paid' }),
];

beforeAll(async () => {
  const models = ['stand-in/agent', OTHER_MODEL].map((id) => ({
    id,
    promptNanoUsd: 500,
    completionNanoUsd: 2_000,
  }));
  world = await openWorld(server, { script, tools, standIn: { models } });
}, 60_000);

afterAll(() => world.close());

it('diff holds a run against its fork with another model, with no worker alive', async () => {
  const worker = await world.startWorker();
  const run = await world.client.start({ goal: 'Pay.' });
  await untilEvent(run, 'decision_requested');
  await run.approve();
  const first = await run.result();
  const fork = await run.fork({ step: 0, model: OTHER_MODEL, say: 'Do not pay.' });
  const second = await fork.result();
  await worker.stop();

  const connect = () => AgentClient.connect({ config: world.config, address: world.address });
  const { code, stdout } = await cli(['diff', run.runId, fork.runId, '--json'], { context: { connect } });
  expect(code).toBe(0);
  const { left, right, ...parting } = JSON.parse(stdout);
  expect(left).toMatchObject({
    runId: run.runId,
    forkOf: null,
    outcome: 'done',
    models: ['stand-in/agent'],
    steps: 3,
    inheritedSteps: 0,
    costNanoUsd: first.spend.costNanoUsd,
    inheritedNanoUsd: 0,
    toolCalls: { look: 1, pay: 1 },
    decisions: { approve: 1, reject: 0, answer: 0, expired: 0 },
    answer: 'Paid.',
  });
  expect(right).toMatchObject({
    runId: fork.runId,
    forkOf: run.runId,
    outcome: 'done',
    models: [OTHER_MODEL],
    steps: 2,
    inheritedSteps: 1,
    costNanoUsd: second.spend.costNanoUsd,
    inheritedNanoUsd: second.spend.inheritedNanoUsd,
    toolCalls: { look: 1 },
    answer: 'Not paid.',
  });
  expect(right.inheritedNanoUsd).toBeGreaterThan(0);
  // System prompt, goal, the first answer and its result.
  expect(parting).toEqual({
    sameUntilStep: 1,
    sameItems: 4,
    parting: {
      left: { role: 'assistant', content: '', calls: [expect.objectContaining({ name: 'pay' })] },
      right: { role: 'user', content: 'Do not pay.' },
    },
  });

  const missing = await cli(['diff', run.runId, 'no-such-run'], { context: { connect } });
  expect(missing).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('no-such-run') });
}, 60_000);
