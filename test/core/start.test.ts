import { SYSTEM_PROMPT } from '../../src/core/behaviour.js';
import { startState } from '../../src/core/start.js';
import { work } from '../../src/core/work.js';
import { lastOf, limited, modelKey, running, underWay, userWords } from './support/run.js';
import { Shell, START_MS } from './support/shell.js';
import { preparedWith } from './support/world.js';
import { NO_LIMITS } from '../../src/core/run-input.js';

const run = { runId: 'run-1', firstRunId: 'first-1', atMs: START_MS };

function prepares(shell: Shell, limits = NO_LIMITS): Shell {
  const outcome = { kind: 'ok' as const, value: preparedWith({ limits }) };
  return shell.deliver(shell.settlementOf('prepare', 'prepare', outcome));
}

describe('a run that starts', () => {
  it('gives the model the system prompt, then the goal', () => {
    expect(startState({ goal: 'Tidy up.' }, run).transcript).toEqual([
      { role: 'system', content: SYSTEM_PROMPT },
      { role: 'user', content: 'Tidy up.' },
    ]);
  });

  it("puts the user's system text behind the built-in prompt", () => {
    const [system] = startState({ goal: 'Tidy up.', system: 'Be brief.' }, run).transcript;
    expect(system?.content.startsWith(SYSTEM_PROMPT)).toBe(true);
    expect(system?.content.endsWith('\n\nBe brief.')).toBe(true);
  });

  it.each([undefined, null, 7, 'Tidy up.', [{ goal: 'Tidy up.' }], { goal: 9 }])(
    'takes %j as a run without a goal',
    (input) => {
      expect(startState(input, run).input.goal).toBe('');
    },
  );

  it('asks for its preparation and for nothing else', () => {
    const state = startState({ goal: 'Tidy up.', limits: { maxDurationMs: 1 } }, run);
    expect(work(state)).toEqual([{ kind: 'prepare', key: 'prepare' }]);
  });

  it('tells of its goal, model, ceilings and warnings first', () => {
    const shell = running({ warnings: ['No search attributes.'], limits: { ...NO_LIMITS, maxSteps: 3 } });
    expect(shell.events.map(({ type }) => type)).toEqual(['run_started', 'step_started']);
    expect(shell.events[0]).toMatchObject({
      seq: 0,
      runId: 'run-1',
      at: '2026-01-01T00:00:00.000Z',
      goal: 'Tidy up.',
      model: 'maker/first',
      limits: { ...NO_LIMITS, maxSteps: 3 },
      warnings: ['No search attributes.'],
    });
  });

  it('tells of the given model and the ceilings that can be read when a control comes first', () => {
    const input = { goal: 'Tidy up.', model: 'my/model', limits: { maxSteps: 4, maxCostUsd: 'much' } };
    const shell = new Shell(input).control('pause');
    expect(shell.events[0]).toMatchObject({
      type: 'run_started',
      model: 'my/model',
      limits: { ...NO_LIMITS, maxSteps: 4 },
      warnings: [],
    });
  });
});

describe('a run that cannot be prepared', () => {
  const failed = (code: string) => ({
    kind: 'failed' as const,
    code,
    message: 'Bad tool.',
    retryable: false,
    details: {},
  });

  it.each([
    [failed('TOOL_UNKNOWN'), 'TOOL_UNKNOWN', 'Bad tool.'],
    [failed('SOMETHING_ELSE'), 'INPUT_INVALID', 'Bad tool.'],
    [{ kind: 'timed_out' as const }, 'INPUT_INVALID', 'The run could not be prepared in time.'],
  ])('ends as failed with a stable code: %j', (outcome, code, message) => {
    const shell = new Shell();
    shell.deliver(shell.settlementOf('prepare', 'prepare', outcome));
    expect(shell.state.result).toMatchObject({
      outcome: 'failed',
      answer: message,
      error: { code, message },
      steps: 0,
    });
    expect(shell.closed).toBe(true);
  });

  it.each([{ kind: 'cancelled' as const }, { kind: 'timed_out' as const }])(
    'ends as cancelled when that was asked for: %j',
    (outcome) => {
      const shell = new Shell();
      shell.deliver({ type: 'cancel_requested' });
      expect([...shell.cancelled]).toEqual(['prepare']);
      shell.deliver(shell.settlementOf('prepare', 'prepare', outcome));
      expect(shell.state.result).toMatchObject({ outcome: 'cancelled', error: null });
    },
  );

  it('is not prepared twice: a second preparation changes nothing', () => {
    const shell = running();
    const { state } = shell;
    shell.deliver({
      type: 'prepared',
      outcome: { kind: 'ok', value: preparedWith({ model: 'other/third' }) },
    });
    expect(shell.state).toBe(state);
  });
});

describe('what is said before a run is prepared', () => {
  it('reaches the first model request', () => {
    const shell = prepares(new Shell().control('say', { text: 'Hurry.' }));
    expect(userWords(shell)).toEqual(['Hurry.']);
  });

  it('holds the first step back when it is a pause', () => {
    const shell = prepares(new Shell().control('pause'));
    expect(underWay(shell)).toEqual([]);
    shell.control('resume');
    expect(underWay(shell)).toEqual(['s0.m0']);
  });

  it('lands the run without a step when it is a stop', () => {
    const shell = prepares(new Shell().control('stop'));
    expect(lastOf(shell, 'step_started')?.purpose).toBe('landing');
    expect(lastOf(shell, 'landing_started')).toMatchObject({ outcome: 'stopped', limit: null });
  });

  it('wins over the prepared ceilings when it sets one, and leaves the others', () => {
    const shell = new Shell().control('setLimits', { maxSteps: 2 });
    prepares(shell, { ...NO_LIMITS, maxSteps: 50, maxTokens: 900 });
    expect(shell.state.prepared?.limits).toEqual({ ...NO_LIMITS, maxSteps: 2, maxTokens: 900 });
  });

  it('takes a prepared ceiling away when it sets it to null', () => {
    const shell = new Shell().control('setLimits', { maxSteps: null });
    prepares(shell, { ...NO_LIMITS, maxSteps: 50 });
    expect(shell.state.prepared?.limits.maxSteps).toBeNull();
  });

  it('counts the time from the start: a run prepared after its deadline takes no step', () => {
    const shell = new Shell();
    shell.nowMs += 7_200_000;
    prepares(shell, { ...NO_LIMITS, maxDurationMs: 3_600_000 });
    expect(lastOf(shell, 'landing_started')?.limit).toBe('duration');
    expect(shell.starts.find(({ work: { key } }) => key === modelKey(shell))?.work).toMatchObject({
      input: { purpose: 'landing' },
    });
  });

  it('counts the time to the deadline from the start', () => {
    expect(limited({ maxDurationMs: 5_000 }).timerAtMs).toBe(START_MS + 5_000);
  });
});
