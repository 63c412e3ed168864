import { view } from '../../../src/core/view.js';
import {
  answers,
  ASK,
  GAPS,
  outcomeOf,
  type ReviewedRun,
  reviewOf,
  underReview,
  verdict,
} from '../support/review-world.js';
import { judged, lastMessage, lastOf, modelInput, refusal } from '../support/run.js';
import { problemAtEnd } from '../support/transcript-check.js';
import { APPROVERS, HOUR_MS } from '../support/world.js';
import type { Shell } from '../support/shell.js';

/** A run whose last reviewer is not content, so that a human is asked. */
const asked = (review: Parameters<typeof underReview>[0] = {}, options: ReviewedRun = {}) =>
  verdict(underReview({ ...ASK, ...review }, options));

describe('a disagreement that a human is asked about', () => {
  it('waits as a decision with what the reviewer found', () => {
    const shell = asked();
    expect(view(shell.state)).toMatchObject({
      status: 'waiting',
      review: { stage: 'human' },
      pending: [{ kind: 'decision', tool: 'accept_answer', args: { gaps: GAPS }, reason: 'review' }],
    });
  });

  it('ends with the answer when it is approved', () => {
    const shell = asked().control('approve', { by: 'ada' });
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'All is tidy.' });
    expect(reviewOf(shell)).toEqual({
      rounds: 1,
      passed: false,
      gaps: GAPS,
      problem: 'A human has accepted the answer as it is.',
    });
    expect(problemAtEnd(shell.state.transcript)).toBeNull();
  });

  it('has the answer mended when it is rejected, which adds a round', () => {
    const shell = asked().control('reject', { note: 'Ask the archive.' });
    expect(lastMessage(shell)).toMatch(/does not accept the answer, and says: Ask the archive\..*invented/s);
    expect(modelInput(shell)).toMatchObject({ purpose: 'step', step: 1 });
    answers(shell, 'The archive says 4 May.');
    expect(lastOf(shell, 'review_started')).toMatchObject({ round: 2, rounds: 2 });
    expect(modelInput(shell)).toMatchObject({ lastRound: true });
    verdict(shell, 'Still no source.');
    expect(view(shell.state).pending).toMatchObject([{ args: { gaps: 'Still no source.' } }]);
    shell.control('reject', { note: 'Once more.' });
    verdict(answers(shell, 'Here it is.'), '[DONE]');
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'Here it is.' });
    expect(reviewOf(shell)).toMatchObject({ rounds: 3, passed: true });
  });

  it('asks nobody before the last round', () => {
    const shell = underReview({ onDisagreement: 'ask', rounds: 2 });
    expect(modelInput(shell)).not.toHaveProperty('lastRound');
    answers(verdict(shell));
    expect(modelInput(shell)).toMatchObject({ lastRound: true });
  });

  it('asks nobody in a run that never asks, but reports', () => {
    const shell = asked({}, { input: { requireApproval: 'never' } });
    expect(reviewOf(shell)).toMatchObject({ passed: false, gaps: GAPS });
  });

  it('takes no other arguments than the reviewer gave, and no answer in the place of a decision', () => {
    const shell = asked();
    shell.control('decide', { decision: 'approve', argsHash: 'sha256:other' });
    expect(refusal(shell)).toBe('ARGS_HASH_MISMATCH');
    shell.control('answer', { text: 'Yes.' });
    expect(refusal(shell)).toBe('CALL_NOT_PENDING');
    expect(shell.state.review.stage).toBe('human');
  });

  it('is decided by signatures where the run takes no others', () => {
    const shell = asked({}, { input: { approvers: APPROVERS } });
    shell.control('approve', { by: 'ada' });
    expect(refusal(shell)).toBe('SIGNATURE_REQUIRED');
    shell.control('approve', { by: 'ada', signature: 'c2lnbmVk' });
    judged(shell, { ok: false, code: 'SIGNATURE_INVALID', message: 'No.' });
    expect(shell.state.review.stage).toBe('human');
    shell.control('approve', { by: 'ada', signature: 'c2lnbmVk' });
    judged(shell, { ok: true, approver: 'ada' });
    expect(lastOf(shell, 'decision_made')).toMatchObject({ tool: 'accept_answer', signed: true, by: 'ada' });
    expect(outcomeOf(shell)).toBe('done');
  });

  it('is decided while the run is paused, and ends when it goes on', () => {
    const shell = asked().control('pause').control('approve');
    expect(shell.state.phase).toBe('calls');
    expect(outcomeOf(shell.control('resume'))).toBe('done');
  });

  it.each<[string, (shell: Shell) => void, object]>([
    ['stop', (shell) => shell.control('stop'), { outcome: 'stopped', answer: 'All is tidy.' }],
    ['cancel', (shell) => shell.deliver({ type: 'cancel_requested' }), { outcome: 'cancelled' }],
    [
      'the end of its time',
      (shell) => shell.advance(HOUR_MS),
      { outcome: 'limit', limit: 'duration', answer: 'All is tidy.' },
    ],
    [
      'a lower ceiling',
      (shell) => shell.control('setLimits', { maxSteps: 1 }),
      { outcome: 'limit', limit: 'steps', answer: 'All is tidy.' },
    ],
  ])('is over with %s', (_what, end, expected) => {
    const shell = asked({}, { limits: { maxDurationMs: HOUR_MS } });
    end(shell);
    expect(shell.state.result).toMatchObject(expected);
    expect(reviewOf(shell)).toMatchObject({ rounds: 1, passed: false, gaps: GAPS });
    expect(shell.started.size).toBe(0);
  });
});
