import fc from 'fast-check';
import { chargedNanoUsd } from '../../../src/core/money/ledger.js';
import { toolKey } from '../../../src/core/keys.js';
import { pendingOf } from '../../../src/core/agents/reports.js';
import type { Spend } from '../../../src/core/progress.js';
import { Family, type FamilyLife } from '../support/family.js';
import { eventsOf } from '../support/run.js';
import { LIVES } from '../support/scenario.js';
import type { Shell } from '../support/shell.js';

const number = fc.noShrink(fc.integer({ min: 0, max: 0x7fffffff }));

const lives: fc.Arbitrary<FamilyLife> = fc.record({
  setup: number,
  moves: fc.array(number, { maxLength: 140, size: 'max' }),
  ending: number,
});

jest.setTimeout(Math.max(60_000, LIVES * 200));

const lived: Family[] = [];

const live = (life: FamilyLife): Family => new Family(life).finish(life.ending);

/** Holds `check` against whole lives of families; one that does not pass is shrunk and shown. */
function holds(check: (family: Family) => void): void {
  if (lived.length === 0) lived.push(...fc.sample(lives, { numRuns: LIVES }).map(live));
  const passes = lived.every((family) => {
    try {
      check(family);
      return true;
    } catch {
      return false;
    }
  });
  if (!passes)
    fc.assert(
      fc.property(lives, (life) => check(live(life))),
      { numRuns: LIVES },
    );
}

const totalOf = ({
  costNanoUsd,
  estimatedNanoUsd,
}: Pick<Spend, 'costNanoUsd' | 'estimatedNanoUsd'>): number => costNanoUsd + estimatedNanoUsd;

/** The sub-agents that a run has started, with the events of their calls here. */
function childrenOf({ runs }: Family, { starts }: Shell): Shell[] {
  return starts.flatMap(({ work }) => (work.kind === 'child' ? (runs.get(work.runId) ?? []) : []));
}

describe('a run and its sub-agents', () => {
  it('all end when what they start settles and humans decide at the root', () => {
    holds((family) => {
      const open = [...family.runs.values()].filter(({ closed }) => !closed);
      expect(open.map(({ state, started }) => [state.runId, state.phase, [...started.keys()]])).toEqual([]);
    });
  });

  it('agree in the end on what was spent: each has its own and that of its sub-agents, once', () => {
    holds((family) => {
      for (const shell of family.runs.values()) {
        if (family.ended.has(shell.state.runId)) continue;
        const child = shell.state.result?.spend.byPurpose['child'];
        const told = childrenOf(family, shell).filter(({ state }) => !family.ended.has(state.runId));
        const theirs = told.reduce(
          (sum, { state }) => sum + (state.result ? totalOf(state.result.spend) : 0),
          0,
        );
        const isWhole = childrenOf(family, shell).every(({ state }) => !family.ended.has(state.runId));
        if (isWhole) expect(child ? totalOf(child) : 0).toBe(theirs);
        else expect(child ? totalOf(child) : 0).toBeGreaterThanOrEqual(theirs);
      }
    });
  });

  it('spend no more than the ceiling of each, at any moment', () => {
    holds(({ runs }) => {
      for (const { applied } of runs.values())
        for (const { after } of applied) {
          const ceiling = after.prepared?.limits.maxCostUsd ?? null;
          if (ceiling !== null)
            expect(chargedNanoUsd(after.ledger)).toBeLessThanOrEqual(Math.ceil(ceiling * 1e9));
        }
    });
  });

  it('know of each unknown outcome, under the path to its call', () => {
    holds((family) => {
      for (const shell of family.runs.values()) {
        if (family.ended.has(shell.state.runId)) continue;
        const known = new Set(shell.state.result?.unknownOutcomes.map(({ callId }) => callId));
        for (const child of childrenOf(family, shell)) {
          const id = child.state.input.parent?.path.split('/').at(-1) ?? '';
          if (family.ended.has(child.state.runId)) expect([...known]).toContain(id);
          else
            for (const { callId } of child.state.result?.unknownOutcomes ?? [])
              expect([...known]).toContain(`${id}/${callId}`);
        }
      }
    });
  });

  it('decide each request once', () => {
    holds(({ runs }) => {
      for (const { events } of runs.values()) {
        const open = new Map<string, number>();
        for (const event of events) {
          if (event.type === 'decision_requested') open.set(event.callId, 1);
          if (event.type !== 'decision_made' || event.callId.includes('/')) continue;
          if (event.scope !== 'run')
            expect({ ...event, open: open.get(event.callId) }).toMatchObject({ open: 1 });
          open.set(event.callId, 0);
        }
      }
    });
  });

  it('tell of every decision at the root, under the path to its call', () => {
    holds((family) => {
      for (const shell of family.runs.values()) {
        if (family.ended.has(shell.state.runId)) continue;
        const here = eventsOf(shell.events, 'decision_made').map(
          ({ callId, decision }) => `${callId} ${decision}`,
        );
        for (const child of childrenOf(family, shell)) {
          if (family.ended.has(child.state.runId)) continue;
          const id = child.state.input.parent?.path.split('/').at(-1) ?? '';
          const there = eventsOf(child.events, 'decision_made').map(
            (event) => `${id}/${event.callId} ${event.decision}`,
          );
          expect(here.filter((one) => one.startsWith(`${id}/`))).toEqual(there);
        }
      }
    });
  });

  it('have one result for each call', () => {
    holds(({ runs }) => {
      for (const { events } of runs.values()) {
        const asked = eventsOf(events, 'model_completed').flatMap(({ calls }) =>
          calls.map(({ callId }) => callId),
        );
        const completed = eventsOf(events, 'tool_completed').map(({ callId }) => callId);
        expect([...completed].sort()).toEqual([...asked].sort());
      }
    });
  });

  it('are not held up by a word that came too late, nor kept from a pause that is over', () => {
    holds(({ runs }) => {
      for (const { state } of runs.values()) expect(state.pause).toBeNull();
    });
  });
});

describe('what waits for a human in a sub-agent', () => {
  it('is what the run that has delegated shows, once all reports have arrived', () => {
    fc.assert(
      fc.property(lives, ({ setup, moves }) => {
        for (const count of [20, 60, moves.length]) {
          const family = new Family({ setup, moves: moves.slice(0, count) });
          for (const shell of family.runs.values()) {
            const { parent, reporting, phase } = shell.state;
            if (!parent || reporting.call || phase === 'closed') continue;
            const call = family.runs
              .get(parent.runId)
              ?.state.calls.find((one) => toolKey(one) === parent.key);
            if (!call?.child || call.status === 'done') continue;
            const checking = shell.state.calls.some(({ status }) => status === 'checking');
            if (!checking) expect(call.child.pending).toEqual(pendingOf(shell.state));
          }
        }
      }),
      { numRuns: Math.ceil(LIVES / 2) },
    );
  });
});

describe('the families', () => {
  it('had enough of everything', () => {
    const count = {
      children: 0,
      grandchildren: 0,
      decided: 0,
      terminated: 0,
      stopped: 0,
      cancelled: 0,
      unknown: 0,
    };
    holds(({ root, runs, ended }) => {
      for (const { state } of runs.values()) {
        if (state.parent?.depth === 1) count.children += 1;
        if (state.parent?.depth === 2) count.grandchildren += 1;
      }
      count.decided += eventsOf(root.events, 'decision_made').filter(({ callId }) =>
        callId.includes('/'),
      ).length;
      count.terminated += ended.size;
      if (root.state.result?.outcome === 'stopped') count.stopped += 1;
      if (root.state.result?.outcome === 'cancelled') count.cancelled += 1;
      count.unknown +=
        root.state.result?.unknownOutcomes.filter(({ callId }) => callId.includes('/')).length ?? 0;
    });
    for (const [name, times] of Object.entries(count))
      expect({ name, often: times >= LIVES / 100 }).toEqual({ name, often: true });
  });
});
