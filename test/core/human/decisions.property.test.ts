import type { RunState } from '../../../src/core/state.js';
import { apply } from '../../../src/core/apply.js';
import { eventsOf, type EventOf } from '../support/run.js';
import { holds } from '../support/scenario.js';
import type { Applied } from '../support/shell.js';

const isSigned = ({ input }: RunState): boolean => (input.approvers ?? []).length > 0;

/** Decisions of this run's own calls, with the application that made them. */
function made(applied: readonly Applied[]): { applied: Applied; event: EventOf<'decision_made'> }[] {
  return applied.flatMap((one) =>
    eventsOf(one.events, 'decision_made')
      .filter(({ callId }) => !callId.includes('/'))
      .map((event) => ({ applied: one, event })),
  );
}

/** Whether a decision follows from one for the rest of the run that was made before it. */
function isStanding(applied: readonly Applied[], { tool, seq, scope }: EventOf<'decision_made'>): boolean {
  if (scope !== 'run') return false;
  return made(applied).some(
    ({ event }) =>
      event.tool === tool && event.scope === 'run' && event.seq < seq && event.decision === 'approve',
  );
}

const planOf = ({ before, after }: Applied, callId: string) =>
  [...before.calls, ...after.calls].find(({ id }) => id === callId)?.plan;
const gateOf = (applied: Applied, callId: string) => planOf(applied, callId)?.gate;

describe('an approval', () => {
  it('of a call that several must approve has as many names, all different', () => {
    holds(({ shell }) => {
      for (const { applied, event } of made(shell.applied)) {
        const needed = gateOf(applied, event.callId)?.approvals;
        if (event.decision !== 'approve' || needed === undefined || isStanding(shell.applied, event))
          continue;
        expect(event.approvedBy).toHaveLength(needed);
        expect(new Set(event.approvedBy).size).toBe(needed);
        expect(event.approvedBy).not.toContain('');
      }
    });
  });

  it('is never that of who asked for the run, where another one must approve', () => {
    holds(({ shell }) => {
      const { requestedBy } = shell.state.input;
      if (requestedBy === undefined) return;
      for (const { applied, event } of made(shell.applied)) {
        if (event.decision !== 'approve' || !gateOf(applied, event.callId)?.separate) continue;
        if (isStanding(shell.applied, event)) continue;
        expect([event.by, ...(event.approvedBy ?? [])]).not.toContain(requestedBy);
      }
      for (const { events } of shell.applied)
        for (const { by, callId } of eventsOf(events, 'approval_counted')) {
          const call = shell.applied.flatMap(({ after }) => after.calls).find(({ id }) => id === callId);
          if (call?.plan.gate?.separate) expect(by).not.toBe(requestedBy);
        }
    });
  });

  it('counts for the arguments that it was given for, so that edited ones are approved anew by all', () => {
    holds(({ shell }) => {
      for (const { before, after } of shell.applied)
        for (const call of after.calls) {
          const was = before.calls.find(({ id }) => id === call.id);
          if (!was || was.args === call.args || call.status !== 'gated') continue;
          expect(call.approvedBy?.length).toBe(1);
        }
    });
  });

  it('for the rest of the run lets through calls of that tool alone, as it was', () => {
    holds(({ shell }) => {
      for (const { applied, event } of made(shell.applied)) {
        if (!isStanding(shell.applied, event)) continue;
        const specHash = planOf(applied, event.callId)?.specHash;
        const holding = [...applied.before.standing, ...applied.after.standing];
        expect(holding.some((one) => one.tool === event.tool && one.specHash === specHash)).toBe(true);
      }
    });
  });

  it('stands for the rest of the run only when a human said so', () => {
    holds(({ shell }) => {
      for (const { before, after, events } of shell.applied) {
        if (before.standing === after.standing) continue;
        const grown = after.standing.filter((one) => !before.standing.includes(one));
        for (const { tool } of grown)
          expect(
            eventsOf(events, 'decision_made').some((event) => event.scope === 'run' && event.tool === tool),
          ).toBe(true);
      }
    });
  });
});

describe('a run that takes signed decisions only', () => {
  it('decides nothing but what a signature was checked for, or a standing approval', () => {
    holds(({ shell }) => {
      if (!isSigned(shell.state)) return;
      for (const { applied, event } of made(shell.applied)) {
        const isQuestion = applied.before.calls.find(({ id }) => id === event.callId)?.status === 'asking';
        if (event.decision === 'expired' || (event.decision === 'answer' && isQuestion)) continue;
        if (isStanding(shell.applied, event)) continue;
        const { input } = applied;
        const holdsGood =
          input.type === 'decision_checked' && input.outcome.kind === 'ok' && input.outcome.value.ok;
        expect(holdsGood).toBe(true);
        expect(event.signed ?? event.scope).toBeTruthy();
      }
    });
  });

  it('has every signature checked, once, and says what came of it', () => {
    holds(({ shell }) => {
      for (const { state, started } of shell.moments)
        for (const { key } of state.signedDecisions) expect([...started.keys()]).toContain(key);
      for (const { input, before, after } of shell.applied) {
        if (input.type !== 'decision_checked' || !before.signedDecisions.some(({ key }) => key === input.key))
          continue;
        if (after.phase === 'settling' && before.phase !== 'settling') continue;
        expect(after.signedDecisions.map(({ key }) => key)).not.toContain(input.key);
        expect(after.answered.map(({ key }) => key)).toContain(input.key);
      }
    });
  });

  it('takes no signature for a request that was asked anew since', () => {
    holds(({ shell }) => {
      for (const { input, before, events } of shell.applied) {
        if (input.type !== 'decision_checked') continue;
        const signed = before.signedDecisions.find(({ key }) => key === input.key);
        const call = before.calls.find(({ id }) => id === signed?.callId);
        if (!signed || call?.requestedAtMs === signed.requestedAtMs) continue;
        expect(eventsOf(events, 'decision_made').filter((event) => event.signed)).toEqual([]);
      }
    });
  });
});

describe('a decision on a call of a sub-agent', () => {
  it('is handed down, and changes nothing here', () => {
    holds(({ shell }) => {
      for (const { input, before, after, events } of shell.applied) {
        const { callId } = Object(Object(input).payload);
        if (input.type !== 'control' || typeof callId !== 'string' || !callId.includes('/')) continue;
        if (!['decide', 'approve', 'reject', 'answer'].includes(input.name) || before.seq === 0) continue;
        if (events.some(({ type }) => type === 'control_rejected') || before.phase === 'closed') continue;
        const { state } = apply(before, { type: 'tick', atMs: input.atMs });
        if (after.relays.length === state.relays.length) continue;
        expect({ ...after, relays: state.relays, errands: state.errands }).toEqual(state);
        expect(after.relays).toHaveLength(state.relays.length + 1);
        expect(after.relays.at(-1)?.payload['callId']).toBe(callId.slice(callId.indexOf('/') + 1));
      }
    });
  });
});
