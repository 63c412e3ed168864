import { COMPACTION } from '../../../src/core/behaviour.js';
import { charsOf } from '../../../src/core/context/compact-items.js';
import { looks, noteOf, problemsOf, purposeOf, shortRun, sumsUp, windows } from '../support/long-run.js';
import {
  eventsOf, FREE, isClosing, lastOf, modelAnswers, modelCalledOff, modelFails, modelInput, results, running, toolAnswers, userWords,
} from '../support/run.js'; // prettier-ignore
import type { Shell } from '../support/shell.js';

const compactions = ({ events }: Shell) => eventsOf(events, 'compacted').map(({ by }) => by);
const refuses = (shell: Shell) => modelFails(shell, 'MODEL_CONTEXT_LENGTH', false, FREE);

/** A run of five steps of so many characters whose models take nobody knows how much. */
function looked(models: string[] = [], chars = 2_000, input: object = {}): Shell {
  const shell = running(
    { models, modelFacts: windows(null, null), toolsSizeBytes: 0 },
    { goal: 'Tidy up.', ...input },
  );
  for (let step = 0; step < 5; step += 1) looks(shell, chars);
  return shell;
}

describe('a server that refuses a conversation for its length', () => {
  it('is asked for a summary, then again', () => {
    const shell = refuses(looked());
    expect(lastOf(shell, 'model_failed')).toMatchObject({
      code: 'MODEL_CONTEXT_LENGTH',
      retryAt: expect.any(String),
    });
    expect(modelInput(shell)).toMatchObject({ purpose: 'compaction', attempt: 1 });
    const before = charsOf(shell.state.transcript);
    sumsUp(shell);
    expect(modelInput(shell)).toMatchObject({ purpose: 'step', attempt: 1, step: 5 });
    expect(charsOf(shell.state.transcript)).toBeLessThan(before / 2);
  });

  it('for a second time in the same step is left for the next model, and that for the end', () => {
    const shell = looked(['maker/second']);
    sumsUp(refuses(shell));
    refuses(shell);
    expect(modelInput(shell)).toMatchObject({ purpose: 'step', model: 'maker/second' });
    expect(lastOf(shell, 'fallback_used')).toMatchObject({
      code: 'MODEL_CONTEXT_LENGTH',
      to: 'maker/second',
    });
    refuses(shell);
    expect(shell.state.result).toMatchObject({ outcome: 'failed', error: { code: 'MODEL_CONTEXT_LENGTH' } });
    expect(compactions(shell)).toEqual(['summary']);
  });

  it('in a later step is asked for a summary again', () => {
    const shell = looked();
    sumsUp(refuses(shell));
    looks(shell, 4_000);
    refuses(shell);
    expect(purposeOf(shell)).toBe('compaction');
  });

  it('also without most of it gets it without what tools returned', () => {
    const shell = refuses(refuses(looked()));
    expect([compactions(shell), purposeOf(shell)]).toEqual([['cut'], 'step']);
    expect(results(shell)[0]).toContain('characters left out');
  });

  it('is left at once where nothing could be left out', () => {
    const shell = running({ models: ['maker/second'], modelFacts: windows(null, null) });
    refuses(shell);
    expect(modelInput(shell)).toMatchObject({ model: 'maker/second', purpose: 'step' });
    refuses(shell);
    expect(shell.state.result).toMatchObject({ outcome: 'failed', error: { code: 'MODEL_CONTEXT_LENGTH' } });
    expect(compactions(shell)).toEqual([]);
  });

  it('gets less of it than it refused, though its list says that it takes more', () => {
    const shell = running({ modelFacts: windows(1_000_000), toolsSizeBytes: 0 });
    for (let step = 0; step < 5; step += 1) looks(shell, 2_000);
    const before = charsOf(shell.state.transcript);
    refuses(refuses(shell));
    expect(charsOf(shell.state.transcript)).toBeLessThan(before * 0.7);
  });

  it('also for a step that calls one long thing gets it without that step', () => {
    const shell = looked([], 100);
    const args = JSON.stringify({ text: 'z'.repeat(90_000) });
    modelAnswers(shell, { calls: [{ id: 'big', name: 'write', args, effect: 'read' }] });
    toolAnswers(shell, 's5.c0', 'Written.');
    refuses(refuses(shell));
    expect(charsOf(shell.state.transcript)).toBeLessThan(46_000);
    expect(noteOf(shell)).toMatch(/- write \{"text":"zzz[^]*-> Written\.$/);
    expect(purposeOf(shell)).toBe('step');
    expect(problemsOf(shell)).toEqual([]);
  });

  it('ends runs that began before that was done', () => {
    const shell = running({ behaviour: 3, modelFacts: windows(null) });
    for (let step = 0; step < 5; step += 1) looks(shell, 2_000);
    refuses(shell);
    expect(shell.state.result).toMatchObject({ outcome: 'failed', error: { code: 'MODEL_CONTEXT_LENGTH' } });
  });
});

describe('a run that lands with a conversation that is too long', () => {
  it('leaves out what tools returned, so that it can say what it has', () => {
    const shell = shortRun(6_000);
    for (let step = 0; step < 4; step += 1) looks(shell, 1_000);
    modelAnswers(shell, {
      calls: [{ id: 'last', name: 'look', args: '{}', effect: 'read' }],
      promptTokens: 1_800,
    });
    shell.control('stop');
    toolAnswers(shell, 's4.c0', 'x'.repeat(2_000));
    expect(isClosing(shell)).toBe(true);
    expect(compactions(shell)).toEqual(['cut']);
    expect(userWords(shell).at(-1)).toMatch(/No more tools can be called/);
    modelAnswers(shell, { text: 'Half done.' });
    expect(shell.state.result).toMatchObject({ outcome: 'stopped', answer: 'Half done.' });
    expect(problemsOf(shell)).toEqual([]);
  });

  it('asks for its closing answer once more when the server refuses it for its length', () => {
    const shell = looked();
    shell.control('stop');
    modelCalledOff(shell);
    refuses(shell);
    expect([compactions(shell), isClosing(shell)]).toEqual([['cut'], true]);
    refuses(shell);
    expect(shell.state.result).toMatchObject({ outcome: 'stopped', error: null });
    expect(shell.state.result?.answer).toMatch(/without a closing answer/);
  });
});

describe('a run that has to be shortened before each step', () => {
  it('lands when that has led nowhere', () => {
    const shell = shortRun(3_000);
    for (let round = 0; round < 60 && !isClosing(shell); round += 1)
      if (purposeOf(shell) === 'compaction') sumsUp(shell, 'z'.repeat(500));
      else looks(shell, 6_000);
    expect(shell.state.landing).toMatchObject({
      outcome: 'limit',
      limit: 'loop',
      reason: expect.stringContaining('shortened'),
    });
    expect(compactions(shell).length).toBeLessThanOrEqual(COMPACTION.inARow + 1);
    modelAnswers(shell, { text: 'I give up.' });
    expect(shell.state.result).toMatchObject({ outcome: 'limit', limit: 'loop', answer: 'I give up.' });
    expect(problemsOf(shell)).toEqual([]);
  });

  it('lands also where the server refuses what was shortened before', () => {
    const shell = shortRun(12_000);
    for (let round = 0; round < 99 && !shell.state.landing; round += 1) {
      const { compaction, step } = shell.state;
      if (purposeOf(shell) === 'compaction') sumsUp(shell, 'z'.repeat(2_500));
      else if (compaction.steps.at(-1) === step && compaction.refusedStep !== step) refuses(shell);
      else looks(shell, 20_000);
    }
    expect(shell.state.landing).toMatchObject({ limit: 'loop' });
    expect(shell.state.step).toBeLessThanOrEqual(COMPACTION.inARow + 2);
    expect(eventsOf(shell.events, 'model_failed').length).toBeGreaterThan(3);
  });

  it('goes on when it need not be for a step', () => {
    const shell = shortRun(6_000);
    for (let round = 0; round < 80; round += 1)
      if (purposeOf(shell) === 'compaction') sumsUp(shell, 'Dust.');
      else looks(shell, round % 3 === 0 ? 3_000 : 10);
    expect(shell.state.landing).toBeNull();
    expect(compactions(shell).length).toBeGreaterThan(10);
  });
});
