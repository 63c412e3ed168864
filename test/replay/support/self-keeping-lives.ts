import type { Script } from '../../../src/testing/stand-in/script.js';
import { untilEvent } from '../../support/run-support.js';
import { count, counting, type RecordedLife } from './lives.js';

const FIRST = 'stand-in/agent';
const SECOND = 'stand-in/free';

/** A reviewer that is content in its round `last`, and says so before as a mention only. */
function reviewed(last: number, steps: Script): Script {
  return (request, context) => {
    if (context.metadata['longhaul_purpose'] !== 'review') return steps(request, context);
    const text = request.messages.map(({ content }) => String(content)).join('\n');
    const round = text.split('A reviewer has found').length;
    return { text: round >= last ? 'Nothing is missing.\n[DONE]' : 'No number is given, so not [DONE] yet.' };
  };
}

/** Does the same for ever. */
const circling: Script = (request) =>
  request.tool_choice === 'none' ? { text: 'Landed.' } : { toolCalls: [count(1)] };

/** What came with behaviour 4: reviews, schemas, conversations that are shortened, loops that are broken, models that are come back to. */
export const SELF_KEEPING_LIVES: RecordedLife[] = [
  {
    name: 'reviewed',
    script: reviewed(2, counting(2)),
    input: {
      review: { rounds: 3, checks: [{ tool: 'count', args: { n: 7 } }] },
      limits: { maxCostUsd: 0.5 },
    },
    env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: '30' },
  },
  {
    name: 'reviewed-by-a-human',
    script: reviewed(9, counting(1)),
    input: { review: { rounds: 1, onDisagreement: 'ask' } },
    async attend(run) {
      const { callId } = await untilEvent(run, 'decision_requested');
      await run.reject(callId, { note: 'Count once more.' });
      const { callId: next } = await untilEvent(run, 'decision_requested', (one) => one.callId !== callId);
      await run.approve(next, { by: 'ann' });
    },
  },
  {
    name: 'reviewer-away',
    script: (request, context) =>
      context.metadata['longhaul_purpose'] === 'review'
        ? { fault: { kind: 'http', status: 400 } }
        : counting(1)(request, context),
    input: { review: true },
  },
  {
    name: 'schema',
    script: (_request, { stepIndex }) => ({ text: stepIndex === 0 ? 'Seven.' : '```json\n{"n": 7}\n```' }),
    input: { schema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } },
  },
  {
    name: 'compacted',
    script: (_request, { metadata }) => {
      const { longhaul_purpose: purpose, longhaul_step: step = '0' } = metadata;
      // Every third summary fails.
      if (purpose === 'compaction')
        return Number(step) % 3 === 0 ? { fault: { kind: 'http', status: 400 } } : { text: `Up to ${step}.` };
      return Number(step) >= 12
        ? { text: 'Done.' }
        : { text: `${step} ${'word '.repeat(150)}`, toolCalls: [count(Number(step))] };
    },
    input: { compactAtTokens: 3_200, maxOutputTokens: 300, limits: { maxCostUsd: 0.5 } },
    env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: '60' },
    async attend(run) {
      await untilEvent(run, 'step_started', ({ step }) => step === 4);
      await run.say('Count on.', { by: 'ann' });
    },
  },
  {
    name: 'circling',
    script: circling,
    input: { model: FIRST, models: [SECOND] },
    async attend(run) {
      const { callId } = await untilEvent(run, 'decision_requested');
      await run.approve(callId);
      const { callId: next } = await untilEvent(run, 'decision_requested', (one) => one.callId !== callId);
      await run.say('Stop that.');
      await run.reject(next);
      await untilEvent(run, 'loop_detected', ({ rung, step }) => rung === 'tell' && step > 20);
      await run.stop();
    },
  },
  {
    name: 'circling-unasked',
    script: circling,
    input: { requireApproval: 'never', limits: { maxCostUsd: 0.5 } },
    env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: '60' },
  },
  {
    name: 'fell-back',
    script: (request, context) =>
      context.model === FIRST && context.stepIndex === 1
        ? { fault: { kind: 'http', status: 403 } }
        : counting(3)(request, context),
    input: { model: FIRST, models: [SECOND] },
  },
];
