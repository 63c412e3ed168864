import fc from 'fast-check';
import { draw, newBudget, setBudget, viewBudget, type BudgetState } from '../../../src/core/money/budget.js';

const HOUR_MS = 3_600_000;
const RUNS = ['a', 'b', 'c', 'd'];
const LIMIT = 1_000;

type Step =
  | { do: 'draw' | 'settle'; runId: string; nanoUsd: number }
  | { do: 'wait'; hours: number }
  | { do: 'set'; limitNanoUsd: number };

const drawing = fc.record({
  do: fc.constantFrom('draw' as const, 'draw' as const, 'settle' as const),
  runId: fc.constantFrom(...RUNS),
  nanoUsd: fc.integer({ min: 0, max: 600 }),
});
const waiting = fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 30 }) });
const setting = fc.record({
  do: fc.constant('set' as const),
  limitNanoUsd: fc.integer({ min: 0, max: 2_000 }),
});
const life = fc.array(fc.oneof({ weight: 8, arbitrary: drawing }, { weight: 2, arbitrary: waiting }), {
  maxLength: 60,
  size: 'max',
});
const lifeWithLimits = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: drawing },
    { weight: 2, arbitrary: waiting },
    { weight: 1, arbitrary: setting },
  ),
  { maxLength: 60, size: 'max' },
);

/** What was granted and spent, kept apart by period and without looking at the state. */
class Books {
  private settledNow = 0;
  private day = 0;
  private readonly open = new Map<string, { before: number; now: number }>();

  turn(atMs: number): void {
    const day = Math.floor(atMs / (24 * HOUR_MS));
    if (day === this.day) return;
    this.day = day;
    this.settledNow = 0;
    for (const [runId, { before, now }] of this.open) this.open.set(runId, { before: before + now, now: 0 });
  }

  held(runId: string): number {
    const { before, now } = this.open.get(runId) ?? { before: 0, now: 0 };
    return before + now;
  }

  granted(runId: string, total: number): void {
    const { before } = this.open.get(runId) ?? { before: 0 };
    if (total > 0) this.open.set(runId, { before, now: total - before });
  }

  /** Of what it spent, this period bears what earlier ones did not grant. */
  settled(runId: string, spent: number): void {
    const grant = this.open.get(runId);
    if (!grant) return;
    this.settledNow += Math.max(0, spent - grant.before);
    this.open.delete(runId);
  }

  get used(): number {
    return [...this.open.values()].reduce((sum, { now }) => sum + now, this.settledNow);
  }

  get openRuns(): string[] {
    return [...this.open.keys()].sort();
  }
}

interface Moment {
  before: BudgetState;
  after: BudgetState;
  step: Step;
  atMs: number;
  books: Books;
  granted: number;
  heldBefore: number;
}

function live(steps: readonly Step[], check: (moment: Moment) => void): BudgetState {
  let atMs = 0;
  let state = newBudget('x', { limitNanoUsd: LIMIT, period: 'day' }, atMs);
  const books = new Books();
  for (const step of steps) {
    if (step.do === 'wait') {
      atMs += step.hours * HOUR_MS;
      continue;
    }
    books.turn(atMs);
    const before = state;
    let granted = 0;
    const heldBefore = step.do === 'set' ? 0 : books.held(step.runId);
    if (step.do === 'set') state = setBudget(state, { limitNanoUsd: step.limitNanoUsd, period: 'day' }, atMs);
    else {
      const drawn = draw(state, inputOf(step), atMs);
      state = drawn.state;
      granted = drawn.result.grantedNanoUsd;
      if (step.do === 'settle') books.settled(step.runId, step.nanoUsd);
      else books.granted(step.runId, granted);
    }
    check({ before, after: state, step, atMs, books, granted, heldBefore });
  }
  return state;
}

function inputOf({ do: what, runId, nanoUsd }: Extract<Step, { runId: string }>) {
  return { budget: 'x', runId, totalNanoUsd: nanoUsd, ...(what === 'settle' && { final: true as const }) };
}

it('has used exactly what settled runs spent and open runs were granted in the period', () => {
  fc.assert(
    fc.property(lifeWithLimits, (steps) => {
      live(steps, ({ after, books }) => {
        expect(after.usedNanoUsd).toBe(books.used);
        expect(after.grants.map(({ runId }) => runId).sort()).toEqual(books.openRuns);
      });
    }),
  );
});

it('never grants beyond its limit, and never takes back what was granted', () => {
  fc.assert(
    fc.property(lifeWithLimits, (steps) => {
      live(steps, ({ before, after, step, atMs, granted, heldBefore }) => {
        if (step.do !== 'draw') return;
        const usedBefore = viewBudget(before, atMs).usedNanoUsd;
        expect(after.usedNanoUsd).toBeLessThanOrEqual(Math.max(usedBefore, after.limitNanoUsd));
        expect(granted).toBeGreaterThanOrEqual(heldBefore);
        expect(granted).toBeLessThanOrEqual(Math.max(heldBefore, step.nanoUsd));
      });
    }),
  );
});

it('is never used beyond a limit that stands, when no run spends more than it was granted', () => {
  fc.assert(
    fc.property(life, (steps) => {
      const held = new Map<string, number>();
      let state = newBudget('x', { limitNanoUsd: LIMIT, period: 'day' }, 0);
      let atMs = 0;
      for (const step of steps) {
        if (step.do === 'wait') {
          atMs += step.hours * HOUR_MS;
          continue;
        }
        const nanoUsd =
          step.do === 'settle' ? Math.min(step.nanoUsd, held.get(step.runId) ?? 0) : step.nanoUsd;
        const { state: next, result } = draw(state, inputOf({ ...step, nanoUsd }), atMs);
        state = next;
        if (step.do === 'settle') held.delete(step.runId);
        else held.set(step.runId, result.grantedNanoUsd);
        expect(state.usedNanoUsd).toBeLessThanOrEqual(LIMIT);
        expect(state.usedNanoUsd).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

it('counts the same draw and the same settlement once, however often they come', () => {
  fc.assert(
    fc.property(life, (steps) => {
      live(steps, ({ after, step, atMs, granted }) => {
        if (step.do === 'set' || step.do === 'wait') return;
        expect(draw(after, inputOf(step), atMs)).toEqual({
          state: after,
          result: { grantedNanoUsd: granted },
        });
      });
    }),
  );
});

it('keeps no run that has settled', () => {
  fc.assert(
    fc.property(life, (steps) => {
      const everyone = RUNS.map((runId): Step => ({ do: 'settle', runId, nanoUsd: 0 }));
      expect(live([...steps, ...everyone], () => undefined).grants).toEqual([]);
    }),
  );
});

const wishes = fc.array(fc.integer({ min: 0, max: 600 }), { minLength: 1, maxLength: 6 }).chain((amounts) =>
  fc.record({
    wished: fc.constant(amounts.map((nanoUsd, index) => ({ runId: `run-${index}`, nanoUsd }))),
    shuffled: fc.shuffledSubarray(
      amounts.map((nanoUsd, index) => ({ runId: `run-${index}`, nanoUsd })),
      { minLength: amounts.length, maxLength: amounts.length },
    ),
  }),
);
const grantAll = (limitNanoUsd: number, wished: readonly { runId: string; nanoUsd: number }[]) =>
  wished.reduce(
    (state, { runId, nanoUsd }) => draw(state, inputOf({ do: 'draw', runId, nanoUsd }), 0).state,
    newBudget('x', { limitNanoUsd, period: 'day' }, 0),
  );
const byRun = ({ grants }: BudgetState) => new Map(grants.map((grant) => [grant.runId, grant]));

it('gives every run what it asks for in whatever order, when there is enough', () => {
  fc.assert(
    fc.property(wishes, ({ wished, shuffled }) => {
      expect(byRun(grantAll(6_000, shuffled))).toEqual(byRun(grantAll(6_000, wished)));
    }),
  );
});

it('gives out as much in whatever order, when there is not enough', () => {
  fc.assert(
    fc.property(wishes, ({ wished, shuffled }) => {
      const sum = wished.reduce((all, { nanoUsd }) => all + nanoUsd, 0);
      expect(grantAll(LIMIT, shuffled).usedNanoUsd).toBe(Math.min(LIMIT, sum));
      expect(grantAll(LIMIT, wished).usedNanoUsd).toBe(Math.min(LIMIT, sum));
    }),
  );
});

it('comes to the same in whatever order runs settle', () => {
  fc.assert(
    fc.property(wishes, fc.integer({ min: 0, max: 700 }), ({ wished, shuffled }, spent) => {
      const settleAll = (order: readonly { runId: string }[]) =>
        order.reduce(
          (state, { runId }) => draw(state, inputOf({ do: 'settle', runId, nanoUsd: spent }), 0).state,
          grantAll(LIMIT, wished),
        );
      expect(settleAll(shuffled)).toEqual(settleAll(wished));
    }),
  );
});
