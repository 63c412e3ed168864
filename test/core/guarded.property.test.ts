import { toolKey } from '../../src/core/keys.js';
import type { CallState } from '../../src/core/state.js';
import { eventsOf } from './support/run.js';
import { holds } from './support/scenario.js';
import type { Applied, Shell } from './support/shell.js';
import type { Simulator } from './support/simulator.js';

/** Calls that may act only once and were started again by an application. */
function begunAgain({ before, after }: Applied): CallState[] {
  return after.calls.filter((call) => {
    const was = before.calls.find(({ id }) => id === call.id);
    return was !== undefined && call.plan.effect === undefined && call.rerun > was.rerun;
  });
}

/** Whether what was heard says that the attempt before certainly did not act, or a human said to run the call again. */
function mayBeginAgain({ input, before, events }: Applied, { id }: CallState): boolean {
  const was = before.calls.find((call) => call.id === id);
  if (!was) return false;
  if (input.type === 'tool_settled' && input.key === toolKey(was)) {
    const { outcome } = input;
    const isRetried = outcome.kind === 'timed_out' || (outcome.kind === 'failed' && outcome.retryable);
    return isRetried && outcome.details?.['acting'] === false;
  }
  if (input.type === 'verified')
    return (
      input.outcome.kind === 'ok' &&
      input.outcome.value.verdict === 'not_executed' &&
      was.status === 'verifying'
    );
  const approved = eventsOf(events, 'decision_made').some(
    ({ callId, decision }) => callId === id && decision === 'approve',
  );
  return was.status === 'unknown' && approved;
}

/** The last word of a worker on each attempt at a call that may act only once and does not know whether it acted. */
function doubts({ shell, asked }: Simulator): { callId: string; index: number; eventCount: number }[] {
  return shell.applied.flatMap(({ input, before, eventCount }, index) => {
    if (input.type !== 'tool_settled') return [];
    const call = before.calls.find((one) => toolKey(one) === input.key);
    const isUnderWay = call?.status === 'running' || call?.status === 'cancelling';
    if (!call || !isUnderWay || asked.get(call.id)?.effect !== undefined) return [];
    const { outcome } = input;
    const isUnknown =
      outcome.kind === 'ok'
        ? outcome.value.status === 'unknown_outcome'
        : outcome.kind !== 'failed' && outcome.details?.['acting'] !== false;
    const neverLeft = outcome.kind === 'cancelled' && outcome.neverStarted === true;
    return isUnknown && !neverLeft ? [{ callId: call.id, index, eventCount }] : [];
  });
}

/** Whether a later attempt at the call ended with a word of its tool. */
function endedByItsOwnWord({ applied }: Shell, callId: string, from: number): boolean {
  return applied.slice(from + 1).some(({ input, before }) => {
    if (input.type !== 'tool_settled') return false;
    const call = before.calls.find((one) => toolKey(one) === input.key);
    if (call?.id !== callId) return false;
    const { outcome } = input;
    if (outcome.kind === 'ok') return outcome.value.status !== 'unknown_outcome';
    return outcome.kind === 'failed' && outcome.details['acting'] !== false;
  });
}

describe('a call of effect `once`', () => {
  it('is begun again only when its tool certainly did not act, or a human said so', () => {
    holds(({ shell }) => {
      for (const applied of shell.applied)
        for (const call of begunAgain(applied))
          expect({ id: call.id, may: mayBeginAgain(applied, call) }).toEqual({ id: call.id, may: true });
    });
  });

  it('is handed to a worker once for each time it was begun', () => {
    holds(({ shell, asked }) => {
      for (const [callId, { effect }] of asked) {
        if (effect !== undefined) continue;
        const starts = shell.starts.filter(
          ({ work }) => work.kind === 'tool' && work.input.callId === callId,
        );
        const again = shell.applied.flatMap(begunAgain).filter(({ id }) => id === callId);
        expect(starts.length).toBeLessThanOrEqual(1 + again.length);
      }
    });
  });

  it('is begun again unasked at most five times', () => {
    holds(({ shell }) => {
      for (const { after } of shell.applied)
        for (const { restarts = 0, rerun } of after.calls) {
          expect(restarts).toBeLessThanOrEqual(5);
          expect(restarts).toBeLessThanOrEqual(rerun);
        }
    });
  });

  it('of which nobody knows whether it took effect is on record as unknown, or somebody found out', () => {
    holds((simulator) => {
      const { shell } = simulator;
      const listed = new Set(shell.state.result?.unknownOutcomes.map(({ callId }) => callId));
      for (const { callId, index, eventCount } of doubts(simulator)) {
        const later = shell.events
          .slice(eventCount)
          .filter((event) => 'callId' in event && event.callId === callId);
        const isFoundOut = later.some(
          (event) =>
            (event.type === 'outcome_verified' && event.verdict !== 'unknown') ||
            (event.type === 'decision_made' && event.decision === 'answer'),
        );
        if (isFoundOut || endedByItsOwnWord(shell, callId, index)) continue;
        expect([...listed]).toContain(callId);
      }
    });
  });

  it('is on record as unknown exactly when the model was told so', () => {
    holds(({ shell, asked }) => {
      const told = eventsOf(shell.events, 'tool_completed').filter(
        ({ status }) => status === 'unknown_outcome',
      );
      const listed = shell.state.result?.unknownOutcomes.filter(({ callId }) => asked.has(callId));
      expect(listed?.map(({ callId }) => callId)).toEqual(told.map(({ callId }) => callId));
    });
  });

  it('that never left is not told as unknown', () => {
    holds(({ shell }) => {
      // Who ends a run from outside may do so before its last work left, which the run cannot know.
      if (shell.applied.some(({ input }) => input.type === 'ended_outside')) return;
      for (const { callId, status } of eventsOf(shell.events, 'tool_completed')) {
        const left = shell.starts.some(
          ({ work }) =>
            (work.kind === 'tool' && work.input.callId === callId) ||
            (work.kind === 'child' && work.key === callId),
        );
        if (status === 'unknown_outcome') expect({ callId, left }).toEqual({ callId, left: true });
      }
    });
  });

  it('is called off, refused or rejected only where no attempt at it may have acted', () => {
    holds((simulator) => {
      const doubtful = new Map(doubts(simulator).map((doubt) => [doubt.callId, doubt]));
      for (const { callId, status } of eventsOf(simulator.shell.events, 'tool_completed')) {
        const doubt = doubtful.get(callId);
        if (!doubt || !['cancelled', 'refused_at_limit', 'rejected'].includes(status)) continue;
        const verified = eventsOf(simulator.shell.events.slice(doubt.eventCount), 'outcome_verified');
        expect(verified.find((event) => event.callId === callId)?.verdict).toBe('not_executed');
      }
    });
  });
});

describe('a call whose outcome is verified', () => {
  it('is asked about once for each attempt, before any human', () => {
    holds(({ shell, asked }) => {
      for (const { work, eventCount } of shell.starts) {
        if (work.kind !== 'verify') continue;
        expect(asked.get(work.input.callId)?.verify).toBe(true);
        const requests = eventsOf(shell.events.slice(0, eventCount), 'decision_requested');
        const doubt = requests.filter(
          (event) => event.kind === 'unknown_outcome' && event.callId === work.input.callId,
        );
        const approved = eventsOf(shell.events.slice(0, eventCount), 'decision_made').filter(
          (event) => event.callId === work.input.callId && event.seq > (doubt.at(-1)?.seq ?? Infinity),
        );
        if (doubt.length > 0) expect(approved.length).toBeGreaterThan(0);
      }
    });
  });
});
