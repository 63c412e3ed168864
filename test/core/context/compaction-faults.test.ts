import { ATTEMPTS } from '../../../src/core/behaviour.js';
import type { DrawResult } from '../../../src/core/money/budget-draw.js';
import type { Outcome } from '../../../src/core/outcomes.js';
import type { Prepared } from '../../../src/core/run-input.js';
import {
  looks, looksUntilFull, noteOf, problemsOf, purposeOf, shortRun, sumsUp, windows,
} from '../support/long-run.js'; // prettier-ignore
import {
  eventsOf, FREE, lastOf, modelAnswers, modelCalledOff, modelFails, modelInput, modelSettles, results,
  running, toolAnswers,
} from '../support/run.js'; // prettier-ignore
import type { Shell } from '../support/shell.js';

const compactions = ({ events }: Shell) => eventsOf(events, 'compacted').map(({ by }) => by);
const refuses = (shell: Shell) => modelFails(shell, 'MODEL_CONTEXT_LENGTH', false, FREE);

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
