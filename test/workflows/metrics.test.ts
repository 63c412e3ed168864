import type { Progress, Spend } from '../../src/core/progress.js';
import { createMetrics } from '../../src/workflows/metrics.js';
import { progressOf, resultOf, SPEND } from '../cli/support.js';

const counts = new Map<string, number>();
let continuedFrom: string | undefined;

jest.mock('@temporalio/workflow', () => ({
  workflowInfo: () => ({ continuedFromExecutionRunId: continuedFrom }),
  metricMeter: {
    createCounter: (name: string) => ({
      add(value: number, tags: Record<string, string> = {}) {
        if (value === 0) return;
        const key = [
          name.replace('longhaul_', ''),
          ...Object.keys(tags)
            .sort()
            .map((tag) => tags[tag]),
        ].join(' ');
        counts.set(key, (counts.get(key) ?? 0) + value);
      },
    }),
  },
}));

beforeEach(() => {
  counts.clear();
  continuedFrom = undefined;
});

const EMPTY: Spend = { ...SPEND, costUsd: 0, costNanoUsd: 0, modelCalls: 0, byPurpose: {}, byModel: {} };

/** A run that has spent as much on steps with one model. */
function spent(costNanoUsd: number, fields: Partial<Spend> = {}): Progress {
  const account = { calls: 1, costNanoUsd, estimatedNanoUsd: fields.estimatedNanoUsd ?? 0 };
  return progressOf({
    spend: { ...EMPTY, costNanoUsd, byPurpose: { step: account }, byModel: { m: account }, ...fields },
  });
}

const closed = (progress: Progress, fields: Parameters<typeof resultOf>[0] = {}): Progress => ({
  ...progress,
  status: 'closed',
  result: resultOf({ spend: progress.spend, ...fields }),
});

describe('the metrics of a run', () => {
  it('count what has changed, by purpose and model', () => {
    const count = createMetrics();
    count(progressOf({ spend: EMPTY }));
    count(spent(100));
    count(spent(100));
    count(spent(250, { lostModelCalls: 1 }));
    expect(Object.fromEntries(counts)).toEqual({
      'cost_nano_usd confirmed m step': 250,
      'model_calls m step': 1,
      lost_model_calls: 1,
    });
  });

  it('take the first look for what was there before', () => {
    const count = createMetrics();
    count(spent(1_000, { lostModelCalls: 2 }));
    count(spent(1_001, { lostModelCalls: 2 }));
    expect(Object.fromEntries(counts)).toEqual({ 'cost_nano_usd confirmed m step': 1 });
  });

  it('count at the end, once, how it came and what was never confirmed', () => {
    const count = createMetrics();
    count(progressOf({ spend: EMPTY }));
    count(spent(100, { estimatedNanoUsd: 900, lostNanoUsd: 900 }));
    expect(counts.has('cost_nano_usd estimated m step')).toBe(false);
    const end = closed(spent(150, { estimatedNanoUsd: 40, lostNanoUsd: 40 }), {
      outcome: 'limit',
      limit: 'cost',
    });
    count(end);
    count(end);
    expect(Object.fromEntries(counts)).toEqual({
      'cost_nano_usd confirmed m step': 150,
      'cost_nano_usd estimated m step': 40,
      lost_cost_nano_usd: 40,
      'model_calls m step': 1,
      'runs_closed cost limit': 1,
    });
  });

  it.each([
    ['leave to another run what it has spent', undefined, {}],
    [
      'count what earlier executions of the run left to the last',
      'before',
      { 'cost_nano_usd estimated m step': 40, lost_cost_nano_usd: 40 },
    ],
  ])('%s', (_what, before, expected) => {
    continuedFrom = before;
    const count = createMetrics();
    const same = spent(100, { estimatedNanoUsd: 40, lostNanoUsd: 40 });
    count(same);
    count(closed(same));
    expect(Object.fromEntries(counts)).toEqual({ 'runs_closed none done': 1, ...expected });
  });

  it('keep both sums right where a change concerns several purposes and models', () => {
    const account = (costNanoUsd: number) => ({ calls: 0, costNanoUsd, estimatedNanoUsd: 0 });
    const count = createMetrics();
    count(progressOf({ spend: EMPTY }));
    count(
      progressOf({
        spend: {
          ...EMPTY,
          byPurpose: { step: account(70), landing: account(30) },
          byModel: { first: account(45), second: account(55) },
        },
      }),
    );
    const sumOf = (name: string) =>
      [...counts].filter(([key]) => key.split(' ').includes(name)).reduce((sum, [, value]) => sum + value, 0);
    expect(['step', 'landing', 'first', 'second'].map(sumOf)).toEqual([70, 30, 45, 55]);
  });
});
