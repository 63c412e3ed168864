import { openCalls } from '../calls/calls.js';
import { closeLanded, finishCall } from '../closing.js';
import { append, emit, parseJson, patch, type Draft } from '../draft.js';
import { FRESH_GUARDS, nextStepModel } from '../fresh-state.js';
import type { ReviewState } from '../guard-state.js';
import { takeMessages } from '../messages.js';
import { currentModel } from '../model/models.js';
import type { ModelResult } from '../outcomes.js';
import { blockedBy } from '../money/quote.js';
import { notRun } from '../calls/results.js';
import { cut } from '../context/cut.js';
import { readVerdict } from './review-brief.js';
import { isLastRound, roundsOf } from './review-rounds.js';
import { finishTurn } from '../session.js';
import type { CallState } from '../state.js';

/** How much of the result of a check is shown, and of those of all checks of a round; in characters. */
const CHECK_CHARS = { each: 4_000, all: 24_000 };

/** Begins a round: the checks first, if there are any, then the reviewer. */
export function beginReview(draft: Draft, answer: string): void {
  const { prepared, review, step, output } = draft.state;
  const checks = prepared?.review?.checks ?? [];
  patch(draft, {
    review: {
      rounds: review.rounds + 1,
      stage: checks.length > 0 ? 'checks' : 'verdict',
      answer,
      passed: false,
      gaps: null,
      problem: null,
      ...(output !== null && { output }),
    },
  });
  const { state } = draft;
  emit(draft, {
    type: 'review_started',
    step,
    round: state.review.rounds,
    rounds: roundsOf(state),
    model: currentModel(state, 'review'),
  });
  if (checks.length > 0) openCalls(draft, checks);
}

/** Takes in the calls of a round once they have ended: checks, or a human's word about the answer. */
export function settleReviewCalls(draft: Draft): void {
  const { calls, review, landing, queue } = draft.state;
  patch(draft, { calls: [], phase: 'model' });
  // What is there is the answer with which the run lands; what somebody has said comes before it.
  if (landing || (review.stage === 'human' && queue.length > 0)) return;
  if (review.stage === 'checks') return fileChecks(draft, calls);
  const [word] = calls;
  if (word?.ended === 'ok') {
    patchReview(draft, { problem: 'A human has accepted the answer as it is.' });
    return endReview(draft);
  }
  const { note } = Object(parseJson(word?.result ?? ''));
  const said = typeof note === 'string' ? `, and says: ${note}` : '.';
  mend(draft, `A human does not accept the answer${said}\n\n${review.gaps ?? ''}`.trim());
}

function fileChecks(draft: Draft, calls: readonly CallState[]): void {
  const maxChars = Math.min(CHECK_CHARS.each, Math.floor(CHECK_CHARS.all / calls.length));
  const lines = calls.map(
    ({ plan, ended, result = '' }) =>
      `${plan.name} ${cut(plan.args, maxChars)} (${ended})\n-> ${cut(result, maxChars)}`,
  );
  append(draft, [{ role: 'user', content: `The checks of the answer brought:\n\n${lines.join('\n\n')}` }]);
  patchReview(draft, { stage: 'verdict' });
}

/** Takes in what the reviewer says. */
export function settleVerdict(draft: Draft, value: ModelResult): void {
  const { state } = draft;
  patch(draft, { model: nextStepModel(state.model) });
  if (state.cancelRequested) return;
  const { passed, gaps } = readVerdict(value.text ?? '', value.finish);
  if (!passed && gaps === '') return failReview(draft, 'The reviewer said nothing.');
  patchReview(draft, { passed, gaps: gaps === '' ? null : gaps });
  completeRound(draft);
  if (passed || state.landing) return endReview(draft);
  // What was said meanwhile comes first.
  if (state.queue.length > 0) return;
  if (!isLastRound(state)) return mend(draft, `A reviewer has found this about your answer:\n\n${gaps}`);
  const [question] = value.calls ?? [];
  if (!question) return endReview(draft);
  patchReview(draft, { stage: 'human' });
  openCalls(draft, [question], { from: state.prepared?.review?.checks.length ?? 0 });
}

/** Sends the answer back to the model, unless a ceiling leaves no room for that: then it stands as it is, and the result says so. */
function mend(draft: Draft, why: string): void {
  const blocked = blockedBy(draft.state, draft.atMs);
  if (blocked) {
    const problem = `No ${blocked.limit} left to mend the answer.`;
    patchReview(draft, { problem });
    return endReview(draft);
  }
  const words = 'Mend what is right about it with the tools you have, then give the whole answer again.';
  append(draft, [{ role: 'user', content: `${why}\n\n${words}` }]);
  patchReview(draft, { stage: null });
  // What is sent back is no answer any more.
  patch(draft, { step: draft.state.step + 1, output: null });
}

/** Ends a review that comes to no verdict: the answer stands, and the result says that it was not reviewed. */
export function failReview(draft: Draft, problem: string): void {
  patchReview(draft, { problem });
  completeRound(draft);
  endReview(draft);
}

/** Ends a review whose answer came back as none: the one that was reviewed stands. */
export function keepReviewed(draft: Draft, problem: string): void {
  patchReview(draft, { problem });
  patch(draft, { output: draft.state.review.output ?? null });
  endReview(draft);
}

function completeRound(draft: Draft): void {
  const { review, step } = draft.state;
  const { rounds: round, passed, gaps, problem } = review;
  emit(draft, { type: 'review_completed', step, round, passed, gaps, problem });
}

/** A question about an answer is of no use any more once somebody has said something. */
export function withdrawQuestion(draft: Draft): void {
  if (draft.state.queue.length === 0) return;
  for (const { id } of draft.state.calls)
    finishCall(draft, id, notRun('cancelled', 'Somebody has said something instead.'));
}

/** The answer stands, unless somebody has said something meanwhile: that comes first. */
function endReview(draft: Draft): void {
  const { review, queue, landing } = draft.state;
  if (queue.length > 0) return;
  patchReview(draft, { stage: null });
  if (landing) return closeLanded(draft, landing, review.answer);
  finishTurn(draft, review.answer);
}

/** A human has said something since: what is answered next is reviewed anew. */
export function leaveReview(draft: Draft): void {
  const { model, step, landing } = draft.state;
  // What the reviewer was to be asked with is not what the agent is asked with.
  patch(draft, { review: FRESH_GUARDS.review, output: null, model: nextStepModel(model) });
  takeMessages(draft, 'all');
  if (!landing) patch(draft, { step: step + 1 });
}

function patchReview(draft: Draft, fields: Partial<ReviewState>): void {
  patch(draft, { review: { ...draft.state.review, ...fields } });
}
