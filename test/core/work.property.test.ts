import { toolKey } from '../../src/core/keys.js';
import type { RunState } from '../../src/core/state.js';
import { view } from '../../src/core/view.js';
import { plan, work, type Work } from '../../src/core/work.js';
import { holds, holdsFor } from './support/scenario.js';
import type { StartedWork } from './support/shell.js';
import { Simulator } from './support/simulator.js';

/**
 * Work as its worker was told of it. A ceiling that is set meanwhile binds the next call, not the one under way, and values that
 * other calls share meanwhile are seen by the next one.
 */
function asSent(item: Work | undefined): unknown {
  if (item?.kind === 'model') {
    const { reservedNanoUsd: _, ...input } = item.input;
    return { ...item, input };
  }
  if (item?.kind !== 'tool' && item?.kind !== 'verify') return item;
  const { shared: _, ...input } = item.input;
  return { ...item, input };
}

/** Whether something goes on by itself; a sub-agent does as long as it asks nobody. */
function goesOn(state: RunState, { kind, key }: StartedWork): boolean {
  if (kind !== 'child') return ['prepare', 'model', 'tool', 'verify'].includes(kind);
  return state.calls.some(
    (call) => toolKey(call) === key && call.status === 'running' && call.child?.pending.length === 0,
  );
}

describe('work', () => {
  it('never uses a key twice within a run', () => {
    holds(({ shell }) => {
      const keys = shell.starts.map(({ work: { key } }) => key);
      expect(new Set(keys).size).toBe(keys.length);
    });
  });

  it('asks for nothing new once what it asked for is started', () => {
    holds(({ shell }) => {
      for (const { state, started, nowMs } of shell.moments) {
        const again = plan(state, new Set(started.keys()), nowMs);
        expect(again.start.length + again.settled.length).toBe(0);
        expect(again.cancel.every((key) => started.has(key))).toBe(true);
      }
    });
  });

  it('does not change its mind about what is under way, but to call it off', () => {
    holds(({ shell }) => {
      for (const { state, started } of shell.moments)
        for (const item of work(state))
          if ('key' in item && item.kind !== 'cancel')
            expect(asSent(item)).toEqual(asSent(started.get(item.key)));
    });
  });
});

describe('a snapshot', () => {
  it('taken at any moment has the same future as the run that went on', () => {
    holdsFor((scenario) => {
      const straight = new Simulator(scenario).finish(scenario.ending);
      const reloaded = new Simulator(scenario, { reloads: true }).finish(scenario.ending);
      expect(reloaded.shell.state).toEqual(straight.shell.state);
      expect(reloaded.shell.events).toEqual(straight.shell.events);
      expect(reloaded.shell.starts.map(({ work: item }) => item)).toEqual(
        straight.shell.starts.map(({ work: item }) => item),
      );
    }, 1 / 4);
  });
});

describe('the view', () => {
  it('says waiting only when nothing runs, running only when something does or is about to be tried again, and closed with a result', () => {
    holds(({ shell }) => {
      for (const { state, started, closed } of shell.moments) {
        const { status, result, closedAt } = view(state);
        const runs = [...started.values()].some((item) => goesOn(state, item));
        if (status === 'waiting') expect(runs).toBe(false);
        const rests =
          state.model.retryAtMs !== null || state.calls.some((call) => (call.notBeforeMs ?? null) !== null);
        if (status === 'running') expect(started.size > 0 || rests).toBe(true);
        expect([closed, closedAt !== null]).toEqual(Array(2).fill(status === 'closed'));
        expect(result).toBe(state.result ?? state.farewell);
        if (closed) expect(result).not.toBeNull();
      }
    });
  });

  it('lists exactly the calls that a human was asked about and has not settled', () => {
    holds(({ shell }) => {
      for (const { state, eventCount } of shell.moments) {
        // A run that is being cancelled asks nobody any more.
        if (state.cancelRequested) {
          expect(view(state).pending).toEqual([]);
          continue;
        }
        const asked = new Map<string, string>();
        for (const event of shell.events.slice(0, eventCount)) {
          if (event.type === 'decision_requested') asked.set(event.callId, event.kind);
          if (event.type === 'decision_made' || event.type === 'tool_completed') asked.delete(event.callId);
        }
        for (const { id, status } of state.calls) if (status === 'checking') asked.delete(id);
        for (const callId of asked.keys()) if (callId.includes('/')) asked.delete(callId);
        const listed = view(state).pending.filter(({ callId }) => !callId.includes('/'));
        expect(listed.length).toBe(asked.size);
        for (const { callId, kind } of listed) expect(asked.get(callId)).toBe(kind);
      }
    });
  });

  it('lists what waits for a human in its sub-agents as they reported it last, under the call that each carries out', () => {
    holds(({ shell, children }) => {
      for (const { state } of shell.moments) {
        const theirs = state.calls.flatMap((call) => {
          const { child } = call;
          if (!child || call.status !== 'running' || state.cancelRequested) return [];
          const last = children.get(toolKey(call))?.sent.find(({ n }) => n === child.reportCount);
          return (last?.pending ?? []).map((item) => ({ ...item, callId: `${call.id}/${item.callId}` }));
        });
        expect(view(state).pending.filter(({ callId }) => callId.includes('/'))).toEqual(theirs);
      }
    });
  });

  it('names every sub-agent under way, and none that has ended', () => {
    holds(({ shell }) => {
      for (const { state } of shell.moments) {
        const open = state.calls.filter(({ child, status }) => child && status !== 'done');
        expect(view(state).agents.map(({ callId }) => callId)).toEqual(open.map(({ id }) => id));
      }
    });
  });
});
