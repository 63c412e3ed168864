import { apply } from '../../src/core/apply.js';
import { isPending } from '../../src/core/calls/calls.js';
import type { RunState } from '../../src/core/state.js';
import { work } from '../../src/core/work.js';
import { holds, holdsFor } from './support/scenario.js';
import { Simulator } from './support/simulator.js';
import type { Shell } from './support/shell.js';

function timerOf(state: RunState): number {
  const timer = work(state).find((item) => item.kind === 'timer');
  return timer ? timer.atMs : Infinity;
}

/** Whether the server ended the run, which leaves behind what was under way. */
function wasEndedOutside({ applied }: Shell): boolean {
  return applied.some(({ input }) => input.type === 'ended_outside');
}

describe('a run', () => {
  it('closes when all that it starts settles and humans answer', () => {
    holds(({ shell }) => expect(shell.state.phase).toBe('closed'));
  });

  it('closes at its duration ceiling though no human ever speaks again, paused or not', () => {
    holdsFor((scenario) => {
      const simulator = new Simulator(scenario);
      const { shell } = simulator;
      shell.control('setLimits', { maxDurationMs: shell.nowMs - shell.state.startedAtMs + 60_000 });
      simulator.finish(scenario.ending, 'silent');
      expect(shell.state.phase).toBe('closed');
    });
  });

  it('has something under way, a timer, or a human to wait for as long as it is open', () => {
    holds(({ shell }) => {
      for (const { state, closed, started, timerAtMs } of shell.moments)
        if (!closed && started.size === 0 && timerAtMs === null)
          expect(state.pause ?? state.calls.find(isPending)).toBeTruthy();
    });
  });

  it('asks for no timer that is due already once it has heard the time, which would go on for ever', () => {
    holds(({ shell }) => {
      for (const { state, nowMs, timerAtMs } of shell.moments) {
        if (timerAtMs === null) continue;
        const atMs = Math.max(timerAtMs, nowMs);
        expect(timerOf(apply(state, { type: 'tick', atMs }).state)).toBeGreaterThan(atMs);
      }
    });
  });

  it('moves on as far as it can with each input, so that hearing the same time again changes nothing', () => {
    holds(({ shell }) => {
      for (const { state, nowMs: atMs } of shell.moments) {
        if (state.seq === 0) continue;
        const heard = apply(state, { type: 'tick', atMs });
        const again = apply(heard.state, { type: 'tick', atMs });
        expect(again.events.length).toBe(0);
        if (again.state !== heard.state) expect(again.state).toEqual(heard.state);
      }
    });
  });

  it('wants, or wants to be rid of, every model and tool call that is under way', () => {
    holds(({ shell }) => {
      if (wasEndedOutside(shell)) return;
      for (const { state, started } of shell.moments) {
        const known = new Set(work(state).flatMap((item) => ('key' in item ? [item.key] : [])));
        for (const [key, { kind }] of started)
          if (kind === 'model' || kind === 'tool') expect(known.has(key)).toBe(true);
      }
    });
  });

  it('leaves no model or tool call behind when it closes by itself', () => {
    holds(({ shell }) => {
      if (wasEndedOutside(shell)) return;
      expect([...shell.started.values()].filter(({ kind }) => kind === 'model' || kind === 'tool')).toEqual(
        [],
      );
    });
  });
});
