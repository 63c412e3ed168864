import fc from 'fast-check';
import { apply } from '../../src/core/apply.js';
import type { ControlName } from '../../src/core/human/controls.js';
import { startState } from '../../src/core/start.js';
import { view } from '../../src/core/view.js';
import { plan, work } from '../../src/core/work.js';
import { holds, holdsFor, LIVES, scenarios } from './support/scenario.js';
import { START_MS } from './support/shell.js';
import { Simulator } from './support/simulator.js';

const CONTROL_NAMES: readonly ControlName[] = [
  'decide',
  'approve',
  'reject',
  'answer',
  'say',
  'pause',
  'resume',
  'stop',
  'setLimits',
];

const payloads = fc.oneof(
  fc.anything(),
  fc.record(
    {
      callId: fc.oneof(
        fc.constantFrom('s0.c0', 's0.c1', 's1.c0', 's99999999999999999999.c0', '__proto__'),
        fc.anything(),
      ),
      decision: fc.oneof(fc.constantFrom('approve', 'reject'), fc.anything()),
      args: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.anything()),
      note: fc.oneof(fc.string({ unit: 'binary' }), fc.anything()),
      by: fc.oneof(fc.string(), fc.anything()),
      argsHash: fc.anything(),
      text: fc.oneof(fc.string({ unit: 'binary' }), fc.anything()),
      mode: fc.oneof(fc.constantFrom('queue', 'steer', 'interrupt'), fc.anything()),
      messageId: fc.anything(),
      maxSteps: fc.oneof(fc.double(), fc.anything()),
      maxCostUsd: fc.oneof(fc.double(), fc.anything()),
      maxDurationMs: fc.oneof(fc.double(), fc.integer({ min: 1 }), fc.anything()),
    },
    { requiredKeys: [] },
  ),
);

describe('events', () => {
  it('are numbered without gaps from 0, begin with run_started and end with the only run_completed', () => {
    holds(({ shell }) => {
      const { events } = shell;
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
      expect(events.flatMap(({ type }, index) => (type === 'run_started' ? [index] : []))).toEqual([0]);
      expect(events.flatMap(({ type }, index) => (type === 'run_completed' ? [index] : []))).toEqual([
        events.length - 1,
      ]);
    });
  });

  it('bear the time of the input that caused them, which never goes back', () => {
    holds(({ shell }) => {
      for (const { input, events } of shell.applied)
        for (const event of events) expect(event.at).toBe(new Date(input.atMs).toISOString());
      const times = shell.events.map(({ at }) => Date.parse(at));
      expect(times).toEqual([...times].sort((a, b) => a - b));
    });
  });

  it('are plain JSON, and so is the state', () => {
    holds(({ shell }) => {
      expect(JSON.parse(JSON.stringify(shell.events))).toEqual(shell.events);
      expect(JSON.parse(JSON.stringify(shell.state))).toEqual(shell.state);
    });
  });
});

describe('a control', () => {
  it('that is refused changes nothing but the number of the next event', () => {
    holds(({ shell }) => {
      for (const { input, before, after, events } of shell.applied) {
        if (input.type !== 'control' || before.seq === 0 || before.phase === 'closed') continue;
        const refused = events.findIndex((event) => event.type === 'control_rejected');
        if (refused !== 0) continue;
        const without = apply({ ...before, seq: before.seq + 1 }, { type: 'tick', atMs: input.atMs });
        expect(after).toEqual({ ...without.state, lastRefused: after.lastRefused });
      }
    });
  });

  it('of any shape in any state makes nothing throw', () => {
    fc.assert(
      fc.property(scenarios, fc.constantFrom(...CONTROL_NAMES), payloads, (scenario, name, payload) => {
        const { shell } = new Simulator({ ...scenario, moves: scenario.moves.slice(0, 20) });
        shell.control(name, payload);
        JSON.stringify([shell.events, shell.state, view(shell.state), work(shell.state)]);
      }),
      { numRuns: LIVES },
    );
  });
});

describe('a run input', () => {
  it('of any shape gives a state that can be shown, stored and ended', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.anything(),
          fc.record(
            {
              goal: fc.anything(),
              limits: fc.anything(),
              models: fc.anything(),
              model: fc.anything(),
              system: fc.anything(),
            },
            { requiredKeys: [] },
          ),
        ),
        (input) => {
          const state = startState(input, { runId: 'r', firstRunId: 'f', atMs: START_MS });
          JSON.stringify([state, view(state), plan(state, new Set(), START_MS)]);
          const outcome = {
            kind: 'failed' as const,
            code: 'INPUT_INVALID',
            message: 'No.',
            retryable: false,
            details: {},
          };
          const { state: ended, events } = apply(state, { type: 'prepared', atMs: START_MS, outcome });
          expect(ended.phase).toBe('closed');
          expect(events.map(({ type }) => type)).toEqual(['run_started', 'run_completed']);
        },
      ),
      { numRuns: LIVES },
    );
  });
});

describe('a closed run', () => {
  it('takes nothing in any more', () => {
    holdsFor((scenario) => {
      const { shell } = new Simulator(scenario).finish(scenario.ending);
      const { state, events } = shell;
      const count = events.length;
      shell
        .control('say', { text: 'Still there?' })
        .control('stop')
        .deliver({ type: 'cancel_requested' }, { type: 'tick' });
      shell.deliver(
        { type: 'ended_outside', how: 'terminated', message: 'Gone.' },
        { type: 'prepared', outcome: { kind: 'cancelled' } },
      );
      expect(shell.state).toBe(state);
      expect(shell.events.length).toBe(count);
    }, 1 / 4);
  });
});
