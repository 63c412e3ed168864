import { EMPTY_LEDGER, lose, reserve } from '../../../src/core/money/ledger.js';
import { isLimit, limitReached, limitsOf, limitsReached, limitUses } from '../../../src/core/money/limits.js';
import { NO_LIMITS, type Limits } from '../../../src/core/run-input.js';
import { startState } from '../../../src/core/start.js';
import { view } from '../../../src/core/view.js';
import {
  callOf, eventsOf, gatedCall, isClosing, lastMessage, lastOf, limited, modelAnswers, modelCalls, modelFails, modelKey, running, toolAnswers, underWay,
} from '../support/run.js'; // prettier-ignore
import { START_MS, type Shell } from '../support/shell.js';

const HOUR_MS = 3_600_000;

/** A step with one call that is answered. */
function wholeStep(shell: Shell): Shell {
  const { step } = shell.state;
  return toolAnswers(modelCalls(shell, callOf()), `s${step}.c0`);
}

/** The server told nothing about the cost, and there is nothing by which to ask it. */
const UNTOLD = { costNanoUsd: null };

const landedBy = (shell: Shell) => lastOf(shell, 'landing_started')?.limit;

describe('a ceiling of steps', () => {
  it('allows exactly as many, lets the calls of the last one run, then lands', () => {
    const shell = wholeStep(limited({ maxSteps: 2 }));
    modelCalls(shell, callOf());
    expect([landedBy(shell), underWay(shell)]).toEqual(['steps', ['s1.c0']]);
    toolAnswers(shell, 's1.c0');
    modelAnswers(shell, { text: 'Half of it.' });
    expect(shell.state.result).toMatchObject({
      outcome: 'limit',
      limit: 'steps',
      steps: 2,
      answer: 'Half of it.',
    });
    expect(eventsOf(shell.events, 'step_started').map(({ purpose }) => purpose)).toEqual([
      'step',
      'step',
      'landing',
    ]);
  });

  it('is not met by a last allowed step that answers', () => {
    expect(modelAnswers(limited({ maxSteps: 1 }), { text: 'Done.' }).state.result).toMatchObject({
      outcome: 'done',
      limit: null,
    });
  });

  it('is met by a last allowed step that answers when a message waits', () => {
    const shell = limited({ maxSteps: 1 }).control('say', { text: 'And the attic?', mode: 'queue' });
    modelAnswers(shell, { text: 'Done.' });
    expect([landedBy(shell), isClosing(shell)]).toEqual(['steps', true]);
  });

  it('does not let a gated call of the last step be approved', () => {
    const shell = modelCalls(limited({ maxSteps: 1 }), gatedCall());
    expect(view(shell.state).pending).toEqual([]);
    expect(lastOf(shell, 'tool_completed')?.status).toBe('refused_at_limit');
  });
});

describe('a ceiling of cost', () => {
  const spending = (costNanoUsd: number) =>
    modelAnswers(limited({ maxCostUsd: 0.1 }), { calls: [callOf()], costNanoUsd });

  it('is met as soon as the worst case of another step and of the closing answer passes what is left', () => {
    expect(landedBy(spending(60_000_000))).toBeUndefined();
    expect(landedBy(spending(95_000_000))).toBe('cost');
  });

  it('counts what is estimated', () => {
    const shell = modelAnswers(limited({ maxCostUsd: 0.1 }), {
      calls: [callOf()],
      costNanoUsd: 95_000_000,
      estimated: true,
    });
    expect(landedBy(shell)).toBe('cost');
  });

  it('takes a call whose cost nobody will ever know at its worst', () => {
    const { ledger } = modelAnswers(limited({ maxCostUsd: 1 }), { calls: [callOf()], ...UNTOLD }).state;
    expect(ledger.estimatedNanoUsd).toBeGreaterThan(5 * 8_192_000);
    expect(ledger).toMatchObject({ confirmedNanoUsd: 0, unknownCostCalls: 0 });
  });

  it('is met by a call of which neither cost nor price was known, however high it is', () => {
    const shell = running({ modelFacts: {} });
    modelAnswers(shell, { calls: [callOf()], ...UNTOLD });
    expect(view(shell.state).spend.unknownCostCalls).toBe(1);
    expect(landedBy(shell)).toBeUndefined();
    expect(landedBy(shell.control('setLimits', { maxCostUsd: 1_000 }))).toBe('cost');
  });

  it('is the only one that an unknown cost meets', () => {
    const shell = running({ modelFacts: {}, limits: { ...NO_LIMITS, maxSteps: 9 } });
    expect(landedBy(modelAnswers(shell, { calls: [callOf()], ...UNTOLD }))).toBeUndefined();
  });
});

describe('a ceiling of tokens', () => {
  it('is met when no room is left for another step and the closing answer', () => {
    const answers = (completionTokens: number) =>
      modelAnswers(limited({ maxTokens: 3_000 }), { calls: [callOf()], promptTokens: 400, completionTokens });
    expect(landedBy(answers(500))).toBeUndefined();
    expect(landedBy(answers(700))).toBe('tokens');
  });
});

describe('a step that a ceiling has cut short', () => {
  it.each([
    ['cost', { maxCostUsd: 0.05 }],
    ['tokens', { maxTokens: 5_000 }],
  ] as const)(
    'is not taken as the answer: the run goes on with it as long as that can be paid (%s)',
    (_limit, limits) => {
      const shell = modelAnswers(limited(limits), { text: 'And so the', finish: 'length' });
      expect([landedBy(shell), underWay(shell)]).toEqual([undefined, ['s1.m0']]);
      expect(shell.state.transcript.slice(-2)).toMatchObject([
        { role: 'assistant', content: 'And so the' },
        { role: 'user', content: expect.stringContaining('cut off') },
      ]);
      expect(lastMessage(shell)).toContain('as a whole');
      modelAnswers(shell, { text: 'And so the end.' });
      expect(shell.state.result).toMatchObject({
        outcome: 'done',
        limit: null,
        answer: 'And so the end.',
        steps: 2,
      });
    },
  );

  it('lands the run when nothing is left to go on with', () => {
    const spent = { text: 'And so the', finish: 'length', costNanoUsd: 45_000_000 };
    const shell = modelAnswers(limited({ maxCostUsd: 0.05 }), spent);
    expect(landedBy(shell)).toBe('cost');
    if (isClosing(shell)) modelAnswers(shell, { text: 'As far as I got.' });
    expect(shell.state.result).toMatchObject({ outcome: 'limit', limit: 'cost', steps: 1 });
  });

  it('is the answer when it came to its end by itself', () => {
    const shell = modelAnswers(limited({ maxCostUsd: 0.05 }), { text: 'All is tidy.' });
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'All is tidy.' });
  });

  it('is asked for once more when no ceiling but its own length has cut it short', () => {
    const cut = { text: 'And so the', finish: 'length' };
    const shell = modelAnswers(limited({ maxCostUsd: 5 }), cut);
    expect([shell.state.result, lastMessage(shell)]).toEqual([null, expect.stringContaining('as a whole')]);
    modelAnswers(shell, { text: 'And so the end.' });
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'And so the end.', steps: 2 });
  });

  it('lands the run when it was the last one', () => {
    const shell = modelAnswers(limited({ maxSteps: 1 }), { text: 'And so the', finish: 'length' });
    expect(landedBy(shell)).toBe('steps');
  });

  it('is the closing answer, for there is no other', () => {
    const shell = modelAnswers(limited({ maxCostUsd: 0.05 }).control('stop'), {
      text: 'And so the',
      finish: 'length',
    });
    expect(shell.state.result).toMatchObject({ outcome: 'stopped', answer: 'And so the' });
  });
});

describe('a ceiling of time', () => {
  it('calls off the step under way and lands', () => {
    const shell = limited({ maxDurationMs: HOUR_MS }).awaitTimer();
    expect(shell.nowMs).toBe(START_MS + HOUR_MS);
    expect([landedBy(shell), [...shell.cancelled]]).toEqual(['duration', ['s0.m0']]);
  });

  it('lands a run that waits for a human', () => {
    const shell = modelCalls(limited({ maxDurationMs: HOUR_MS }), gatedCall()).awaitTimer();
    expect([landedBy(shell), view(shell.state).pending]).toEqual(['duration', []]);
  });

  it('comes before what is heard at the same time', () => {
    const shell = modelCalls(limited({ maxDurationMs: HOUR_MS }), gatedCall());
    shell.nowMs += HOUR_MS;
    shell.control('approve');
    expect(eventsOf(shell.events, 'tool_started')).toEqual([]);
  });

  it('holds though another ceiling was lowered in between', () => {
    const shell = modelCalls(limited({ maxDurationMs: HOUR_MS }), gatedCall());
    shell.control('setLimits', { maxTokens: 500 }).awaitTimer();
    expect([landedBy(shell), shell.timerAtMs]).toEqual(['duration', null]);
  });
});

describe('ceilings that a human sets', () => {
  it('change those that are named, and the event tells all of them', () => {
    const shell = limited({ maxSteps: 5, maxTokens: 900 }).control('setLimits', {
      maxSteps: 7,
      maxTokens: null,
      by: 'ada',
    });
    expect(lastOf(shell, 'limits_changed')).toMatchObject({
      limits: { ...NO_LIMITS, maxSteps: 7 },
      by: 'ada',
    });
    expect(view(shell.state).limits).toEqual({ ...NO_LIMITS, maxSteps: 7 });
  });

  it('let a run go on that would have landed', () => {
    const shell = limited({ maxSteps: 1 }).control('setLimits', { maxSteps: 2 });
    expect(modelKey(wholeStep(shell))).toBe('s1.m0');
  });

  it.each<Partial<Limits>>([
    { maxCostUsd: 0.000_001 },
    { maxSteps: 1 },
    { maxTokens: 15 },
    { maxDurationMs: 60_000 },
  ])('land a run at once, and call its step off, when they are below what is used: %j', (limits) => {
    const shell = wholeStep(limited({}));
    shell.nowMs += 60_000;
    shell.control('setLimits', limits);
    expect(shell.events.slice(-2).map(({ type }) => type)).toEqual(['limits_changed', 'landing_started']);
    expect([...shell.cancelled]).toEqual(['s1.m0']);
    expect(lastOf(shell, 'landing_started')).toMatchObject({ outcome: 'limit' });
  });

  it('land a run at once when they are below what is held for the call under way', () => {
    expect(landedBy(limited({}).control('setLimits', { maxCostUsd: 0.01 }))).toBe('cost');
    expect(landedBy(limited({}).control('setLimits', { maxCostUsd: 0.1 }))).toBeUndefined();
  });

  it('land a run at once when they are below what is certain, though a lost call may turn out cheaper', () => {
    const shell = modelAnswers(limited({}), { calls: [callOf()], costNanoUsd: 50_000_000 });
    toolAnswers(shell, 's0.c0');
    modelFails(shell, 'MODEL_STALLED', true, { sent: true, generationId: 'gen-1' }).advance(2_000);
    expect(landedBy(shell.control('setLimits', { maxCostUsd: 0.1 }))).toBeUndefined();
    expect(landedBy(shell.control('setLimits', { maxCostUsd: 0.01 }))).toBe('cost');
    expect([...shell.cancelled]).toEqual(['s1.m1']);
  });

  it('land no run twice, and none that is being cancelled', () => {
    const shell = wholeStep(limited({})).control('stop').control('setLimits', { maxSteps: 1 });
    expect(eventsOf(shell.events, 'landing_started').length).toBe(1);
    const off = wholeStep(limited({})).deliver({ type: 'cancel_requested' });
    expect(landedBy(off.control('setLimits', { maxSteps: 1 }))).toBeUndefined();
  });

  it('end a pause when they land the run', () => {
    const shell = wholeStep(limited({})).control('pause').control('setLimits', { maxSteps: 1 });
    expect([landedBy(shell), view(shell.state).status]).toEqual(['steps', 'landing']);
  });

  it('move the deadline, counted from the start', () => {
    const shell = limited({ maxDurationMs: HOUR_MS });
    shell.nowMs += 60_000;
    expect(shell.control('setLimits', { maxDurationMs: 2 * HOUR_MS }).timerAtMs).toBe(START_MS + 2 * HOUR_MS);
    expect(shell.control('setLimits', { maxDurationMs: null }).timerAtMs).toBeNull();
    expect(landedBy(shell.control('setLimits', { maxDurationMs: 1 }))).toBe('duration');
  });

  it('come too late for a run that has landed', () => {
    const shell = modelCalls(limited({ maxSteps: 1 }), callOf()).control('setLimits', { maxSteps: 9 });
    modelAnswers(toolAnswers(shell, 's0.c0'), { text: 'Bye.' });
    expect(shell.state.result).toMatchObject({ outcome: 'limit', limit: 'steps' });
  });
});

describe('limitReached', () => {
  it('names cost before steps, steps before tokens, tokens before duration', () => {
    const state = modelCalls(running(), callOf()).state;
    const limits = { maxCostUsd: 1e-9, maxSteps: 1, maxTokens: 1, maxDurationMs: 1 };
    const named = (given: Partial<Limits>) => {
      const prepared = state.prepared && { ...state.prepared, limits: { ...NO_LIMITS, ...given } };
      return limitReached({ ...state, prepared }, START_MS + 1);
    };
    expect(named(limits)).toBe('cost');
    expect(named({ ...limits, maxCostUsd: null })).toBe('steps');
    expect(named({ maxTokens: 1, maxDurationMs: 1 })).toBe('tokens');
    expect(named({ maxDurationMs: 1 })).toBe('duration');
    expect(named({})).toBeNull();
  });
});

describe('limitsOf', () => {
  it('reads what can be a ceiling from any input, as long as no worker has', () => {
    const limits = { maxCostUsd: 2, maxSteps: '7', maxTokens: -1, maxDurationMs: 1.5, other: 1 };
    const state = startState({ goal: 'x', limits }, { runId: 'r', firstRunId: 'f', atMs: 0 });
    expect(limitsOf(state)).toEqual({ ...NO_LIMITS, maxCostUsd: 2 });
    expect(limitsOf({ ...state, input: JSON.parse('{"goal":"x","limits":7}') })).toEqual(NO_LIMITS);
  });
});

describe('isLimit', () => {
  it.each([
    ['maxCostUsd', 1e-9, true],
    ['maxCostUsd', 1e6, true],
    ['maxCostUsd', 1_000_000.01, false],
    ['maxCostUsd', 0, false],
    ['maxCostUsd', '5', false],
    ['maxCostUsd', true, false],
    ['maxSteps', 1, true],
    ['maxSteps', 1e15, true],
    ['maxSteps', 1e15 + 1, false],
    ['maxTokens', 0.5, false],
    ['maxDurationMs', Number.POSITIVE_INFINITY, false],
    ['maxDurationMs', '5', false],
    ['maxTokens', null, false],
  ] as const)('of %s and %p is %p', (key, value, expected) => {
    expect(isLimit(key, value)).toBe(expected);
  });
});

describe('a ceiling on cost that a lost call reaches', () => {
  const held = reserve(EMPTY_LEDGER, { id: 'x', purpose: 'step', model: 'm', nanoUsd: 1_000 });
  const reached = (generationId?: string) => {
    const { state } = limited({ maxCostUsd: 1e-6, maxSteps: 1 });
    const ledger = lose(held, {
      id: 'x',
      mayHaveCost: true,
      askAtMs: 0,
      ...(generationId && { generationId }),
    });
    return limitsReached({ ...state, ledger, stepsCompleted: 1 }, START_MS);
  };

  it('is not reached as long as the server may say that it cost less; others are', () => {
    expect([reached('gen-1'), reached()]).toEqual([['steps'], ['cost', 'steps']]);
  });

  it('is none where no ceiling is set', () => {
    expect(limitUses(running().state, START_MS)).toEqual([]);
  });
});
