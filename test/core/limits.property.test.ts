import type { RunEvent } from '../../src/core/events.js';
import { toNanoUsd } from '../../src/core/ledger.js';
import { limitsOf } from '../../src/core/limits.js';
import type { LimitName } from '../../src/core/progress.js';
import type { RunState } from '../../src/core/state.js';
import { holds } from './support/scenario.js';
import type { Simulator } from './support/simulator.js';
import type { Shell } from './support/shell.js';

/** What was spent, summed from the outcomes that were delivered and the events that say which of them counted. */
interface Tally {
  steps: number;
  confirmed: number;
  estimated: number;
  unknown: number;
  promptTokens: number;
  completionTokens: number;
  modelCalls: number;
}

function tally(events: readonly RunEvent[]): Tally {
  const sum: Tally = {
    steps: 0,
    confirmed: 0,
    estimated: 0,
    unknown: 0,
    promptTokens: 0,
    completionTokens: 0,
    modelCalls: 0,
  };
  for (const event of events) {
    if (event.type !== 'model_completed') continue;
    sum.modelCalls++;
    if (event.purpose === 'step') sum.steps++;
    if (event.costNanoUsd === null) sum.unknown++;
    else if (event.costEstimated) sum.estimated += event.costNanoUsd;
    else sum.confirmed += event.costNanoUsd;
    sum.promptTokens += event.promptTokens;
    sum.completionTokens += event.completionTokens;
  }
  return sum;
}

/** Every ceiling that is reached, found without the code under test. */
function reached(state: RunState, events: readonly RunEvent[], atMs: number): LimitName[] {
  const { maxCostUsd, maxSteps, maxTokens, maxDurationMs } = limitsOf(state);
  const sum = tally(events);
  const names: LimitName[] = [];
  if (maxCostUsd !== null && (sum.unknown > 0 || sum.confirmed + sum.estimated >= toNanoUsd(maxCostUsd)))
    names.push('cost');
  if (maxSteps !== null && sum.steps >= maxSteps) names.push('steps');
  if (maxTokens !== null && sum.promptTokens + sum.completionTokens >= maxTokens) names.push('tokens');
  if (maxDurationMs !== null && atMs >= state.startedAtMs + maxDurationMs) names.push('duration');
  return names;
}

function stepStarts(shell: Shell): { event: RunEvent; reached: LimitName[] }[] {
  return shell.applied.flatMap(({ after, events, eventCount, input }) =>
    events.flatMap((event, index) =>
      event.type === 'step_started' && event.purpose === 'step'
        ? [{ event, reached: reached(after, shell.events.slice(0, eventCount + index), input.atMs) }]
        : [],
    ),
  );
}

function usedStopTool({ stopTools, asked }: Simulator, step: number): boolean {
  return [...asked].some(
    ([callId, call]) => callId.startsWith(`s${step}.`) && stopTools.includes(call.name) && !call.problem,
  );
}

describe('a ceiling', () => {
  it('lets no step begin once it is reached', () => {
    holds(({ shell }) => {
      for (const { reached: names } of stepStarts(shell)) expect(names).toEqual([]);
    });
  });

  it('lands the run under its own name, and only when it is reached', () => {
    holds((simulator) => {
      for (const { before, after, events, eventCount, input } of simulator.shell.applied)
        for (const [index, event] of events.entries()) {
          if (event.type !== 'landing_started' || event.outcome !== 'limit') continue;
          const earlier = simulator.shell.events.slice(0, eventCount + index);
          const names = [before, after].flatMap((state) => reached(state, earlier, input.atMs));
          if (event.limit === 'tool') expect(usedStopTool(simulator, event.step)).toBe(true);
          else expect(names).toContain(event.limit);
        }
    });
  });

  it('of time comes before whatever is heard once it has passed', () => {
    holds(({ shell }) => {
      for (const { input, before, events } of shell.applied) {
        const { maxDurationMs } = limitsOf(before);
        const ends =
          before.landing || before.cancelRequested || ['preparing', 'closed'].includes(before.phase);
        if (ends || maxDurationMs === null || input.atMs < before.startedAtMs + maxDurationMs) continue;
        expect(events[0]).toMatchObject({ type: 'landing_started', limit: 'duration' });
      }
    });
  });

  it('that landed the run is the one in the result', () => {
    holds(({ shell }) => {
      const landing = shell.events.find((event) => event.type === 'landing_started');
      const { result } = shell.state;
      if (result?.outcome === 'limit' || result?.outcome === 'stopped')
        expect(landing).toMatchObject({ outcome: result.outcome, limit: result.limit });
      else expect(result?.limit).toBeNull();
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

describe('the ledger', () => {
  it('holds what the model calls said they cost, and only whole nano-dollars', () => {
    holds(({ shell }) => {
      const sum = tally(shell.events);
      expect(shell.state.ledger).toMatchObject({
        confirmedNanoUsd: sum.confirmed,
        estimatedNanoUsd: sum.estimated,
        unknownCostCalls: sum.unknown,
        promptTokens: sum.promptTokens,
        completionTokens: sum.completionTokens,
        modelCalls: sum.modelCalls,
      });
      expect(Object.values(shell.state.ledger).every(Number.isInteger)).toBe(true);
    });
  });

  it('has every model call that was started: completed, or lost', () => {
    holds(({ shell }) => {
      if (shell.applied.some(({ input }) => input.type === 'ended_outside')) return;
      const started = shell.starts.filter(({ work }) => work.kind === 'model').length;
      const { modelCalls, lostModelCalls } = shell.state.ledger;
      expect(modelCalls + lostModelCalls).toBe(started);
    });
  });

  it('takes in each delivered outcome as it was', () => {
    holds(({ shell }) => {
      for (const { input, before, after } of shell.applied) {
        if (
          input.type !== 'model_settled' ||
          input.outcome.kind !== 'ok' ||
          before.model.call?.key !== input.key
        )
          continue;
        const { costNanoUsd = 0, promptTokens, completionTokens } = input.outcome.value;
        const spent = after.ledger.confirmedNanoUsd + after.ledger.estimatedNanoUsd;
        expect(spent - before.ledger.confirmedNanoUsd - before.ledger.estimatedNanoUsd).toBe(costNanoUsd);
        expect(after.ledger.promptTokens - before.ledger.promptTokens).toBe(promptTokens);
        expect(after.ledger.completionTokens - before.ledger.completionTokens).toBe(completionTokens);
      }
    });
  });
});
