import { startState } from '../../../src/core/start.js';
import { takeSnapshot } from '../../../src/core/snapshot.js';
import { view } from '../../../src/core/view.js';
import {
  eventsOf,
  FREE,
  gatedCall,
  lastOf,
  modelAnswers,
  modelCalledOff,
  modelFails,
  modelInput,
  toolAnswers,
  underWay,
  userWords,
} from '../support/run.js';
import {
  answers,
  ASK,
  CHECK,
  GAPS,
  outcomeOf,
  purposeOf,
  reviewOf,
  underReview,
  verdict,
} from '../support/review-world.js';
import { START_MS, type Shell } from '../support/shell.js';
import { problemToSend } from '../support/transcript-check.js';
import { HOUR_MS } from '../support/world.js';

const UNFINISHED = 'The run ended before the review did.';

describe('a question about an answer', () => {
  it('has an id of its own, beside those of the checks, so that a yes to one is never taken for the other', () => {
    const check = { ...gatedCall(CHECK), effect: 'read' as const };
    const shell = underReview({ ...ASK, checks: [check] });
    shell.control('approve', { callId: 's0.c0' });
    verdict(toolAnswers(shell, 's0.c0'));
    expect(view(shell.state).pending).toMatchObject([{ callId: 's0.c1', tool: 'accept_answer' }]);
    // The yes to the check comes again.
    shell.control('approve', { callId: 's0.c0' });
    expect(outcomeOf(shell)).toBeUndefined();
    const ids = eventsOf(shell.events, 'decision_requested').map(({ callId }) => callId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(['steer', 'queue', 'interrupt'] as const)(
    'is withdrawn when somebody says something instead (%s)',
    (mode) => {
      const shell = verdict(underReview(ASK)).control('say', { text: 'With the year.', mode });
      expect(view(shell.state).pending).toEqual([]);
      expect(modelInput(shell)).toMatchObject({ purpose: 'step', step: 1 });
      expect(userWords(shell)).toEqual(['With the year.']);
      shell.control('approve', { callId: 's0.c0' });
      expect(outcomeOf(shell)).toBeUndefined();
    },
  );

  it('is withdrawn for what was said in a pause, though it was approved after that', () => {
    const shell = verdict(underReview(ASK)).control('pause').control('say', { text: 'With the year.' });
    shell.control('approve').control('resume');
    expect(purposeOf(shell)).toBe('step');
    expect(userWords(shell)).toEqual(['With the year.']);
  });
});

describe('a review that comes to no end', () => {
  const ends: [string, (shell: Shell) => Shell][] = [
    ['stop', (shell) => shell.control('stop')],
    ['cancel', (shell) => shell.deliver({ type: 'cancel_requested' })],
    ['the end of its time', (shell) => shell.advance(HOUR_MS)],
  ];

  it.each(ends)('is told of in the result (%s)', (_what, end) => {
    const shell = end(underReview({}, { limits: { maxDurationMs: HOUR_MS } }));
    modelCalledOff(shell);
    expect(reviewOf(shell)).toEqual({ rounds: 1, passed: false, gaps: null, problem: UNFINISHED });
    expect(view(shell.state).review).toMatchObject({ stage: null });
  });

  it('is told of when the run is terminated', () => {
    const shell = underReview().deliver({ type: 'ended_outside', how: 'terminated', message: 'Gone.' });
    expect(reviewOf(shell)).toMatchObject({ problem: UNFINISHED });
  });

  it('keeps what was found where a human was asked about it', () => {
    const shell = verdict(underReview(ASK)).control('stop');
    expect(reviewOf(shell)).toEqual({ rounds: 1, passed: false, gaps: GAPS, problem: UNFINISHED });
  });

  it('begins no more checks', () => {
    const check = { ...CHECK, parallel: 1 };
    const shell = underReview(
      { checks: [check, { ...check, id: 'check1' }] },
      { limits: { maxDurationMs: HOUR_MS } },
    );
    shell.advance(HOUR_MS);
    expect(underWay(shell)).toEqual(['s0.c0']);
    toolAnswers(shell, 's0.c0');
    expect(outcomeOf(shell)).toBe('limit');
    expect(eventsOf(shell.events, 'tool_started')).toHaveLength(1);
  });
});

describe('a reviewer that fails', () => {
  it('is named by its own model', () => {
    const shell = modelFails(underReview({ model: 'other/third' }), 'MODEL_BAD_REQUEST', false, FREE);
    expect(lastOf(shell, 'model_failed')).toMatchObject({ model: 'other/third' });
  });

  it('keeps nobody waiting who has something to say', () => {
    const shell = modelFails(underReview(), 'MODEL_RATE_LIMITED', true, { ...FREE, delayMs: 200_000 });
    shell.control('say', { text: 'With the year.' });
    expect(modelInput(shell)).toMatchObject({ purpose: 'step', attempt: 1 });
  });

  it('for want of money says what it lacked', () => {
    const shell = underReview({ budgetShare: 0.01 }, { limits: { maxCostUsd: 0.1 } });
    expect(reviewOf(shell)?.problem).toMatch(/share of the cost ceiling.*a review could take \d/);
  });
});

it('leaves a transcript that another run can go on from, in each of its stages', () => {
  const shell = underReview({ ...ASK, checks: [CHECK] });
  const stages = [shell.state, toolAnswers(shell, 's0.c0').state, verdict(shell).state];
  for (const state of stages) {
    const fork = { of: 'run-1', snapshot: JSON.parse(JSON.stringify(takeSnapshot(state))) };
    const next = startState({ goal: 'x', fork }, { runId: 'run-2', firstRunId: 'f', atMs: START_MS });
    expect(problemToSend(next.transcript)).toBeNull();
  }
});

describe('the value of an answer', () => {
  const input = { schema: { type: 'object' } };
  const fits = { text: '{"n":1}', json: [0, 7] as [number, number] };
  const outputOf = ({ state }: Shell) => state.result?.output;

  it('is that of the answer with which the run ends', () => {
    const shell = underReview({}, { input }).control('stop');
    expect(outputOf(modelCalledOff(shell))).toBeNull();
    const passed = verdict(answers(verdict(underReview({}, { input })), fits.text, fits), '[DONE]');
    expect(outputOf(passed)).toEqual({ n: 1 });
  });

  it('is none where the closing answer does not fit, though one before did', () => {
    const shell = answers(verdict(underReview({}, { input })), fits.text, fits);
    verdict(shell).control('stop');
    modelCalledOff(shell);
    modelAnswers(shell, { text: 'Stopped.', schemaProblem: 'it is no JSON' });
    expect(shell.state.result).toMatchObject({ outcome: 'stopped', answer: 'Stopped.', output: null });
  });

  it('of one turn is none of the next', () => {
    const shell = underReview({}, { input, prepared: { idleMs: HOUR_MS, review: undefined as never } });
    shell.control('say', { text: 'And now?' });
    answers(shell, fits.text, fits);
    shell.control('say', { text: 'And then?' });
    answers(shell, 'No.', { schemaProblem: 'it is no JSON' });
    answers(shell, 'No!', { schemaProblem: 'it is no JSON' });
    expect(shell.state.result).toMatchObject({ outcome: 'failed', error: { code: 'ANSWER_INVALID' } });
    expect(outputOf(shell)).toBeNull();
  });
});

it('starts with a schema that nobody can write down, which the worker refuses', () => {
  const schema = JSON.parse(`${'{"a":'.repeat(50_000)}{}${'}'.repeat(50_000)}`);
  const run = { runId: 'run-1', firstRunId: 'first-1', atMs: START_MS };
  expect(startState({ goal: 'x', schema }, run).transcript).toHaveLength(2);
});
