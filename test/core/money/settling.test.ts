import { view } from '../../../src/core/view.js';
import {
  callOf, costFound, costNotFound, eventsOf, inQuestion, limited, loses, losesThenTries, modelAnswers, refusal, running, toolAnswers,
} from '../support/run.js'; // prettier-ignore
import type { Shell } from '../support/shell.js';

/** A run that has its answer while a lost call of it, `gen-1`, is still in question. */
function settling(shell = running()): Shell {
  return modelAnswers(losesThenTries(shell, 'gen-1'), { text: 'Done.' });
}

/** Lets time pass, and the server know nothing, until the run waits for nothing more. */
function untilNothing(shell: Shell, atMost = 60): number {
  for (let question = 0; question < atMost; question++) {
    if (inQuestion(shell).length > 0) costNotFound(shell);
    else if (shell.timerAtMs !== null && !shell.closed) shell.awaitTimer();
    else return question;
  }
  return atMost;
}

describe('a run that has its answer while costs are in question', () => {
  it('is landing until they are known, takes nothing in, and closes with what they are', () => {
    const shell = settling();
    expect([shell.state.phase, view(shell.state).status, view(shell.state).settling]).toEqual([
      'settling',
      'landing',
      true,
    ]);
    expect([refusal(shell.control('say', { text: 'Wait!' })), view(shell.state).result]).toEqual([
      'RUN_CLOSED',
      null,
    ]);
    costFound(shell, 'gen-1', 300);
    expect(shell.state.result).toMatchObject({
      outcome: 'done',
      answer: 'Done.',
      spend: { costNanoUsd: 1_300, estimatedNanoUsd: 0 },
    });
    expect(shell.closed).toBe(true);
  });

  it('closes after a minute with what it knows', () => {
    const shell = settling();
    const fromMs = shell.nowMs;
    untilNothing(shell);
    expect([shell.closed, shell.nowMs - fromMs]).toEqual([true, 60_000]);
    expect(shell.state.result?.spend.estimatedNanoUsd).toBeGreaterThan(0);
  });

  it('closes after ten seconds when it was cancelled', () => {
    const shell = loses(running(), 'gen-1').deliver({ type: 'cancel_requested' });
    const fromMs = shell.nowMs;
    untilNothing(shell);
    expect([shell.closed, shell.nowMs - fromMs]).toEqual([true, 10_000]);
    expect(shell.state.result?.outcome).toBe('cancelled');
  });

  it('closes at once when it is cancelled then, and stays what it was', () => {
    const shell = settling().deliver({ type: 'cancel_requested' });
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'Done.' });
    expect(shell.closed).toBe(true);
  });

  it('keeps its answer when the server ends it then', () => {
    const shell = settling().deliver({ type: 'ended_outside', how: 'terminated', message: 'Gone.' });
    expect(shell.state.result).toMatchObject({ outcome: 'cancelled', answer: 'Done.' });
  });

  it('does not wait where nobody can be asked', () => {
    expect(modelAnswers(loses(running()).awaitTimer(), { text: 'Done.' }).closed).toBe(true);
    expect(modelAnswers(running(), { text: 'Done.', costNanoUsd: null }).closed).toBe(true);
  });

  it('asks what its own answer cost when the server did not say', () => {
    const shell = modelAnswers(running(), { text: 'Done.', costNanoUsd: null, generationId: 'gen-9' });
    expect(shell.closed).toBe(false);
    costFound(shell.advance(1_000), 'gen-9', 450);
    expect(shell.state.result?.spend).toMatchObject({ costNanoUsd: 450, lostNanoUsd: 0, promptTokens: 10 });
  });

  it('names all ceilings that were reached, that which ended it first', () => {
    const shell = limited({ maxSteps: 1, maxTokens: 20_000, maxDurationMs: 60_000 });
    modelAnswers(shell, { calls: [callOf()], promptTokens: 19_999 });
    shell.nowMs += 60_000;
    toolAnswers(shell, 's0.c0');
    expect(shell.state.result).toMatchObject({
      limit: 'steps',
      limitsReached: ['steps', 'tokens', 'duration'],
    });
  });
});

describe('what was held for a call that the server ended the run of', () => {
  it('stays charged, for nobody knows', () => {
    const shell = running().deliver({ type: 'ended_outside', how: 'failed', message: 'Gone.' });
    expect(shell.state.result?.spend).toMatchObject({ reservedNanoUsd: 0, lostModelCalls: 1 });
    expect(shell.state.result?.spend.estimatedNanoUsd).toBeGreaterThan(40_000_000);
  });
});

describe('the phases of a run', () => {
  it('have no events between the answer and the end but those of costs', () => {
    const shell = settling();
    const count = shell.events.length;
    costFound(shell, 'gen-1', 300);
    expect(shell.events.slice(count).map(({ type }) => type)).toEqual(['cost_reconciled', 'run_completed']);
    expect(eventsOf(shell.events, 'run_completed').length).toBe(1);
  });
});
