import { view } from '../../../src/core/view.js';
import {
  answers,
  CHECK,
  outcomeOf,
  purposeOf,
  reviewOf,
  underReview,
  verdict,
} from '../support/review-world.js';
import {
  FREE,
  lastOf,
  modelAnswers,
  modelCalledOff,
  modelFails,
  modelInput,
  toolAnswers,
  underWay,
  userWords,
} from '../support/run.js';
import { problemAtEnd } from '../support/transcript-check.js';
import type { Shell } from '../support/shell.js';

describe('a control during a review', () => {
  const stages: [string, () => Shell, (shell: Shell) => unknown][] = [
    ['while checks run', () => underReview({ checks: [CHECK] }), (shell) => toolAnswers(shell, 's0.c0')],
    ['while the reviewer reads', () => underReview(), (shell) => modelCalledOff(shell)],
    [
      'while the reviewer is waited for',
      () => modelFails(underReview(), 'MODEL_UNAVAILABLE', true, FREE),
      () => undefined,
    ],
  ];

  it.each(stages)('such as stop ends with the answer that is there (%s)', (_when, reach, settle) => {
    const shell = reach().control('stop', { note: 'Enough.' });
    if (shell.started.size > 0) settle(shell);
    expect(shell.state.result).toMatchObject({ outcome: 'stopped', answer: 'All is tidy.' });
    expect(problemAtEnd(shell.state.transcript)).toBeNull();
    expect(shell.started.size).toBe(0);
  });

  it.each(stages)('such as cancel ends at once (%s)', (_when, reach) => {
    const shell = reach().deliver({ type: 'cancel_requested' });
    for (const { key, kind } of shell.started.values())
      if (kind === 'tool' || kind === 'model')
        shell.deliver(shell.settlementOf(key, kind, { kind: 'cancelled' }));
    expect(outcomeOf(shell)).toBe('cancelled');
    expect(problemAtEnd(shell.state.transcript)).toBeNull();
  });

  it.each(stages)(
    'such as a message comes first; the new answer is reviewed anew (%s)',
    (_when, reach, settle) => {
      const shell = reach().control('say', { text: 'With the year.', mode: 'steer' });
      if (shell.started.size > 0) settle(shell);
      else shell.awaitTimer();
      expect(modelInput(shell)).toMatchObject({
        purpose: 'step',
        step: 1,
        attempt: 1,
        maxOutputTokens: 8_192,
      });
      expect(userWords(shell)).toContain('With the year.');
      expect(view(shell.state).review).toMatchObject({ round: 0, stage: null });
      answers(shell, 'In 1999.');
      expect(lastOf(shell, 'review_started')).toMatchObject({ round: 1 });
    },
  );

  it('such as a message that is queued is heard before the answer counts, whatever the reviewer says', () => {
    for (const end of [
      (shell: Shell) => verdict(shell, '[DONE]'),
      (shell: Shell) => verdict(shell),
      (shell: Shell) => verdict(shell, ''),
      (shell: Shell) => modelFails(shell, 'MODEL_BAD_REQUEST', false, FREE),
    ]) {
      const shell = end(underReview().control('say', { text: 'With the year.', mode: 'queue' }));
      expect(outcomeOf(shell)).toBeUndefined();
      expect(purposeOf(shell)).toBe('step');
      expect(userWords(shell)).toEqual(['With the year.']);
    }
  });

  it('such as an interruption calls the reviewer off', () => {
    const shell = underReview().control('say', { text: 'Stop that.', mode: 'interrupt' });
    expect(shell.cancelled.size).toBe(1);
    modelCalledOff(shell);
    expect(userWords(shell)).toEqual(['Stop that.']);
  });

  it('such as pause holds the next part back, not what is under way', () => {
    const shell = underReview({ checks: [CHECK] }).control('pause');
    toolAnswers(shell, 's0.c0');
    expect(underWay(shell)).toEqual([]);
    shell.control('resume');
    expect(purposeOf(shell)).toBe('review');
    shell.control('pause');
    verdict(shell);
    expect(underWay(shell)).toEqual([]);
    shell.control('resume');
    expect(modelInput(shell)).toMatchObject({ purpose: 'step', step: 1 });
  });

  it('such as stop lets a verdict count that came all the same', () => {
    const shell = underReview().control('stop');
    verdict(shell, '[DONE]');
    expect(shell.state.result).toMatchObject({ outcome: 'stopped', answer: 'All is tidy.' });
    expect(reviewOf(shell)).toEqual({ rounds: 1, passed: true, gaps: null, problem: null });
  });

  it('such as stop after a message has the closing answer say what was asked', () => {
    const shell = underReview().control('say', { text: 'With the year.' }).control('stop');
    modelCalledOff(shell);
    expect(purposeOf(shell)).toBe('landing');
    expect(userWords(shell)[0]).toBe('With the year.');
    modelAnswers(shell, { text: 'In 1999.' });
    expect(shell.state.result).toMatchObject({ outcome: 'stopped', answer: 'In 1999.', review: null });
  });

  it('such as termination leaves a result', () => {
    const shell = underReview().deliver({ type: 'ended_outside', how: 'terminated', message: 'Gone.' });
    expect(shell.state.result).toMatchObject({ outcome: 'cancelled' });
  });
});
