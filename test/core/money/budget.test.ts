import {
  isBudgetName,
  readBudgetSettings,
  readDraw,
  readRelease,
} from '../../../src/core/money/budget-check.js';
import {
  draw,
  newBudget,
  setBudget,
  viewBudget,
  type BudgetPeriod,
  type BudgetState,
} from '../../../src/core/money/budget.js';

const at = (iso: string): number => Date.parse(iso);
const NOON = at('2026-03-18T12:00:00Z'); // A Wednesday.
const NEXT_NOON = at('2026-03-19T12:00:00Z');
const of = (limitNanoUsd: number, period: BudgetPeriod = 'day'): BudgetState =>
  newBudget('team', { limitNanoUsd, period }, NOON);
const ask = (state: BudgetState, runId: string, totalNanoUsd: number, atMs = NOON) =>
  draw(state, { budget: 'team', runId, totalNanoUsd }, atMs);
const settle = (state: BudgetState, runId: string, totalNanoUsd: number, atMs = NOON): BudgetState =>
  draw(state, { budget: 'team', runId, totalNanoUsd, final: true }, atMs).state;

describe('a budget', () => {
  it('grants what there is and never more than its limit', () => {
    const first = ask(of(100), 'a', 70);
    const second = ask(first.state, 'b', 70);
    expect([first.result.grantedNanoUsd, second.result.grantedNanoUsd]).toEqual([70, 30]);
    expect(ask(second.state, 'c', 1)).toEqual({ state: second.state, result: { grantedNanoUsd: 0 } });
  });

  it('takes nothing back from an open run, also when it asks for less', () => {
    const { state } = ask(of(100), 'a', 70);
    expect(ask(state, 'a', 20)).toEqual({ state, result: { grantedNanoUsd: 70 } });
    expect(setBudget(state, { limitNanoUsd: 10, period: 'day' }, NOON)).toMatchObject({
      usedNanoUsd: 70,
      grants: [{ runId: 'a', totalNanoUsd: 70 }],
    });
  });

  it('grants nothing more while its limit is below what is used', () => {
    const lowered = setBudget(ask(of(100), 'a', 70).state, { limitNanoUsd: 60, period: 'day' }, NOON);
    expect(ask(lowered, 'b', 5).result).toEqual({ grantedNanoUsd: 0 });
    expect(viewBudget(lowered, NOON)).toMatchObject({ usedNanoUsd: 70, leftNanoUsd: 0 });
    const raised = setBudget(lowered, { limitNanoUsd: 72, period: 'day' }, NOON);
    expect(ask(raised, 'b', 5).result).toEqual({ grantedNanoUsd: 2 });
  });

  it('takes back what a run did not spend, and forgets the run', () => {
    expect(settle(ask(of(100), 'a', 70).state, 'a', 25)).toEqual({ ...of(100), usedNanoUsd: 25 });
  });

  it('charges what a run spent beyond its grant', () => {
    const state = settle(ask(of(100), 'a', 70).state, 'a', 120);
    expect(state).toMatchObject({ usedNanoUsd: 120, grants: [] });
    expect(viewBudget(state, NOON).leftNanoUsd).toBe(0);
  });

  it('begins anew with each period, and leaves earlier grants charged to theirs', () => {
    const { state } = ask(of(100), 'a', 70);
    const later = ask(state, 'a', 90, NEXT_NOON);
    expect(later.result).toEqual({ grantedNanoUsd: 90 });
    expect(later.state).toMatchObject({
      usedNanoUsd: 20,
      grants: [{ runId: 'a', totalNanoUsd: 90, inPeriodNanoUsd: 20 }],
    });
    expect(settle(later.state, 'a', 80, NEXT_NOON).usedNanoUsd).toBe(10);
    expect(settle(later.state, 'a', 5, NEXT_NOON).usedNanoUsd).toBe(0);
  });

  it('stays in its period when a clock goes back', () => {
    const { state } = ask(of(100), 'a', 70, NEXT_NOON);
    expect(ask(state, 'b', 70, NOON)).toMatchObject({
      state: { usedNanoUsd: 100 },
      result: { grantedNanoUsd: 30 },
    });
  });

  it('keeps what is used when the period changes', () => {
    const { state } = ask(of(100), 'a', 70);
    expect(setBudget(state, { limitNanoUsd: 500, period: 'month' }, NOON)).toMatchObject({
      usedNanoUsd: 70,
      period: 'month',
      periodStartMs: at('2026-03-01T00:00:00Z'),
    });
  });

  it('begins anew with a run whose id was used before', () => {
    const settled = settle(ask(of(100), 'a', 70).state, 'a', 70);
    expect(ask(settled, 'a', 40)).toMatchObject({
      state: { usedNanoUsd: 100 },
      result: { grantedNanoUsd: 30 },
    });
  });

  it.each(['__proto__', 'constructor', 'toString'])(
    'knows a run that is called %s from the others',
    (runId) => {
      const { state, result } = ask(of(100), runId, 40);
      expect([result.grantedNanoUsd, state.grants.length]).toEqual([40, 1]);
      expect(ask(state, 'other', 100).result).toEqual({ grantedNanoUsd: 60 });
      expect(settle(state, runId, 10)).toMatchObject({ usedNanoUsd: 10, grants: [] });
    },
  );

  it('lets go of old grants in the end, though runs never settle', () => {
    let state = of(1e15);
    for (let index = 0; index < 5_100; index += 1) state = ask(state, `run-${index}`, 1).state;
    expect(state.grants).toHaveLength(5_100);
    const turned = ask(state, 'new', 1, NEXT_NOON).state;
    expect(turned.grants).toHaveLength(5_001);
    expect(turned.grants[0]?.runId).toBe('run-100');
  });
});

it.each<[BudgetPeriod, string, string]>([
  ['day', '2026-03-18T00:00:00.000Z', '2026-03-19T00:00:00.000Z'],
  ['week', '2026-03-16T00:00:00.000Z', '2026-03-23T00:00:00.000Z'],
  ['month', '2026-03-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z'],
])('counts a %s in UTC', (period, start, end) => {
  const { state } = ask(of(100, period), 'a', 10);
  expect(viewBudget(state, NOON)).toMatchObject({ periodStart: start, periodEnd: end, usedNanoUsd: 10 });
  expect(viewBudget(state, at(end) - 1).usedNanoUsd).toBe(10);
  expect(viewBudget(state, at(end))).toMatchObject({ periodStart: end, usedNanoUsd: 0, leftNanoUsd: 100 });
});

it('never begins anew without a period', () => {
  const { state } = ask(of(100, 'total'), 'a', 10);
  expect(viewBudget(state, at('2036-01-01T00:00:00Z'))).toMatchObject({
    periodStart: null,
    periodEnd: null,
    usedNanoUsd: 10,
  });
});

describe('what comes over the wire', () => {
  const invalid = expect.objectContaining({ code: 'INPUT_INVALID' });

  it('is read where it fits', () => {
    expect(readBudgetSettings({ limitUsd: 0.1, period: 'week' })).toEqual({
      limitNanoUsd: 1e8,
      period: 'week',
    });
    expect(readBudgetSettings({ limitUsd: 0 })).toEqual({ limitNanoUsd: 0, period: 'total' });
    expect(readDraw(of(1), { budget: 'team', runId: 'a', totalNanoUsd: 5, final: false })).toEqual({
      budget: 'team',
      runId: 'a',
      totalNanoUsd: 5,
    });
    expect(readRelease({ runId: 'a' })).toEqual({ runId: 'a', spentNanoUsd: 0 });
  });

  it.each([
    undefined,
    null,
    7,
    '50/day',
    [{ limitUsd: 1 }],
    {},
    { limitUsd: '50' },
    { limitUsd: -1 },
    { limitUsd: Number.NaN },
    { limitUsd: 1_000_001 },
    { limitUsd: 1, period: 'year' },
    { limitUsd: 1, period: null },
  ])('is refused as settings: %j', (payload) => {
    expect(() => readBudgetSettings(payload)).toThrow(invalid);
  });

  it.each([
    null,
    { runId: 'a', totalNanoUsd: 1 },
    { budget: 'other', runId: 'a', totalNanoUsd: 1 },
    { budget: 'team', runId: '', totalNanoUsd: 1 },
    { budget: 'team', runId: 7, totalNanoUsd: 1 },
    { budget: 'team', runId: 'x'.repeat(1_001), totalNanoUsd: 1 },
    { budget: 'team', runId: 'a' },
    { budget: 'team', runId: 'a', totalNanoUsd: -1 },
    { budget: 'team', runId: 'a', totalNanoUsd: 0.5 },
    { budget: 'team', runId: 'a', totalNanoUsd: 1e16 },
    { budget: 'team', runId: 'a', totalNanoUsd: 1, final: 'yes' },
  ])('is refused as a draw: %j', (payload) => {
    expect(() => readDraw(of(1), payload)).toThrow(invalid);
  });

  it('names a budget with few characters', () => {
    const names = ['team-a', 'A.b_9', 'x'.repeat(64), '', 'x'.repeat(65), 'a/b', 'a b', "a'b", 'ä', 7, null];
    expect(names.map(isBudgetName)).toEqual(names.map((_, index) => index < 3));
  });
});
