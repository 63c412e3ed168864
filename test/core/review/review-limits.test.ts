import { ATTEMPTS, REVIEW } from '../../../src/core/behaviour.js';
import {
  answers,
  ASK,
  GAPS,
  outcomeOf,
  purposeOf,
  reviewed,
  reviewOf,
  underReview,
  verdict,
} from '../support/review-world.js';
import {
  eventsOf,
  FREE,
  lastOf,
  loses,
  modelAnswers,
  modelCalledOff,
  modelFails,
  modelInput,
} from '../support/run.js';
import { HOUR_MS, MINUTE_MS } from '../support/world.js';

describe('a reviewer', () => {
  it('that says nothing leaves the answer unreviewed', () => {
    const shell = verdict(underReview(), ' \n');
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'All is tidy.' });
    expect(reviewOf(shell)).toEqual({
      rounds: 1,
      passed: false,
      gaps: null,
      problem: 'The reviewer said nothing.',
    });
    expect(lastOf(shell, 'review_completed')).toMatchObject({ problem: 'The reviewer said nothing.' });
  });

  it('that fails is asked again, then done without', () => {
    const shell = underReview();
    for (let attempt = 1; attempt < ATTEMPTS.review; attempt += 1) {
      modelFails(shell, 'MODEL_UNAVAILABLE', true, FREE).awaitTimer();
      expect(purposeOf(shell)).toBe('review');
    }
    modelFails(shell, 'MODEL_UNAVAILABLE', true, FREE);
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'All is tidy.' });
    expect(reviewOf(shell)).toMatchObject({
      passed: false,
      problem: expect.stringMatching(/could not be asked: It failed with MODEL_UNAVAILABLE/),
    });
  });

  it.each<[string, string, boolean, object]>([
    ['is held back for hours', 'MODEL_RATE_LIMITED', true, { delayMs: 3 * HOUR_MS }],
    ['cannot be paid for', 'MODEL_PAYMENT', false, {}],
    ['refuses the key', 'MODEL_AUTH', false, {}],
    ['takes no such request', 'MODEL_BAD_REQUEST', false, {}],
    ['takes no request of that length', 'MODEL_CONTEXT_LENGTH', false, {}],
  ])('that %s is done without at once, and pauses nothing', (_what, code, retryable, details) => {
    const shell = modelFails(underReview(), code, retryable, { ...FREE, ...details });
    expect(outcomeOf(shell)).toBe('done');
    expect(reviewOf(shell)?.problem).toContain(code);
    expect(eventsOf(shell.events, 'run_paused')).toEqual([]);
    expect(eventsOf(shell.events, 'fallback_used')).toEqual([]);
  });

  it('that is held back for a moment is waited for', () => {
    const shell = modelFails(underReview(), 'MODEL_RATE_LIMITED', true, { ...FREE, delayMs: 4 * MINUTE_MS });
    expect(outcomeOf(shell)).toBeUndefined();
    shell.awaitTimer();
    verdict(shell, '[DONE]');
    expect(reviewOf(shell)).toMatchObject({ passed: true });
  });

  it('that fails in the second round leaves the mended answer, and what was found before is past', () => {
    const shell = answers(verdict(underReview()), 'Better.');
    modelFails(shell, 'MODEL_BAD_REQUEST', false, FREE);
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'Better.' });
    expect(reviewOf(shell)).toMatchObject({ rounds: 2, passed: false, gaps: null });
  });

  it('that fails asks no human, though a disagreement would', () => {
    const shell = modelFails(underReview(ASK), 'MODEL_BAD_REQUEST', false, FREE);
    expect(outcomeOf(shell)).toBe('done');
  });

  it('uses up no step, and neither attempts nor tokens of the next one', () => {
    const shell = loses(underReview());
    shell.awaitTimer();
    expect(modelInput(shell)).toMatchObject({ purpose: 'review', attempt: 2 });
    verdict(shell);
    expect(shell.state.stepsCompleted).toBe(1);
    expect(modelInput(shell)).toMatchObject({ purpose: 'step', attempt: 1, maxOutputTokens: 8_192 });
  });
});

describe('the money of a review', () => {
  const cents = (share: number) => ({ limits: { maxCostUsd: 0.1 }, review: { budgetShare: share } });

  it('is on the ledger under its own purpose', () => {
    const shell = verdict(underReview(), '[DONE]', { costNanoUsd: 777 });
    expect(shell.state.result?.spend.byPurpose).toMatchObject({ review: { calls: 1, costNanoUsd: 777 } });
  });

  it('is a share of the ceiling: what is more expensive is not begun, and the answer stands', () => {
    const { limits, review } = cents(0.01);
    const shell = underReview(review, { limits });
    expect(shell.state.result).toMatchObject({ outcome: 'done', limit: null, answer: 'All is tidy.' });
    expect(reviewOf(shell)?.problem).toMatch(/too little/i);
    expect(shell.state.ledger.byPurpose.review).toBeUndefined();
  });

  it('is used up by the rounds of a run together', () => {
    const { limits, review } = cents(0.2);
    const shell = underReview({ ...review, rounds: 9 }, { limits });
    const asked: number[] = [];
    while (outcomeOf(shell) === undefined) {
      asked.push(modelInput(shell).maxOutputTokens ?? 0);
      const [held] = shell.state.ledger.charges;
      modelAnswers(shell, { text: GAPS, costNanoUsd: held?.nanoUsd ?? 0 });
      if (outcomeOf(shell) === undefined) answers(shell);
    }
    // What is left of the share shortens the second verdict, and leaves no third one.
    expect(asked).toEqual([REVIEW.verdictTokens, expect.any(Number)]);
    expect(asked[1]).toBeLessThan(REVIEW.verdictTokens);
    expect(reviewOf(shell)).toMatchObject({ rounds: 3, problem: expect.stringMatching(/too little/i) });
    expect(shell.state.result?.spend.byPurpose['review']?.costNanoUsd).toBeLessThanOrEqual(20_000_000);
  });

  it('comes from a shared budget as any other, whatever was drawn from it so far', () => {
    const shell = reviewed({}, { prepared: { budget: 'team' } });
    const grant = () => {
      const [key, work] = [...shell.started].find(([, { kind }]) => kind === 'draw') ?? [];
      if (key === undefined || work?.kind !== 'draw') return false;
      const value = { grantedNanoUsd: work.input.totalNanoUsd };
      shell.deliver(shell.settlementOf(key, 'draw', { kind: 'ok', value }));
      return true;
    };
    while (grant());
    answers(shell);
    while (grant());
    expect(purposeOf(shell)).toBe('review');
  });

  it('is held back where nobody knows any more what was spent', () => {
    const shell = reviewed({}, { limits: { maxCostUsd: 1 }, prepared: { modelFacts: {} } });
    modelAnswers(shell, { text: 'All is tidy.', costNanoUsd: null });
    expect(outcomeOf(shell)).toBe('done');
    expect(reviewOf(shell)).toMatchObject({ passed: false, problem: expect.any(String) });
  });
});

describe('a ceiling', () => {
  it('on steps that the answer has reached lets it be reviewed, but not mended', () => {
    const shell = verdict(underReview({}, { limits: { maxSteps: 1 } }));
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'All is tidy.' });
    expect(reviewOf(shell)).toEqual({
      rounds: 1,
      passed: false,
      gaps: GAPS,
      problem: 'No steps left to mend the answer.',
    });
  });

  it('on tokens that the answer has reached leaves no review', () => {
    const shell = reviewed({}, { limits: { maxTokens: 12_000 } });
    answers(shell, 'All is tidy.', { promptTokens: 11_000, completionTokens: 1_000 });
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'All is tidy.' });
    expect(reviewOf(shell)?.problem).toMatch(/tokens/);
  });

  it('on cost that is reached meanwhile ends the review, not the answer', () => {
    const shell = underReview({ budgetShare: 1 }, { limits: { maxCostUsd: 1 } });
    verdict(shell, GAPS, { costNanoUsd: 999_999_999 });
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'All is tidy.' });
    expect(reviewOf(shell)).toMatchObject({ gaps: GAPS, problem: 'No cost left to mend the answer.' });
  });

  it('on time that is reached while the reviewer reads ends the run with the answer', () => {
    const shell = underReview({}, { limits: { maxDurationMs: HOUR_MS } });
    shell.advance(HOUR_MS);
    modelCalledOff(shell);
    expect(shell.state.result).toMatchObject({ outcome: 'limit', limit: 'duration', answer: 'All is tidy.' });
  });

  it('that is reached while the answer is mended ends with the closing answer, and says what was found', () => {
    const shell = verdict(underReview({}, { limits: { maxDurationMs: HOUR_MS } }));
    shell.advance(HOUR_MS);
    modelCalledOff(shell);
    expect(purposeOf(shell)).toBe('landing');
    modelAnswers(shell, { text: 'Half mended.' });
    expect(shell.state.result).toMatchObject({ outcome: 'limit', answer: 'Half mended.' });
    expect(reviewOf(shell)).toMatchObject({ rounds: 1, passed: false, gaps: GAPS });
  });
});
