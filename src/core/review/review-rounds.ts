import { REVIEW } from '../behaviour.js';
import { isSelfKeeping } from '../metered.js';
import type { ReviewState } from '../guard-state.js';
import type { RunState } from '../state.js';

/** How many rounds a run has; a human who sends an answer back adds one. */
export function roundsOf({ prepared, review }: RunState): number {
  return Math.max(prepared?.review?.rounds ?? REVIEW.rounds, review.rounds);
}

/** Whether what the reviewer finds now is found in the last round. */
export function isLastRound(state: RunState): boolean {
  return state.review.rounds >= roundsOf(state);
}

/** Whether an answer counts only after it was reviewed. */
export function isReviewed(state: RunState): boolean {
  return isSelfKeeping(state) && state.prepared?.review !== undefined;
}

/** The review of a run that ends: one that is under way comes to no end. */
export function endOfReview({ review }: RunState): ReviewState {
  if (review.stage === null) return review;
  return { ...review, stage: null, problem: 'The run ended before the review did.' };
}
