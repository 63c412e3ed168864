import type { RunEvent } from '../../../src/core/events.js';
import { toNanoUsd } from '../../../src/core/money/ledger.js';
import { limitsOf } from '../../../src/core/money/limits.js';
import type { LimitName } from '../../../src/core/progress.js';
import type { RunState } from '../../../src/core/state.js';
import { eventsOf } from '../support/run.js';
import { holds } from '../support/scenario.js';
import type { Simulator } from '../support/simulator.js';
import type { Applied } from '../support/shell.js';

/** Ceilings other than that on cost that are reached, found without the code under test. */
function reached(state: RunState, events: readonly RunEvent[], atMs: number): LimitName[] {
  const { maxSteps, maxTokens, maxDurationMs } = limitsOf(state);
  const { promptTokens, completionTokens } = state.ledger;
  const steps = eventsOf(events, 'model_completed').filter(({ purpose }) => purpose === 'step').length;
  const names: LimitName[] = [];
  if (maxSteps !== null && steps >= maxSteps) names.push('steps');
  if (maxTokens !== null && promptTokens + completionTokens >= maxTokens) names.push('tokens');
  if (maxDurationMs !== null && atMs >= state.startedAtMs + maxDurationMs) names.push('duration');
  return names;
}

/** All that may have to be paid, in nano-dollars. */
function owed({ ledger }: RunState): number {
  const { confirmedNanoUsd, estimatedNanoUsd, charges } = ledger;
  return charges.reduce((sum, { nanoUsd }) => sum + (nanoUsd ?? 0), confirmedNanoUsd + estimatedNanoUsd);
}

/** The applications that started a model call. */
function modelStarts({ shell }: Simulator): Applied[] {
  return shell.applied.filter(
    ({ before, after }) => after.model.call !== null && after.model.call.key !== before.model.call?.key,
  );
}

function usedStopTool({ stopTools, asked }: Simulator, step: number): boolean {
  return [...asked].some(
    ([callId, call]) => callId.startsWith(`s${step}.`) && stopTools.includes(call.name) && !call.problem,
  );
}

describe('a ceiling', () => {
  it('lets no attempt at a step begin once it is reached', () => {
    holds((simulator) => {
      for (const { after, events, eventCount, input } of modelStarts(simulator)) {
        if (after.model.call?.purpose !== 'step' || after.landing) continue;
        const all = [...simulator.shell.events.slice(0, eventCount), ...events];
        expect(reached(after, all, input.atMs)).toEqual([]);
      }
    });
  });

  it('of cost lets no model call begin whose worst case, with all that is charged, passes it', () => {
    holds((simulator) => {
      for (const { before, after } of modelStarts(simulator)) {
        // A call that was due comes before the control that is heard with it, and a ceiling set then does not bind it.
        const ceilings = [before, after].map((state) => limitsOf(state).maxCostUsd);
        const highest = Math.max(
          ...ceilings.map((ceiling) => (ceiling === null ? Infinity : toNanoUsd(ceiling))),
        );
        expect(owed(after)).toBeLessThanOrEqual(highest);
        if (after.draw) expect(owed(after)).toBeLessThanOrEqual(after.draw.grantedNanoUsd);
      }
    });
  });

  it('of cost is never passed in a world that bills no more than its prices allow', () => {
    holds(({ shell }) => {
      const { applied, state } = shell;
      const ceilings = applied.flatMap(({ after }) => (after.prepared ? [limitsOf(after).maxCostUsd] : []));
      if (ceilings.includes(null)) return;
      const highest = Math.max(0, ...ceilings.map((ceiling) => toNanoUsd(ceiling ?? 0)));
      expect(owed(state)).toBeLessThanOrEqual(highest);
    });
  });

  it('lands the run under its own name, and only when it is reached or leaves no room for a step', () => {
    holds((simulator) => {
      for (const { before, after, events, eventCount, input } of simulator.shell.applied)
        for (const [index, event] of events.entries()) {
          if (event.type !== 'landing_started' || event.outcome !== 'limit') continue;
          const earlier = simulator.shell.events.slice(0, eventCount).concat(events.slice(0, index));
          const names = [before, after].flatMap((state) => reached(state, earlier, input.atMs));
          // A ceiling may be taken away by the very input before which it ended the run.
          const had = (key: 'maxCostUsd' | 'maxTokens') =>
            [before, after].some((state) => limitsOf(state)[key] !== null);
          if (event.limit === 'tool') expect(usedStopTool(simulator, event.step)).toBe(true);
          else if (event.limit === 'cost') expect(had('maxCostUsd') || after.draw !== null).toBe(true);
          else if (event.limit === 'tokens') expect(had('maxTokens')).toBe(true);
          else expect(names).toContain(event.limit);
        }
    });
  });

  it('of time comes before whatever is heard once it has passed', () => {
    holds(({ shell }) => {
      for (const { input, before, events } of shell.applied) {
        const { maxDurationMs } = limitsOf(before);
        const ends =
          before.landing ||
          before.cancelRequested ||
          // Nothing begins any more in a run that the server has ended, not even its landing.
          input.type === 'ended_outside' ||
          ['preparing', 'settling', 'closed'].includes(before.phase);
        if (ends || maxDurationMs === null || input.atMs < before.startedAtMs + maxDurationMs) continue;
        expect(events[0]).toMatchObject({ type: 'landing_started', limit: 'duration' });
      }
    });
  });

  it('that landed the run is the one in the result, and the first of all that were reached', () => {
    holds(({ shell }) => {
      const landing = shell.events.find((event) => event.type === 'landing_started');
      const { result } = shell.state;
      if (result?.outcome === 'limit' || result?.outcome === 'stopped')
        expect(landing).toMatchObject({ outcome: result.outcome, limit: result.limit });
      else expect(result?.limit).toBeNull();
      if (result?.limit) expect(result.limitsReached[0]).toBe(result.limit);
      expect(new Set(result?.limitsReached).size).toBe(result?.limitsReached.length);
    });
  });

  it('of steps allows exactly as many', () => {
    holds(({ shell }) => {
      if (shell.applied.some(({ input }) => input.type === 'control' && input.name === 'setLimits')) return;
      const { maxSteps } = limitsOf(shell.state);
      if (maxSteps === null || !shell.state.result) return;
      const { steps, limit } = shell.state.result;
      expect(steps).toBeLessThanOrEqual(maxSteps);
      if (limit === 'steps') expect(steps).toBe(maxSteps);
    });
  });

  it('is warned of at most once until it is raised, or comes out lower than it was taken to be', () => {
    holds(({ shell }) => {
      const ceilings = {
        cost: 'maxCostUsd',
        steps: 'maxSteps',
        tokens: 'maxTokens',
        duration: 'maxDurationMs',
      };
      const isChanged = shell.events.some(
        ({ type }) => type === 'limits_changed' || type === 'cost_reconciled',
      );
      const warnings = eventsOf(shell.events, 'limit_warning');
      for (const { limit, used, ceiling } of warnings) {
        expect(ceilings).toHaveProperty(limit);
        expect(used).toBeGreaterThanOrEqual(ceiling * 0.8);
        // What lost calls may have cost counts at its worst, but does not end the run as long as it may turn out less.
        if (limit !== 'cost') expect(used).toBeLessThan(ceiling);
      }
      if (!isChanged) expect(new Set(warnings.map(({ limit }) => limit)).size).toBe(warnings.length);
    });
  });
});

describe('steps', () => {
  it('are counted one by one, and numbered without going back or leaving one out', () => {
    holds(({ shell }) => {
      let step = 0;
      for (const event of shell.events) {
        if (event.type !== 'step_started' || event.purpose !== 'step') continue;
        expect([step, step + 1]).toContain(event.step);
        step = event.step;
      }
      const completed = shell.events.filter(
        (event) => event.type === 'model_completed' && event.purpose === 'step',
      );
      expect(completed.map((event) => 'step' in event && event.step)).toEqual(
        completed.map((_, index) => index),
      );
      expect(shell.state.stepsCompleted).toBe(completed.length);
    });
  });
});
