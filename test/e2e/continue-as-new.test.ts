import { WorkflowContinuedAsNewError } from '@temporalio/client';
import { z } from 'zod';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import type { TranscriptItem } from '../../src/core/transcript.js';
import { scriptedSteps, type Script } from '../../src/testing/stand-in/script.js';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { openWorld, untilEvent, type World } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';
import { byGoal } from './support/goal-scripts.js';

const STEPS = 60;
const CONTINUE_AT_EVENTS = 100;
const server = useTemporalServer();
const ran = new Map<string, string[]>();
let release: (value: string) => void = () => undefined;
const released = new Promise<string>((resolve) => {
  release = resolve;
});
let world: World;

const countUp: Script = (request, { stepIndex }) => {
  if (stepIndex >= STEPS || request.tool_choice === 'none') return { text: `Counted, after ${stepIndex}.` };
  return { text: `Step ${stepIndex}.`, toolCalls: [{ name: 'count', args: { n: stepIndex } }] };
};

beforeAll(async () => {
  world = await openWorld(server, {
    script: byGoal({
      count: countUp,
      wait: scriptedSteps([{ toolCalls: [{ name: 'send', args: { to: 'a' } }] }, { text: 'Sent.' }]),
      'wait while working': scriptedSteps([
        { toolCalls: [{ name: 'send', args: { to: 'a' } }, { name: 'work' }] },
        { text: 'Sent.' },
      ]),
    }),
    tools: [
      defineTool({
        name: 'count',
        description: 'c',
        effect: 'read',
        input: z.object({ n: z.number() }),
        execute: ({ n }) => `counted ${n}`,
      }),
      defineTool({
        name: 'send',
        description: 's',
        input: z.object({ to: z.string() }),
        execute: ({ to }, { runId }) => {
          ran.set(runId, [...(ran.get(runId) ?? []), to]);
          return `sent to ${to}`;
        },
      }),
      defineTool({
        name: 'work',
        description: 'w',
        effect: 'read',
        input: z.object({}),
        execute: () => released,
      }),
    ],
    env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: String(CONTINUE_AT_EVENTS) },
  });
  await world.startWorker();
}, 60_000);

afterAll(() => world.close());

it('carries a run of sixty steps and what is said to it over many executions', async () => {
  const run = await world.client.start({ goal: 'count' });
  const said = ['first', 'second', 'third', 'fourth'];
  for (const [index, text] of said.entries()) {
    await untilEvent(run, 'model_completed', ({ step }) => step === 8 + 12 * index);
    await run.say(text, { mode: index % 2 === 0 ? 'steer' : 'interrupt' });
  }
  await run.say('afterwards', { mode: 'queue' });
  const result = await run.result();
  expect(result).toMatchObject({ outcome: 'done', answer: `Counted, after ${STEPS + 1}.`, steps: STEPS + 2 });
  const { temporalRunIds, events } = await expectFoldEqualsProgress(world.temporal, run.runId);
  expect(temporalRunIds.length).toBeGreaterThan(5);
  const completed = events.flatMap((event) => (event.type === 'model_completed' ? [event.step] : []));
  expect(completed).toEqual(Array.from({ length: STEPS + 2 }, (_, step) => step));
  const transcript = await run.transcript();
  expect(textsOf(transcript, 'user').slice(1).sort()).toEqual(['afterwards', ...said].sort());
  expect(textsOf(transcript, 'user').at(-1)).toBe('afterwards');
  expect(textsOf(transcript, 'tool')).toEqual(Array.from({ length: STEPS }, (_, n) => `counted ${n}`));
  world.expectNoRefusals();
}, 120_000);

it('carries a pending decision over, which then takes edited arguments', async () => {
  const run = await world.client.start({ goal: 'wait' });
  await untilEvent(run, 'decision_requested');
  const before = await run.pending();
  await fillHistory(run);
  await nextExecution(run);
  expect(await run.pending()).toEqual(before);
  await expect(run.approve('s0.c0', { args: { wrong: 1 } })).rejects.toMatchObject({ code: 'ARGS_INVALID' });
  await run.approve('s0.c0', { args: { to: 'b' } });
  expect(await run.result()).toMatchObject({ outcome: 'done', steps: 2 });
  expect(ran.get(run.runId)).toEqual(['b']);
  const { temporalRunIds } = await expectFoldEqualsProgress(world.temporal, run.runId);
  expect(temporalRunIds.length).toBeGreaterThan(1);
});

it('runs a call in the next execution with the arguments that were edited in this one', async () => {
  const run = await world.client.start({ goal: 'wait while working' });
  await untilEvent(run, 'tool_started');
  await fillHistory(run);
  await run.approve('s0.c0', { args: { to: 'b' }, note: 'Rather b.' });
  expect(ran.get(run.runId)).toBeUndefined();
  release('worked');
  expect(await run.result()).toMatchObject({ outcome: 'done', steps: 2 });
  expect(ran.get(run.runId)).toEqual(['b']);
  const [sent] = textsOf(await run.transcript(), 'tool');
  expect(sent).toMatch(/Rather b\..*sent to b/s);
  const { temporalRunIds } = await expectFoldEqualsProgress(world.temporal, run.runId);
  expect(temporalRunIds).toHaveLength(2);
});

/** Sends signals that are turned down until the history of the first execution is long enough to continue as new. */
async function fillHistory(run: RunHandle & { temporalRunId: string }): Promise<void> {
  const first = world.temporal.workflow.getHandle(run.runId, run.temporalRunId);
  const newest = world.temporal.workflow.getHandle(run.runId);
  while ((await first.describe()).historyLength < CONTINUE_AT_EVENTS)
    await newest.signal('say', { text: '' });
}

/** Waits until the first execution of a run has continued as new. */
async function nextExecution(run: RunHandle & { temporalRunId: string }): Promise<void> {
  const first = world.temporal.workflow.getHandle(run.runId, run.temporalRunId, { followRuns: false });
  await expect(first.result()).rejects.toBeInstanceOf(WorkflowContinuedAsNewError);
}

function textsOf(transcript: readonly TranscriptItem[], role: TranscriptItem['role']): string[] {
  return transcript.filter((item) => item.role === role).map(({ content }) => content);
}
