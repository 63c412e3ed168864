import { view } from '../../src/core/view.js';
import { lastOf, modelAnswers, running, underWay, userWords } from './support/run.js';
import type { Shell } from './support/shell.js';

const HOUR_MS = 3_600_000;
const idle = () => modelAnswers(running({ idleMs: HOUR_MS }), { text: 'Tidy.' });

const idleUntil = (shell: Shell) => view(shell.state).idle?.until;

describe('a session', () => {
  it('waits for the next message after its answer', () => {
    const shell = idle();
    expect(view(shell.state)).toMatchObject({
      status: 'waiting',
      idle: { since: '2026-01-01T00:00:00.000Z', until: '2026-01-01T01:00:00.000Z', answer: 'Tidy.' },
    });
    expect(lastOf(shell, 'turn_completed')).toMatchObject({
      answer: 'Tidy.',
      idleUntil: '2026-01-01T01:00:00.000Z',
    });
    expect(shell.timerAtMs).toBe(shell.nowMs + HOUR_MS);
  });

  it('goes on with a message, whatever its mode, and has its time anew after the next answer', () => {
    const shell = idle()
      .advance(HOUR_MS / 2)
      .control('say', { text: 'And the shelf?', mode: 'queue' });
    expect(underWay(shell)).toEqual(['s1.m0']);
    expect(userWords(shell)).toEqual(['And the shelf?']);
    expect(view(shell.state).idle).toBeNull();
    expect(idleUntil(modelAnswers(shell, { text: 'Tidy too.' }))).toBe('2026-01-01T01:30:00.000Z');
  });

  it('ends with its answer when nobody says anything for so long', () => {
    const shell = idle().awaitTimer();
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'Tidy.' });
  });

  it('ends with its answer when it is stopped, without another model call', () => {
    const shell = idle().control('stop');
    expect(shell.state.result).toMatchObject({ outcome: 'stopped', answer: 'Tidy.' });
  });

  it('does not end while somebody has spoken who is not heard yet, because it is paused', () => {
    const shell = idle().control('pause').control('say', { text: 'And the shelf?' });
    expect(shell.timerAtMs).toBeNull();
    shell.advance(2 * HOUR_MS).control('resume');
    expect(userWords(shell)).toEqual(['And the shelf?']);
  });

  it('that is stopped then hears what was said in its closing call', () => {
    const shell = idle().control('pause').control('say', { text: 'And the shelf?' }).control('stop');
    expect(userWords(shell)[0]).toBe('And the shelf?');
    expect(modelAnswers(shell, { text: 'Not looked at.' }).state.result).toMatchObject({
      outcome: 'stopped',
      answer: 'Not looked at.',
    });
  });

  it('is as long as its run allows', () => {
    const limits = { maxCostUsd: null, maxSteps: null, maxTokens: null, maxDurationMs: HOUR_MS / 4 };
    const shell = modelAnswers(running({ idleMs: HOUR_MS, limits }), { text: 'Tidy.' }).awaitTimer();
    expect(shell.state.result).toMatchObject({ outcome: 'limit', limit: 'duration', answer: 'Tidy.' });
  });
});
