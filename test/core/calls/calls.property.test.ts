import type { RunEvent } from '../../../src/core/events.js';
import { eventsOf } from '../support/run.js';
import { fakeHash } from '../support/world.js';
import { holds } from '../support/scenario.js';
import type { Simulator } from '../support/simulator.js';

function about(events: readonly RunEvent[], callId: string): RunEvent[] {
  return events.filter((event) => 'callId' in event && event.callId === callId);
}

function gatedIds({ asked }: Simulator): string[] {
  return [...asked].filter(([, call]) => call.gate && !call.problem).map(([callId]) => callId);
}

describe('a call', () => {
  it('is completed exactly once, and only if a model asked for it', () => {
    holds(({ shell }) => {
      const asked = eventsOf(shell.events, 'model_completed').flatMap((event) =>
        event.calls.map(({ callId }) => callId),
      );
      const completed = eventsOf(shell.events, 'tool_completed').map(({ callId }) => callId);
      expect([...completed].sort()).toEqual([...asked].sort());
    });
  });

  it('has no event after its completion', () => {
    holds(({ shell, asked }) => {
      for (const callId of asked.keys()) {
        const types = about(shell.events, callId).filter(({ type }) => type !== 'control_rejected');
        expect(types.findIndex(({ type }) => type === 'tool_completed')).toBe(types.length - 1);
      }
    });
  });

  it('that is gated starts only after a human approved it, with the arguments the human saw or wrote', () => {
    holds((simulator) => {
      const { shell } = simulator;
      for (const callId of gatedIds(simulator)) {
        const events = about(shell.events, callId);
        const startedAt = events.findIndex(({ type }) => type === 'tool_started');
        if (startedAt === -1) continue;
        const [started] = eventsOf(events, 'tool_started');
        const asked = eventsOf(events.slice(0, startedAt), 'decision_requested').at(-1);
        const made = eventsOf(events.slice(0, startedAt), 'decision_made').at(-1);
        expect(made?.decision).toBe('approve');
        // What a human approved before for the rest of the run is not asked about.
        const seen = asked?.args ?? JSON.parse(simulator.asked.get(callId)?.args ?? 'null');
        if (asked === undefined) expect(made?.scope).toBe('run');
        if (made?.editedArgs === null) expect(started?.args).toEqual(seen);
        else expect(started?.args).not.toEqual(seen);
      }
    });
  });

  it('that is gated is never handed to a worker, nor answered as done, without a human', () => {
    holds((simulator) => {
      const { shell } = simulator;
      const gated = new Set(gatedIds(simulator));
      const approvedAmong = (events: readonly RunEvent[], callId: string) =>
        eventsOf(events, 'decision_made').some(
          (event) => event.callId === callId && event.decision === 'approve',
        );
      for (const { work, eventCount } of shell.starts)
        if (work.kind === 'tool' && gated.has(work.input.callId))
          expect(approvedAmong(shell.events.slice(0, eventCount), work.input.callId)).toBe(true);
        else if (work.kind === 'child' && gated.has(work.key))
          expect(approvedAmong(shell.events.slice(0, eventCount), work.key)).toBe(true);
      for (const event of eventsOf(shell.events, 'tool_completed'))
        if (gated.has(event.callId) && event.status === 'ok')
          expect(approvedAmong(shell.events, event.callId)).toBe(true);
    });
  });

  it('is not approved by a decision that was made for other arguments', () => {
    holds(({ shell }) => {
      for (const { input, before, events } of shell.applied) {
        if (input.type !== 'control' || input.name === 'answer') continue;
        const { argsHash, callId } = Object(input.payload);
        if (typeof argsHash !== 'string') continue;
        for (const made of eventsOf(events, 'decision_made')) {
          if (made.decision === 'expired' || (callId !== undefined && made.callId !== callId)) continue;
          const call = before.calls.find(({ id }) => id === made.callId);
          if (call?.plan.gate) expect(call.plan.gate.argsHash).toBe(argsHash);
          if (call?.plan.gate) expect(call.plan.gate.argsHash).toBe(fakeHash(call.args));
        }
      }
    });
  });

  it('waits for no human once the run is landing, and none that was gated then is run', () => {
    holds((simulator) => {
      const { shell } = simulator;
      const landedAt = shell.events.findIndex(({ type }) => type === 'landing_started');
      if (landedAt === -1) return;
      const before = shell.events.slice(0, landedAt);
      const approved = new Set(eventsOf(before, 'decision_made').map(({ callId }) => callId));
      const gated = new Set(gatedIds(simulator));
      const startedLater = eventsOf(shell.events.slice(landedAt), 'tool_started').map(({ callId }) => callId);
      expect(startedLater.filter((callId) => gated.has(callId) && !approved.has(callId))).toEqual([]);
      const { asked } = simulator;
      for (const callId of startedLater) expect(asked.get(callId)?.control?.kind).not.toBe('delegate');
      for (const { after } of shell.applied)
        if (after.landing)
          expect(
            after.calls.filter(({ status }) => ['gated', 'asking', 'unknown', 'waiting'].includes(status)),
          ).toEqual([]);
    });
  });

  it('does not start after a stop or a cancellation', () => {
    holds(({ shell }) => {
      for (const { before, events } of shell.applied)
        if (before.cancelRequested || before.landing?.outcome === 'stopped')
          expect(eventsOf(events, 'tool_started')).toEqual([]);
    });
  });

  it('never has more than seven others under way beside it', () => {
    holds(({ shell }) => {
      for (const { after } of shell.applied)
        expect(
          after.calls.filter(({ status }) => status === 'running' || status === 'cancelling').length,
        ).toBeLessThanOrEqual(8);
    });
  });

  it('never has more others of its tool beside it than the tool allows', () => {
    holds(({ shell }) => {
      for (const { after } of shell.applied)
        for (const { plan, status } of after.calls) {
          if (plan.parallel === undefined || status !== 'running') continue;
          const alike = after.calls.filter((one) => one.plan.name === plan.name && one.status === 'running');
          expect(alike.length).toBeLessThanOrEqual(plan.parallel);
        }
    });
  });
});
