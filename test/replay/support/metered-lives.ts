import { scriptedSteps, type Reply, type Script } from '../../../src/testing/stand-in/script.js';
import { defaultModels } from '../../../src/testing/stand-in/models.js';
import type { RunHandle } from '../../../src/client/run-handle.js';
import { untilEvent } from '../../support/run-support.js';
import { WorkerProcess } from '../../support/worker-process.js';
import { count, counting, send, writing, type RecordedLife } from './lives.js';

/** Its provider knows no `tool_choice: none`. */
const STUBBORN = 'stand-in/stubborn';
const STUBBORN_MODEL = {
  id: STUBBORN,
  promptNanoUsd: 500,
  completionNanoUsd: 2_000,
  refusesToolChoiceNone: true,
};
const BUDGET = 'recorded';

/** Counts for ever, at a cost that a ceiling notices, as far as it may; lands when it is told to. */
const spending =
  (tokens: number): Script =>
  (request) =>
    request.tool_choice === 'none' || request.tools === undefined
      ? { text: 'Landed.' }
      : {
          text: 'Counting.',
          toolCalls: [count(1)],
          usage: { completionTokens: Math.min(tokens, request.max_tokens ?? tokens) },
        };

const tooMany: Reply = { fault: { kind: 'http', status: 429, headers: { 'retry-after': '1' } } };
const breaksOff: Reply = {
  text: 'word '.repeat(50),
  fault: { kind: 'mid-stream-error', code: 502, afterChunks: 5 },
};
const isCutShort: Reply = { text: 'word '.repeat(50), fault: { kind: 'truncate', afterChunks: 5 } };

/** What came with behaviour 2: money is reserved, each attempt at a model call is an activity, and lost costs are asked for. */
export const METERED_LIVES: RecordedLife[] = [
  {
    name: 'metered-plain',
    script: scriptedSteps([{ toolCalls: [count(1), send] }, { toolCalls: [count(2)] }, { text: 'Sent.' }]),
    input: { limits: { maxCostUsd: 0.5 } },
    async attend(run) {
      await untilEvent(run, 'decision_requested');
      await run.approve('s0.c1');
    },
  },
  {
    name: 'metered-lost-attempt',
    script: (_request, { stepIndex, attempt }) =>
      [tooMany, breaksOff][stepIndex === 1 ? attempt - 1 : 2] ??
      (stepIndex < 2 ? { toolCalls: [count(stepIndex)] } : { text: 'Counted.' }),
    input: { limits: { maxCostUsd: 0.5 } },
  },
  {
    name: 'metered-lost-worker',
    script: (_request, { attempt }) => (attempt === 1 ? writing : { text: 'Done.' }),
    input: { limits: { maxCostUsd: 0.5 } },
    async attend(run, world, worker) {
      await untilWriting(run);
      await world.startWorker();
      await worker.stop();
    },
  },
  {
    name: 'metered-dead-worker',
    script: (_request, { stepIndex, attempt }) => {
      if (stepIndex === 0) return { toolCalls: [{ name: 'ask_human', args: { question: 'Which?' } }] };
      return attempt === 1 ? writing : { text: 'Done.' };
    },
    input: { limits: { maxCostUsd: 0.5 } },
    async attend(run, world, worker) {
      await untilEvent(run, 'decision_requested');
      await worker.stop();
      const doomed = new WorkerProcess({ cwd: world.dir, env: world.env });
      await doomed.ready;
      await run.answer(undefined, 'This one.');
      await untilWriting(run);
      await doomed.kill9();
      await world.startWorker();
    },
  },
  {
    name: 'metered-interrupt',
    script: scriptedSteps([writing, { text: 'Done.' }]),
    input: { limits: { maxCostUsd: 0.5 } },
    async attend(run) {
      await untilWriting(run);
      await run.say('Not so.', { mode: 'interrupt' });
    },
  },
  {
    // What a lost attempt holds leaves no room for the next one, until the server has said what it cost.
    name: 'metered-wait-for-money',
    script: (_request, { attempt }) => (attempt === 1 ? isCutShort : { text: 'Done.' }),
    input: { limits: { maxCostUsd: 0.03 } },
  },
  {
    name: 'metered-landing',
    script: spending(2_000),
    input: { model: STUBBORN, limits: { maxCostUsd: 0.025 } },
    standIn: { models: [...defaultModels, STUBBORN_MODEL] },
  },
  { name: 'metered-refused', script: spending(2_000), input: { limits: { maxTokens: 50 } } },
  {
    name: 'metered-continue-as-new',
    script: async (request, context) => ({
      ...(await counting(5)(request, context)),
      ...(context.stepIndex % 2 === 1 && { fault: { kind: 'no-usage' } }),
    }),
    input: { limits: { maxCostUsd: 0.5 } },
    env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: '40' },
    standIn: { generationMisses: 2 },
  },
  {
    // The run that it goes on from was cancelled in the middle of an answer, and the server could not say yet what that cost.
    name: 'metered-fork',
    script: scriptedSteps([
      { toolCalls: [count(1), send] },
      writing,
      { toolCalls: [count(2)] },
      { text: 'Done.' },
    ]),
    input: { limits: { maxCostUsd: 0.5 } },
    standIn: { generationMisses: 4 },
    async attend(run) {
      await untilEvent(run, 'decision_requested');
      await run.reject('s0.c1');
      await untilWriting(run);
      await run.cancel();
    },
    async succeed(run) {
      return run.fork({ id: `${run.runId}-again`, say: 'Be brief.', limits: { maxCostUsd: 1 } });
    },
  },
  {
    name: 'metered-shared-budget',
    script: spending(7_000),
    input: { budget: BUDGET },
    precede: ({ client }) => client.budgets.set(BUDGET, { limitUsd: 0.12, period: 'total' }),
  },
  {
    name: 'metered-payment',
    script: counting(2),
    input: { limits: { maxCostUsd: 0.5 } },
    standIn: { creditLimitNanoUsd: 10_000_000 },
  },
];

/** Waits until the model has begun to write, so that the server has named the generation. */
async function untilWriting(run: RunHandle): Promise<void> {
  const found = new AbortController();
  for await (const { type } of run.deltas(found.signal)) if (type === 'text_delta') found.abort();
}
