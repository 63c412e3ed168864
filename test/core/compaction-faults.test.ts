import { ATTEMPTS, COMPACTION } from '../../src/core/behaviour.js';
import { charsOf } from '../../src/core/compact-items.js';
import type { DrawResult } from '../../src/core/budget-draw.js';
import type { Outcome } from '../../src/core/outcomes.js';
import type { Prepared } from '../../src/core/run-input.js';
import {
  looks, looksUntilFull, noteOf, problemsOf, purposeOf, shortRun, sumsUp, windows,
} from './support/long-run.js'; // prettier-ignore
import {
  eventsOf, FREE, isClosing, lastOf, modelAnswers, modelCalledOff, modelFails, modelInput, modelSettles, results,
  running, toolAnswers, userWords,
} from './support/run.js'; // prettier-ignore
import type { Shell } from './support/shell.js';

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

/** A run whose fourth call is under way; what it brings makes the conversation too long. Draws are granted so far. */
function almostFull(prepared: Partial<Prepared> = {}): Shell {
  const input = { maxOutputTokens: 300 };
  const shell = shortRun(6_000, { prepared: { modelFacts: windows(null), ...prepared }, input });
  for (let step = 0; step < 4; step += 1) {
    const draw = drawOf(shell);
    if (draw) drawn(shell, { kind: 'ok', value: { grantedNanoUsd: draw.input.totalNanoUsd } });
    if (step < 3) looks(shell, 1_000);
  }
  const calls = [{ id: 'last', name: 'look', args: '{}', effect: 'read' as const }];
  // All that was held is spent, so that more has to be drawn.
  const held = shell.state.ledger.charges[0]?.nanoUsd ?? 0;
  return modelAnswers(shell, { calls, promptTokens: 1_100, costNanoUsd: prepared.budget ? held : 1_000 });
}

function drawOf({ started }: Shell) {
  return [...started.values()].flatMap((work) => (work.kind === 'draw' ? [work] : []))[0];
}

function drawn(shell: Shell, outcome: Outcome<DrawResult>): Shell {
  return shell.deliver(shell.settlementOf(drawOf(shell)?.key ?? '', 'draw', outcome));
}

describe('without a summary', () => {
  const expectCut = (shell: Shell) => {
    expect(compactions(shell)).toEqual(['cut']);
    expect(modelInput(shell)).toMatchObject({ purpose: 'step', attempt: 1 });
    expect(problemsOf(shell)).toEqual([]);
  };

  it.each(['', ' \n\t'])('which is %j, what tools returned is left out, the oldest first', (text) => {
    const shell = looksUntilFull(shortRun(6_000));
    const before = results(shell);
    sumsUp(shell, text);
    expectCut(shell);
    expect(results(shell)).toHaveLength(before.length);
    expect(results(shell)[0]).toContain('characters left out');
    expect(results(shell).at(-1)).toBe(before.at(-1));
  });

  it('because the model will not write one, it goes on at once', () => {
    const shell = looksUntilFull(shortRun(6_000));
    modelFails(shell, 'MODEL_BAD_REQUEST', false, FREE);
    expectCut(shell);
    expect(lastOf(shell, 'model_failed')).toMatchObject({ code: 'MODEL_BAD_REQUEST', retryAt: null });
  });

  it('because the model is away, it goes on after few attempts', () => {
    const shell = looksUntilFull(shortRun(6_000, { prepared: { models: ['maker/second'] } }));
    for (let attempt = 1; attempt < ATTEMPTS.compaction; attempt += 1) {
      modelFails(shell, 'MODEL_UNAVAILABLE', true, FREE).awaitTimer();
      expect(modelInput(shell)).toMatchObject({ purpose: 'compaction', attempt: attempt + 1 });
    }
    modelFails(shell, 'MODEL_UNAVAILABLE', true, FREE);
    expectCut(shell);
    expect(eventsOf(shell.events, 'fallback_used')).toEqual([]);
  });

  it('because its worker is lost again and again, it goes on', () => {
    const shell = looksUntilFull(shortRun(6_000));
    for (let loss = 0; loss <= ATTEMPTS.losses; loss += 1) {
      expect(purposeOf(shell)).toBe('compaction');
      modelSettles(shell, { kind: 'timed_out', details: FREE });
    }
    expectCut(shell);
  });

  it('because the account is empty, it goes on, and waits for credit before the step', () => {
    const shell = looksUntilFull(shortRun(6_000));
    modelFails(shell, 'MODEL_PAYMENT', false, FREE);
    expectCut(shell);
    modelFails(shell, 'MODEL_PAYMENT', false, FREE);
    expect(shell.state.pause).toEqual({ reason: 'payment' });
  });

  it('with credit for a short one, a short one is asked for', () => {
    const shell = looksUntilFull(shortRun(6_000));
    modelFails(shell, 'MODEL_PAYMENT', false, { ...FREE, affordableTokens: 300 });
    expect(modelInput(shell)).toMatchObject({ purpose: 'compaction', maxOutputTokens: 300 });
    expect(modelInput(sumsUp(shell)).maxOutputTokens).toBeGreaterThan(300);
  });

  it('because no money is left for one, it goes on with a shorter conversation, which costs less', () => {
    const ends = Array.from({ length: 60 }, (_, n) => {
      const shell = almostFull();
      shell.control('setLimits', { maxCostUsd: 0.0005 * n + 0.005 });
      toolAnswers(shell, 's3.c0', 'x'.repeat(6_000));
      return { shell, by: compactions(shell)[0] ?? purposeOf(shell) };
    });
    expect(new Set(ends.map(({ by }) => by))).toEqual(new Set(['cut', 'compaction']));
    for (const { shell, by } of ends) if (by === 'cut' && !shell.state.landing) expectCut(shell);
    expect(ends.some(({ shell, by }) => by === 'cut' && purposeOf(shell) === 'step')).toBe(true);
  });

  it('and with little that tools returned, whole steps are left out, and their calls are told', () => {
    const shell = running({ modelFacts: windows(null), toolsSizeBytes: 0 });
    for (let step = 0; step < 6; step += 1) {
      const args = JSON.stringify({ file: `f${step}`, text: 'z'.repeat(1_500) });
      modelAnswers(shell, { calls: [{ id: `w${step}`, name: 'write', args, effect: 'read' }] });
      toolAnswers(shell, `s${step}.c0`, `Written ${step}.`);
    }
    refuses(refuses(shell));
    expectCut(shell);
    expect(noteOf(shell)).toMatch(
      /Do not do again what they did[^]*- write \{"file":"f0"[^]* -> Written 0\./,
    );
    expect(results(shell)).toEqual(['Written 5.']);
  });

  it('the summary before it is not lost, however often that happens', () => {
    const shell = shortRun(9_000);
    sumsUp(looksUntilFull(shell), 'The key is under the mat.');
    for (let time = 0; time < 5; time += 1) {
      for (let step = 0; purposeOf(shell) === 'step' && step < 40; step += 1)
        looks(shell, 20, 'w'.repeat(700));
      refuses(shell);
      expect(noteOf(shell)).toMatch(/Summary of what came before:\nThe key is under the mat\.\n/);
    }
    expect(noteOf(shell).length).toBeLessThan(5_000);
    expect(compactions(shell)).toEqual(['summary', 'cut', 'cut', 'cut', 'cut', 'cut']);
  });

  it('the summary that was cut off by its length is taken as it is', () => {
    const shell = looksUntilFull(shortRun(6_000));
    modelAnswers(shell, { text: 'Drawers 0 to', finish: 'length' });
    expect([compactions(shell), purposeOf(shell)]).toEqual([['summary'], 'step']);
    expect(noteOf(shell)).toMatch(/Drawers 0 to$/);
  });

  it('that was called off by nobody, it is asked for once more', () => {
    const shell = modelCalledOff(looksUntilFull(shortRun(6_000)));
    expect(modelInput(shell)).toMatchObject({ purpose: 'compaction', attempt: 1 });
    expect([compactions(sumsUp(shell)), purposeOf(shell)]).toEqual([['summary'], 'step']);
  });
});

describe('a summary from a shared budget', () => {
  /** A run that has to draw more before its conversation can be summed up. */
  const drawing = (share: number) => {
    const shell = almostFull({ budget: 'team' });
    shell.control('setLimits', { maxCostUsd: 1 });
    toolAnswers(shell, 's3.c0', 'x'.repeat(6_000));
    const { grantedNanoUsd = 0 } = shell.state.draw ?? {};
    const more = (drawOf(shell)?.input.totalNanoUsd ?? NaN) - grantedNanoUsd;
    return drawn(shell, { kind: 'ok', value: { grantedNanoUsd: grantedNanoUsd + Math.floor(more * share) } });
  };

  it('is asked for once the budget has granted what it may cost', () => {
    const shell = drawing(1);
    expect([compactions(shell), purposeOf(shell)]).toEqual([[], 'compaction']);
    expect(compactions(sumsUp(shell))).toEqual(['summary']);
  });

  it('is left alone where the budget grants no more, and the run lands or goes on as it can', () => {
    const ends = Array.from({ length: 40 }, (_, n) => drawing(n / 40));
    for (const shell of ends) {
      while (drawOf(shell))
        drawn(shell, { kind: 'ok', value: { grantedNanoUsd: shell.state.draw?.grantedNanoUsd ?? 0 } });
      expect(problemsOf(shell)).toEqual([]);
      expect(shell.started.size + Number(shell.state.result !== null)).toBeGreaterThan(0);
    }
    expect(compactions(ends[0] ?? drawing(0))).toEqual(['cut']);
  });

  it('is not missed where the budget cannot be asked', () => {
    const shell = almostFull({ budget: 'team' });
    toolAnswers(shell, 's3.c0', 'x'.repeat(6_000));
    drawn(shell, { kind: 'failed', code: 'BUDGET_UNKNOWN', message: 'No.', retryable: false, details: {} });
    expect(shell.state.landing).toMatchObject({ outcome: 'failed', error: { code: 'BUDGET_UNKNOWN' } });
    expect(compactions(shell)).toEqual(['cut']);
  });
});

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
