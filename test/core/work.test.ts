import { argsKey, plan, work } from '../../src/core/work.js';
import { callOf, gatedCall, limited, modelAnswers, modelCalls, running, toolSettles } from './support/run.js';
import { Shell, START_MS } from './support/shell.js';

describe('what must be under way', () => {
  it('is only to close once a run has ended', () => {
    expect(work(modelAnswers(running(), { text: 'Done.' }).state)).toEqual([{ kind: 'close' }]);
  });

  it('is the earliest point in time that the run must hear of', () => {
    const shell = modelCalls(
      limited({ maxDurationMs: 60_000 }),
      callOf({ control: { kind: 'wait', durationMs: 30_000 } }),
      gatedCall({}, { expiresInMs: 10_000, onExpiry: 'deny' }),
    );
    expect(work(shell.state)).toEqual([{ kind: 'timer', atMs: START_MS + 10_000 }]);
    expect(work(shell.awaitTimer().state)).toEqual([{ kind: 'timer', atMs: START_MS + 30_000 }]);
    expect(work(shell.awaitTimer().state).at(-1)).toEqual({ kind: 'timer', atMs: START_MS + 60_000 });
  });

  it('has summaries that are short however long the arguments are', () => {
    const shell = modelCalls(running(), callOf({ args: JSON.stringify({ text: 'x'.repeat(900) }) }));
    const [item] = work(shell.state);
    expect(item?.kind === 'tool' && item.summary).toMatch(/^send \{"text":"x+…$/);
    expect(item?.kind === 'tool' && item.summary.length).toBe(100);
  });

  it('keeps a call of effect `once` from being retried when it runs again, too', () => {
    const shell = toolSettles(modelCalls(running(), callOf()), 's0.c0', { kind: 'timed_out' }).control(
      'approve',
    );
    expect(work(shell.state)).toMatchObject([
      { kind: 'tool', key: 's0.c0.r1', once: true, input: { callId: 's0.c0' } },
    ]);
  });
});

describe('a plan', () => {
  it('starts what is missing, and nothing that is under way', () => {
    const { state } = modelCalls(running(), callOf(), callOf());
    expect(plan(state, new Set(['s0.c0']), START_MS).start.map(({ key }) => key)).toEqual(['s0.c1']);
    expect(plan(state, new Set(['s0.c0', 's0.c1']), START_MS)).toEqual({
      start: [],
      cancel: [],
      settled: [],
      timerAtMs: null,
      close: false,
    });
  });

  it('cancels what is under way and unwanted, and settles what was called off before it started', () => {
    const { state } = modelCalls(running(), callOf(), callOf()).deliver({ type: 'cancel_requested' });
    const next = plan(state, new Set(['s0.c1']), START_MS + 5);
    expect([next.start, next.cancel]).toEqual([[], ['s0.c1']]);
    const outcome = { kind: 'cancelled', neverStarted: true };
    expect(next.settled).toEqual([{ type: 'tool_settled', key: 's0.c0', atMs: START_MS + 5, outcome }]);
  });

  it('settles a preparation and a model call that never started, each in its own way', () => {
    const outcome = { kind: 'cancelled', neverStarted: true };
    const early = new Shell().deliver({ type: 'cancel_requested' }).state;
    expect(plan(early, new Set(), START_MS).settled).toEqual([{ type: 'prepared', atMs: START_MS, outcome }]);
    const { state } = running().control('stop');
    expect(plan(state, new Set(), START_MS).settled).toEqual([
      { type: 'model_settled', key: 's0.m0', atMs: START_MS, outcome },
    ]);
  });

  it('closes a run that has ended', () => {
    expect(plan(modelAnswers(running(), { text: 'Done.' }).state, new Set(), START_MS)).toMatchObject({
      close: true,
      start: [],
    });
  });
});

describe('the key of arguments', () => {
  it('tells arguments apart and is the same for the same', () => {
    expect(argsKey('{"n":1}')).toBe(argsKey('{"n":1}'));
    expect(argsKey('{"n":1}')).not.toBe(argsKey('{"n":2}'));
  });
});
