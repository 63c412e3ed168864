import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool } from '../../../src/adapters/tools/define-tool.js';
import type { StartInput } from '../../../src/client/run-client.js';
import type { RunHandle } from '../../../src/client/run-handle.js';
import type { Tool } from '../../../src/ports/tools.js';
import { scriptedSteps, type ReplyCall, type Script } from '../../../src/testing/stand-in/script.js';
import type { StandInOptions } from '../../../src/testing/stand-in/stand-in.js';
import { untilEvent, type TestWorker, type World } from '../../support/run-support.js';

/** A run whose history is kept: what the model does, and what humans do meanwhile. */
export interface RecordedLife {
  name: string;
  script: Script;
  input?: Partial<StartInput>;
  env?: Record<string, string>;
  standIn?: Partial<StandInOptions>;
  /** Beside {@link TOOLS}. */
  tools?: Tool[];
  /** What has to be there before the run starts. */
  precede?(world: World): Promise<unknown>;
  /** Resolves when nothing more has to be done for the run to end. */
  attend?(run: RunHandle, world: World, worker: TestWorker): Promise<void>;
  /** The run that is recorded in the place of this one, which has ended. */
  succeed?(run: RunHandle, world: World): Promise<RunHandle>;
}

export const count = (n: number): ReplyCall => ({ name: 'count', args: { n } });
export const send: ReplyCall = { name: 'send', args: { to: 'a@example.org' } };
export const counting =
  (steps: number): Script =>
  (request, { stepIndex }) =>
    stepIndex >= steps || request.tool_choice === 'none'
      ? { text: `Counted to ${stepIndex}.` }
      : { text: `Step ${stepIndex}.`, toolCalls: [count(stepIndex)] };
export const writing = { text: 'word '.repeat(500), chunkDelayMs: 50 };

/** One of each kind of run that the workflow code treats in its own way; recorded with behaviour 1. */
export const LIVES: RecordedLife[] = [
  { name: 'plain', script: counting(3) },
  {
    name: 'parallel-calls',
    script: scriptedSteps([
      {
        toolCalls: [
          count(1),
          { name: 'throws' },
          { name: 'no_such_tool' },
          { name: 'count', args: { n: 'text' } },
          count(2),
        ],
      },
      { text: 'Counted.' },
    ]),
  },
  {
    name: 'edited-arguments',
    script: scriptedSteps([{ toolCalls: [send, count(1)] }, { toolCalls: [send] }, { text: 'Sent.' }]),
    async attend(run) {
      await untilEvent(run, 'decision_requested');
      await run.approve('s0.c0', { args: { to: 5 } }).catch(() => undefined);
      await run.approve('s0.c0', { args: { to: 'b@example.org' }, note: 'To b.', by: 'ann' });
      await untilEvent(run, 'decision_requested', ({ step }) => step === 1);
      await run.reject('s1.c0', { note: 'Once is enough.' });
    },
  },
  {
    name: 'unknown-outcome',
    script: scriptedSteps([
      { toolCalls: [{ name: 'sleeps' }] },
      { toolCalls: [{ name: 'sleeps' }] },
      { text: 'Slept.' },
    ]),
    async attend(run) {
      const { seq: first } = await untilEvent(run, 'decision_requested');
      await run.approve('s0.c0');
      await untilEvent(run, 'decision_requested', ({ seq }) => seq > first);
      await run.answer('s0.c0', 'It did.');
      await untilEvent(run, 'decision_requested', ({ step }) => step === 1);
      await run.reject('s1.c0');
    },
  },
  {
    name: 'continue-as-new',
    script: counting(24),
    env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: '100' },
    async attend(run) {
      await untilEvent(run, 'model_completed', ({ step }) => step === 5);
      await run.say('Go on.', { mode: 'queue' });
    },
  },
  {
    name: 'limit',
    script: (request) =>
      request.tool_choice === 'none' ? { text: 'Landed.' } : { toolCalls: [count(1), send] },
    input: { limits: { maxSteps: 1, maxDurationMs: 3_600_000 } },
  },
  {
    name: 'interrupt',
    script: scriptedSteps([writing, { text: 'Done.' }]),
    async attend(run, world) {
      await untilEvent(run, 'step_started');
      const handle = world.temporal.workflow.getHandle(run.runId);
      await run.say('Not so.', { mode: 'interrupt' });
      await handle.signal('say', { text: 'Nor so.', mode: 'interrupt' });
      await run.pause();
      await handle.signal('approve');
      await run.setLimits({ maxCostUsd: 5, maxDurationMs: 3_600_000 });
      await run.resume();
      await run.stop({ note: 'Enough.' });
    },
  },
  {
    name: 'cancel',
    script: scriptedSteps([{ toolCalls: [count(1), { name: 'works' }, send] }]),
    async attend(run) {
      await untilEvent(run, 'tool_completed', ({ tool }) => tool === 'count');
      await run.cancel();
    },
  },
  {
    name: 'questions-and-waits',
    script: scriptedSteps([
      {
        toolCalls: [
          { name: 'ask_human', args: { question: 'Which?' } },
          { name: 'wait', args: { seconds: 1 } },
          { name: 'expires' },
        ],
      },
      { text: 'Asked.' },
    ]),
    async attend(run) {
      await untilEvent(run, 'tool_completed', ({ tool }) => tool === 'expires');
      await run.answer(undefined, 'This one.');
    },
  },
];

/** The tools of these lives. */
export const TOOLS: Tool[] = [
  defineTool({
    name: 'count',
    description: 'c',
    effect: 'read',
    input: z.object({ n: z.number() }),
    execute: ({ n }) => n + 1,
  }),
  defineTool({
    name: 'send',
    description: 's',
    input: z.object({ to: z.email() }),
    execute: ({ to }) => `sent to ${to}`,
  }),
  defineTool({
    name: 'throws',
    description: 't',
    effect: 'read',
    input: z.object({}),
    execute: () => {
      throw new Error('It does not work.');
    },
  }),
  defineTool({
    name: 'sleeps',
    description: 's',
    approval: 'never',
    timeoutMs: 150,
    input: z.object({}),
    execute: (_args, { signal }) => delay(60_000, undefined, { signal }),
  }),
  defineTool({
    name: 'works',
    description: 'w',
    approval: 'never',
    input: z.object({}),
    execute: (_args, { signal }) => delay(60_000, undefined, { signal }),
  }),
  defineTool({
    name: 'expires',
    description: 'e',
    effect: 'read',
    approval: 'always',
    expiresInMs: 700,
    onExpiry: 'deny',
    input: z.object({}),
    execute: () => 'in time',
  }),
];
