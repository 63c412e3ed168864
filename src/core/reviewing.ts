import { openCalls } from './calls.js';
import { append, emit, parseJson, patch, type Draft } from './draft.js';
import { FRESH_GUARDS, nextStepModel } from './fresh-state.js';
import { takeMessages } from './messages.js';
import { currentModel } from './models.js';
import type { ModelResult } from './outcomes.js';
import { blockedBy } from './quote.js';
import { cut, readVerdict } from './review-brief.js';
import { isLastRound, roundsOf } from './review-rounds.js';
import { finishTurn } from './session.js';
import type { CallState, ReviewState } from './state.js';

/** How much of the result of a check is shown, in characters. */
const CHECK_CHARS = 4_000;

/** Begins a round: the checks first, if there are any, then the reviewer. */
export function beginReview(draft: Draft, answer: string): void {
  const { state } = draft;
  const checks = state.prepared?.review?.checks ?? [];
  const round = state.review.rounds + 1;
  patch(draft, {
    review: {
      rounds: round,
      stage: checks.length > 0 ? 'checks' : 'verdict',
      answer,
      passed: false,
      gaps: null,
      problem: null,
    },
  });
  emit(draft, {
    type: 'review_started',
    step: state.step,
    round,
    rounds: roundsOf(state),
    model: currentModel(state, 'review'),
  });
  if (checks.length > 0) openCalls(draft, checks);
}

/** Takes in the calls of a round once they have ended: checks, or a human's word about the answer. */
export function settleReviewCalls(draft: Draft): void {
  const { calls, review, landing } = draft.state;
  patch(draft, { calls: [], phase: 'model' });
  // What is there is the answer with which the run lands.
  if (landing) return;
  if (review.stage === 'checks') return fileChecks(draft, calls);
  const [word] = calls;
  if (word?.ended === 'ok') {
    patchReview(draft, { stage: null, problem: 'A human has accepted the answer as it is.' });
    return finishTurn(draft, review.answer);
  }
  const { note } = Object(parseJson(word?.result ?? ''));
  const said = typeof note === 'string' ? `, and says: ${note}` : '.';
  mend(draft, `A human does not accept the answer${said}\n\n${review.gaps ?? ''}`.trim());
}

function fileChecks(draft: Draft, calls: readonly CallState[]): void {
  const lines = calls.map(
    ({ plan, ended, result = '' }) => `${plan.name} ${plan.args} (${ended})\n-> ${cut(result, CHECK_CHARS)}`,
  );
  append(draft, [{ role: 'user', content: `The checks of the answer brought:\n\n${lines.join('\n\n')}` }]);
  patchReview(draft, { stage: 'verdict' });
}

/** Takes in what the reviewer says. */
export function settleVerdict(draft: Draft, value: ModelResult): void {
  const { state } = draft;
  const { review, step } = state;
  patch(draft, { model: nextStepModel(state.model) });
  if (state.cancelRequested || state.landing) return;
  const { passed, gaps } = readVerdict(value.text ?? '');
  if (!passed && gaps === '') return failReview(draft, 'The reviewer said nothing.');
  patchReview(draft, { passed, gaps: gaps === '' ? null : gaps });
  emit(draft, {
    type: 'review_completed',
    step,
    round: review.rounds,
    passed,
    gaps: gaps === '' ? null : gaps,
    problem: null,
  });
  // What was said meanwhile comes first.
  if (state.queue.length > 0) return;
  if (passed) return endReview(draft);
  if (!isLastRound(state)) return mend(draft, `A reviewer has found this about your answer:\n\n${gaps}`);
  const [question] = value.calls ?? [];
  if (!question) return endReview(draft);
  patchReview(draft, { stage: 'human' });
  openCalls(draft, [question]);
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
  patch(draft, { step: draft.state.step + 1 });
}

/** Ends a review that comes to no verdict: the answer stands, and the result says that it was not reviewed. */
export function failReview(draft: Draft, problem: string): void {
  const { review, step } = draft.state;
  patchReview(draft, { problem });
  emit(draft, {
    type: 'review_completed',
    step,
    round: review.rounds,
    passed: false,
    gaps: review.gaps,
    problem,
  });
  endReview(draft);
}

function endReview(draft: Draft): void {
  const { answer } = draft.state.review;
  patchReview(draft, { stage: null });
  finishTurn(draft, answer);
}

/** A human has said something since: what is answered next is reviewed anew. */
export function leaveReview(draft: Draft): void {
  patch(draft, { review: FRESH_GUARDS.review });
  takeMessages(draft, 'all');
  if (!draft.state.landing) patch(draft, { step: draft.state.step + 1 });
}

function patchReview(draft: Draft, fields: Partial<ReviewState>): void {
  patch(draft, { review: { ...draft.state.review, ...fields } });
}
