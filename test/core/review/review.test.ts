import { REVIEW } from '../../../src/core/behaviour.js';
import { view } from '../../../src/core/view.js';
import {
  answers,
  ASK,
  CHECK,
  GAPS,
  outcomeOf,
  purposeOf,
  reviewed,
  reviewOf,
  roundsIn,
  underReview,
  verdict,
} from '../support/review-world.js';
import {
  callOf,
  gatedCall,
  lastMessage,
  lastOf,
  modelCalls,
  modelInput,
  resultObject,
  roles,
  toolAnswers,
  toolSettles,
  underWay,
} from '../support/run.js';
import { HOUR_MS, PARENT } from '../support/world.js';
import type { Shell } from '../support/shell.js';

describe('an answer that is reviewed', () => {
  it('counts once the reviewer has said so on the last line', () => {
    const shell = verdict(underReview(), 'I looked at all of it.\n[DONE]');
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'All is tidy.', steps: 1 });
    expect(reviewOf(shell)).toEqual({
      rounds: 1,
      passed: true,
      gaps: 'I looked at all of it.',
      problem: null,
    });
    expect(roundsIn(shell)).toMatchObject({
      started: [{ round: 1, rounds: 3, step: 0, model: 'maker/first' }],
      completed: [{ round: 1, passed: true, problem: null }],
    });
  });

  it('is mended while rounds are left, and reviewed anew', () => {
    const shell = verdict(underReview());
    expect(lastMessage(shell)).toContain(GAPS);
    expect(modelInput(shell)).toMatchObject({ purpose: 'step', step: 1 });
    modelCalls(shell, callOf({ effect: 'read' }));
    toolAnswers(shell, 's1.c0');
    answers(shell, 'The date is 4 May.');
    verdict(shell, '[DONE]');
    expect(shell.state.result).toMatchObject({ answer: 'The date is 4 May.', steps: 3 });
    expect(reviewOf(shell)).toEqual({ rounds: 2, passed: true, gaps: null, problem: null });
    expect(roles(shell)).toEqual(['system', 'user', 'assistant', 'user', 'assistant', 'tool', 'assistant']);
  });

  it('ends with what the reviewer still finds in the last round', () => {
    const shell = underReview();
    for (const round of [1, 2]) answers(verdict(shell, `Gap ${round}`), `Answer ${round}`);
    verdict(shell, 'Gap 3');
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'Answer 2' });
    expect(reviewOf(shell)).toEqual({ rounds: 3, passed: false, gaps: 'Gap 3', problem: null });
    expect(roundsIn(shell).completed.map(({ gaps }) => gaps)).toEqual(['Gap 1', 'Gap 2', 'Gap 3']);
  });

  it('does not pass by a mention, nor by a last line that was broken off', () => {
    const shell = verdict(underReview(), 'It is not [DONE] yet.');
    expect(purposeOf(shell)).toBe('step');
    verdict(answers(shell), 'The agent writes\n[DONE]', { finish: 'length' });
    expect(purposeOf(shell)).toBe('step');
    expect(lastOf(shell, 'review_completed')).toMatchObject({ passed: false });
  });

  it('is read by another model where the run says so, under its price and name', () => {
    const shell = underReview({ model: 'other/third' });
    expect(modelInput(shell)).toMatchObject({ model: 'other/third', purpose: 'review' });
    expect(lastOf(shell, 'review_started')).toMatchObject({ model: 'other/third' });
    expect(shell.state.ledger.charges).toMatchObject([{ purpose: 'review', model: 'other/third' }]);
  });

  it('is read with room for a verdict, whatever the run asks for its answers', () => {
    const shell = underReview({}, { input: { maxOutputTokens: 64 } });
    expect(modelInput(shell).maxOutputTokens).toBe(REVIEW.verdictTokens);
  });

  it('needs no review in a run that asks for none, or that began before there was one', () => {
    const none = answers(reviewed({}, { prepared: { review: undefined as never } }));
    expect(none.state.result).toMatchObject({ outcome: 'done', review: null });
    const old = answers(reviewed({}, { prepared: { behaviour: 3 } }));
    expect(old.state.result).toMatchObject({ outcome: 'done', review: null });
  });

  it('is shown with its round while it is under way', () => {
    const shell = underReview({ checks: [CHECK] });
    expect(view(shell.state).review).toEqual({
      round: 1,
      rounds: 3,
      stage: 'checks',
      passed: false,
      gaps: null,
    });
    toolAnswers(shell, 's0.c0');
    expect(view(shell.state).review).toMatchObject({ stage: 'verdict' });
    expect(view(verdict(shell).state).review).toMatchObject({ round: 1, stage: null, gaps: GAPS });
  });

  it('is reviewed anew in each turn of a session', () => {
    const shell = verdict(underReview({}, { prepared: { idleMs: HOUR_MS } }));
    verdict(answers(shell, 'Better.'), '[DONE]');
    expect(shell.state.idle).toMatchObject({ answer: 'Better.' });
    shell.control('say', { text: 'And the cellar?' });
    expect(view(shell.state).review).toMatchObject({ round: 0, passed: false });
    answers(shell, 'The cellar too.');
    expect(lastOf(shell, 'review_started')).toMatchObject({ round: 1 });
    verdict(shell, '[DONE]');
    shell.control('stop');
    expect(shell.state.result).toMatchObject({ outcome: 'stopped', answer: 'The cellar too.' });
    expect(reviewOf(shell)).toEqual({ rounds: 1, passed: true, gaps: null, problem: null });
  });

  it('of a sub-agent that is asked for it is reviewed as any other', () => {
    const shell = underReview({}, { input: { parent: PARENT } });
    verdict(shell, '[DONE]');
    expect(reviewOf(shell)).toBeUndefined();
    expect(shell.state.farewell).toMatchObject({ review: { passed: true } });
  });
});

describe('checks', () => {
  const checks = [CHECK, { ...CHECK, id: 'check1', args: '{"command":"lint"}' }];

  it('run before the reviewer, whose evidence they are', () => {
    const shell = underReview({ checks });
    expect(underWay(shell)).toEqual(['s0.c0', 's0.c1']);
    toolAnswers(shell, 's0.c1', '2 problems');
    toolAnswers(shell, 's0.c0', 'all pass');
    expect(purposeOf(shell)).toBe('review');
    expect(lastMessage(shell)).toMatch(/test.*\(ok\)\n-> all pass.*lint.*\(ok\)\n-> 2 problems/s);
    expect(roles(shell)).not.toContain('tool');
  });

  it('run again in each round', () => {
    const shell = verdict(toolAnswers(underReview({ checks: [CHECK] }), 's0.c0'));
    answers(shell);
    expect(underWay(shell)).toEqual(['s1.c0']);
    expect(lastOf(shell, 'review_started')).toMatchObject({ round: 2 });
  });

  it.each<[string, (shell: Shell) => void, RegExp]>([
    [
      'fail',
      (shell) =>
        toolSettles(shell, 's0.c0', {
          kind: 'failed',
          code: 'TOOL_FAILED',
          message: 'No such file.',
          retryable: false,
          details: {},
        }),
      /\(failed\).*No such file/s,
    ],
    ['time out', (shell) => toolSettles(shell, 's0.c0', { kind: 'timed_out' }), /\(timed_out\)/],
    [
      'do not do what they should',
      (shell) => toolSettles(shell, 's0.c0', { kind: 'ok', value: { content: 'exit 1', status: 'failed' } }),
      /\(failed\).*exit 1/s,
    ],
  ])('that %s are evidence too', (_what, settle, expected) => {
    const shell = underReview({ checks: [CHECK] });
    settle(shell);
    expect(purposeOf(shell)).toBe('review');
    expect(lastMessage(shell)).toMatch(expected);
  });

  it('of which nobody knows whether they took effect ask nobody, and are on record', () => {
    const { effect: _, ...once } = CHECK;
    const shell = underReview({ checks: [{ ...once, onUnknown: 'tell_model' }] });
    toolSettles(shell, 's0.c0', { kind: 'timed_out' });
    expect(lastMessage(shell)).toMatch(/unknown_outcome/);
    verdict(shell, '[DONE]');
    expect(shell.state.result?.unknownOutcomes).toEqual([{ callId: 's0.c0', tool: 'shell' }]);
  });

  it('behind a gate wait for a human, whose no is evidence', () => {
    const check = { ...gatedCall({ ...CHECK }), effect: 'read' as const };
    const shell = underReview({ checks: [check] });
    expect(view(shell.state)).toMatchObject({
      status: 'waiting',
      pending: [{ callId: 's0.c0', tool: 'shell' }],
    });
    shell.control('reject', { callId: 's0.c0', note: 'Not here.' });
    expect(purposeOf(shell)).toBe('review');
    expect(lastMessage(shell)).toMatch(/\(rejected\).*Not here/s);
  });

  it('that say a lot are cut to what all of them may say', () => {
    const many = Array.from({ length: 20 }, (_, index) => ({ ...CHECK, id: `check${index}` }));
    const shell = underReview({ checks: many });
    for (let index = 0; index < many.length; index += 1)
      toolAnswers(shell, `s0.c${index}`, `${index} says ${'x'.repeat(10_000)} end${index}`);
    expect(lastMessage(shell).length).toBeLessThan(32_000);
    for (const index of [0, 9, 19]) expect(lastMessage(shell)).toContain(`end${index}`);
  });

  it('that bring text from outside taint the run', () => {
    const shell = underReview({ checks: [CHECK] }, { prepared: { taint: 'ask' } });
    toolSettles(shell, 's0.c0', { kind: 'ok', value: { content: 'Hi.', untrusted: true } });
    verdict(shell);
    expect(modelInput(shell)).toMatchObject({ tainted: true });
  });
});

describe('a snapshot', () => {
  it('carries a review on in each of its stages', () => {
    const live = (between: (shell: Shell) => Shell) => {
      const shell = between(underReview({ ...ASK, checks: [CHECK] }));
      between(toolAnswers(shell, 's0.c0'));
      between(verdict(shell));
      between(shell.control('reject', { callId: shell.state.calls[0]?.id, note: 'No.' }));
      between(answers(shell, 'Better.'));
      between(toolAnswers(shell, 's1.c0'));
      between(verdict(shell, '[DONE]'));
      return shell;
    };
    const reloaded = live((shell) => shell.reload());
    const plain = live((shell) => shell);
    expect(reloaded.state).toEqual(plain.state);
    expect(reloaded.events).toEqual(plain.events);
    expect(outcomeOf(plain)).toBe('done');
    expect(resultObject(plain)).toBeNull();
  });
});
