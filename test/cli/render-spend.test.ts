import { renderProgress } from '../../src/cli/render-progress.js';
import { renderResult } from '../../src/cli/render-result.js';
import { costOf, formatShare } from '../../src/cli/render-spend.js';
import { renderList } from '../../src/cli/render-state.js';
import { createStyle } from '../../src/cli/style.js';
import type { Spend } from '../../src/core/progress.js';
import { progressOf, resultOf, SPEND } from './support.js';

const plain = createStyle(false);

/** All that there can be to say of money. */
const EVERYTHING: Spend = {
  ...SPEND,
  costUsd: 0.412,
  costNanoUsd: 412_000_000,
  estimatedNanoUsd: 20_000_000,
  reservedNanoUsd: 30_000_000,
  lostNanoUsd: 24_000_000,
  lostModelCalls: 2,
  inheritedNanoUsd: 100_000_000,
  unknownCostCalls: 1,
  byPurpose: {
    landing: { calls: 1, costNanoUsd: 12_000_000, estimatedNanoUsd: 0 },
    step: { calls: 12, costNanoUsd: 400_000_000, estimatedNanoUsd: 20_000_000 },
  },
  byModel: {
    'maker/first': { calls: 10, costNanoUsd: 312_000_000, estimatedNanoUsd: 20_000_000 },
    'maker/second': { calls: 3, costNanoUsd: 100_000_000, estimatedNanoUsd: 0 },
  },
};

const linesOf = (label: string, lines: string[]) => {
  const start = lines.findIndex((line) => line.trim().startsWith(label));
  const length = lines.slice(start + 1).findIndex((line) => !line.startsWith('            '));
  return lines.slice(start, start + 1 + length).map((line) => line.slice(12));
};

describe('what a run has cost', () => {
  it('is one amount of the ceiling when that is all', () => {
    expect(costOf(SPEND)).toBe('$0.5000');
    expect(costOf(SPEND, 2.5)).toBe('$0.5000 of $2.50 (20 %)');
  });

  it('contains what is not confirmed, and says so', () => {
    expect(costOf(EVERYTHING, 2.5)).toBe(
      '$0.4320 of $2.50 (17 %), $0.0200 of it not confirmed + 1 call of which nobody knows the cost',
    );
  });

  it.each([
    [0, '0 %'],
    [0.001, '< 1 %'],
    [0.999_999, '99 %'],
    [1, '100 %'],
    [12, '1,200 %'],
  ])('is a share that never rounds up (%d)', (used, words) => {
    expect(formatShare(used, 1)).toBe(words);
  });

  it('is shown in full while the run runs', () => {
    expect(linesOf('cost', renderProgress(progressOf({ spend: EVERYTHING }), plain))).toEqual([
      '$0.4320 of $2.50 (17 %), $0.0200 of it not confirmed + 1 call of which nobody knows the cost',
      '$0.0300 more held for what is under way',
      '$0.0240 of it for 2 attempts without an answer',
      '$0.1000 of it spent by the run that this one goes on from',
      'by purpose:',
      '  step     $0.4200  12 calls  $0.0200 not confirmed',
      '  landing  $0.0120  1 call',
      'by model:',
      '  maker/first   $0.3320  10 calls  $0.0200 not confirmed',
      '  maker/second  $0.1000  3 calls',
    ]);
  });

  it('is said once when the run has ended', () => {
    const result = resultOf({ spend: EVERYTHING });
    const lines = renderProgress(progressOf({ status: 'closed', spend: EVERYTHING, result }), plain);
    expect(lines.filter((line) => line.includes('without an answer'))).toHaveLength(1);
    expect(linesOf('cost', lines)).toHaveLength(1);
  });
});

describe('how a run stands', () => {
  it('names a shared budget', () => {
    expect(renderProgress(progressOf({ budget: 'team' }), plain).join('\n')).toMatch(/budget +team, shared/);
  });

  it('tells a run that only settles its costs', () => {
    expect(renderProgress(progressOf({ status: 'landing', settling: true }), plain)[1]).toMatch(
      /status +landing: settling costs/,
    );
  });

  it('names all limits that were reached, and what to do about the cost', () => {
    const lines = renderResult(
      resultOf({ outcome: 'limit', limit: 'cost', limitsReached: ['cost', 'steps'] }),
      plain,
      0.6,
    );
    expect(lines).toEqual([
      '■ limit (cost)  2 steps · 120 tokens · $0.5000 of $0.6000 (83 %)',
      '  limits reached: cost, steps',
      expect.stringContaining('longhaul fork r --max-cost USD'),
    ]);
    expect(
      renderResult(resultOf({ outcome: 'limit', limit: 'steps', limitsReached: ['steps'] }), plain),
    ).toHaveLength(1);
  });
});

describe('a list of runs', () => {
  const item = {
    temporalRunId: 't',
    parentId: null,
    status: 'closed',
    model: 'm',
    steps: 1,
    costUsd: 0.5,
    needsDecision: false,
    startedAt: '2026-01-01T00:00:00.000Z',
    closedAt: '2026-01-01T00:00:01.000Z',
  };

  it('tells how each has ended', () => {
    const lines = renderList(
      [
        { ...item, runId: 'a', outcome: 'done', limit: null },
        { ...item, runId: 'b', outcome: 'limit', limit: 'cost' },
        { ...item, runId: 'c', outcome: null, limit: null },
        {
          ...item,
          runId: 'd',
          outcome: null,
          limit: null,
          status: 'waiting',
          closedAt: null,
          needsDecision: true,
        },
      ],
      plain,
    );
    expect(lines.slice(1).map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual([
      ['a', 'done'],
      ['b', 'limit (cost)'],
      ['c', 'closed'],
      ['d', 'waiting (needs you)'],
    ]);
  });
});
