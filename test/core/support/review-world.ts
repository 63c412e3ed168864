import type { ModelResult, PlannedCall } from '../../../src/core/outcomes.js';
import type { RunResult } from '../../../src/core/progress.js';
import type { Limits, Prepared } from '../../../src/core/run-input.js';
import { NO_LIMITS } from '../../../src/core/run-input.js';
import { eventsOf, modelAnswers, modelInput, running, type EventOf } from './run.js';
import type { Shell } from './shell.js';
import { fakeHash } from './world.js';

/** How answers of a run are reviewed, as the worker has settled it. */
export type Review = NonNullable<Prepared['review']>;

/** A check that may run as often as it likes. */
export const CHECK: PlannedCall = { id: 'check0', name: 'shell', args: '{"command":"test"}', effect: 'read' };

export const GAPS = '1. The date is invented.';

/** What people may add to a reviewed run. */
export interface ReviewedRun {
  limits?: Partial<Limits>;
  prepared?: Partial<Prepared>;
  input?: object;
}

/** A run whose answers are reviewed, and whose first model call is under way. */
export function reviewed(review: Partial<Review> = {}, options: ReviewedRun = {}): Shell {
  const { limits = {}, prepared = {}, input = {} } = options;
  return running(
    { review: { rounds: 3, checks: [], ...review }, limits: { ...NO_LIMITS, ...limits }, ...prepared },
    { goal: 'Tidy up.', review: true, ...input },
  );
}

/** The agent gives an answer without calls. */
export function answers(shell: Shell, text = 'All is tidy.', fields: Partial<ModelResult> = {}): Shell {
  expectPurpose(shell, 'step');
  return modelAnswers(shell, { text, ...fields });
}

/** The reviewer speaks. The last one, where a human is asked, brings the question with it, as the activity would. */
export function verdict(shell: Shell, text = GAPS, fields: Partial<ModelResult> = {}): Shell {
  expectPurpose(shell, 'review');
  const asks = modelInput(shell).lastRound && text.trim() !== '' && !text.endsWith('[DONE]');
  return modelAnswers(shell, { text, ...(asks && { calls: [questionFor(text)] }), ...fields });
}

/** The question to a human whether an answer shall stand. */
export function questionFor(gaps: string): PlannedCall {
  const args = JSON.stringify({ gaps });
  return {
    id: 'review',
    name: 'accept_answer',
    args,
    effect: 'read',
    control: { kind: 'accept' },
    gate: { argsHash: fakeHash(args), summary: 'Shall it stand?', reason: 'review' },
  };
}

/** Which model call is under way. */
export function purposeOf(shell: Shell): string {
  return modelInput(shell).purpose;
}

function expectPurpose(shell: Shell, purpose: string): void {
  if (purposeOf(shell) !== purpose) throw new Error(`Under way is a ${purposeOf(shell)}, not a ${purpose}.`);
}

/** The rounds of a run as its events tell of them: which began, and how those ended that came to an end. */
export function roundsIn({ events }: Shell): {
  started: EventOf<'review_started'>[];
  completed: EventOf<'review_completed'>[];
} {
  return { started: eventsOf(events, 'review_started'), completed: eventsOf(events, 'review_completed') };
}

/** What the result says of the review. */
export function reviewOf({ state }: Shell): RunResult['review'] | undefined {
  return state.result?.review;
}

/** How the run ended, if it did. */
export function outcomeOf({ state }: Shell): RunResult['outcome'] | undefined {
  return state.result?.outcome;
}

/** A human is asked when the only reviewer is not content. */
export const ASK = { onDisagreement: 'ask', rounds: 1 } as const;

/** A run whose reviewer reads the answer. */
export function underReview(review: Partial<Review> = {}, options: ReviewedRun = {}): Shell {
  return answers(reviewed(review, options));
}
