import type { DrawInput, DrawResult } from './budget-draw.js';

/** Over what a budget is counted; `total`: for ever. Days, weeks (from Monday) and months begin at midnight UTC. */
export type BudgetPeriod = 'day' | 'week' | 'month' | 'total';

/** The periods there are. */
export const BUDGET_PERIODS = ['day', 'week', 'month', 'total'] as const satisfies readonly BudgetPeriod[];

/** How much may be spent in each period. */
export interface BudgetLimit {
  /** 0 grants nothing more. */
  limitNanoUsd: number;
  period: BudgetPeriod;
}

/** What a run holds that has not settled yet. */
export interface BudgetGrant {
  runId: string;
  totalNanoUsd: number;
  /** The part of it that is charged to the present period. */
  inPeriodNanoUsd: number;
  /** When the first of it was granted. */
  sinceMs: number;
}

/** A budget that runs share. Runs that have settled leave nothing but their part of `usedNanoUsd`. */
export interface BudgetState extends BudgetLimit {
  name: string;
  /** Start of the present period; 0 for `total`. */
  periodStartMs: number;
  /** Charged to the present period: what settled runs spent of it, and all that open runs were granted in it. */
  usedNanoUsd: number;
  /** Of open runs, the oldest first. */
  grants: readonly BudgetGrant[];
}

/** A budget as people and programs see it. Money in integer nano-dollars and, for reading, in dollars. */
export interface BudgetView {
  name: string;
  period: BudgetPeriod;
  /** ISO times; `null` for `total`. */
  periodStart: string | null;
  periodEnd: string | null;
  limitUsd: number;
  limitNanoUsd: number;
  usedUsd: number;
  usedNanoUsd: number;
  /** What may still be granted in this period. */
  leftUsd: number;
  leftNanoUsd: number;
  openRuns: number;
  /** What open runs hold, the oldest first. There may be more open runs than are listed. */
  grants: { runId: string; grantedNanoUsd: number; inPeriodNanoUsd: number; since: string }[];
}

/**
 * Grants that are kept when a period turns, the newest ones. Runs that were terminated never settle, so without an end to it the state
 * would grow for years. Were a run among those let go still open, what it asks for next would be charged a second time, never missed.
 */
const MAX_KEPT_GRANTS = 5_000;

const DAY_MS = 86_400_000;

/** A budget of which nothing is used yet. */
export function newBudget(name: string, limit: BudgetLimit, atMs: number): BudgetState {
  const { limitNanoUsd, period } = limit;
  return {
    name,
    limitNanoUsd,
    period,
    periodStartMs: periodStart(period, atMs),
    usedNanoUsd: 0,
    grants: [],
  };
}

/**
 * Changes limit and period. What is used stays used, also when the new period is shorter or longer than the one before; a limit below it
 * takes nothing back and grants nothing more.
 */
export function setBudget(state: BudgetState, limit: BudgetLimit, atMs: number): BudgetState {
  const { limitNanoUsd, period } = limit;
  const turned = turnPeriod(state, atMs);
  const periodStartMs = period === turned.period ? turned.periodStartMs : periodStart(period, atMs);
  return { ...turned, limitNanoUsd, period, periodStartMs };
}

/**
 * Grants a run what it lacks of the total that it asks for, as far as there is something; what it has is never taken back. With `final`
 * the run settles: what it did not spend goes back, to this period only as far as it was granted in it. Drawing the same twice is
 * drawing it once, and a run that has settled begins anew.
 */
export function draw(
  state: BudgetState,
  input: DrawInput,
  atMs: number,
): { state: BudgetState; result: DrawResult } {
  const turned = turnPeriod(state, atMs);
  const { runId, totalNanoUsd } = input;
  const held = findGrant(turned, runId);
  if (input.final)
    return {
      state: held ? settle(turned, held, totalNanoUsd) : turned,
      result: { grantedNanoUsd: totalNanoUsd },
    };
  const before = held ?? { runId, totalNanoUsd: 0, inPeriodNanoUsd: 0, sinceMs: atMs };
  const granted = Math.min(Math.max(0, totalNanoUsd - before.totalNanoUsd), leftNanoUsd(turned));
  if (granted === 0) return { state: turned, result: { grantedNanoUsd: before.totalNanoUsd } };
  const grant: BudgetGrant = {
    ...before,
    totalNanoUsd: before.totalNanoUsd + granted,
    inPeriodNanoUsd: before.inPeriodNanoUsd + granted,
  };
  const grants = held ? turned.grants.map((one) => (one === held ? grant : one)) : [...turned.grants, grant];
  return {
    state: { ...turned, usedNanoUsd: turned.usedNanoUsd + granted, grants },
    result: { grantedNanoUsd: grant.totalNanoUsd },
  };
}

/** What a run holds that has not settled. */
export function findGrant(state: BudgetState, runId: string): BudgetGrant | undefined {
  return state.grants.find((grant) => grant.runId === runId);
}

/** The budget as it stands at a time, which may be later than the last change. */
export function viewBudget(state: BudgetState, atMs: number): BudgetView {
  const turned = turnPeriod(state, atMs);
  const { name, period, periodStartMs, limitNanoUsd, usedNanoUsd, grants } = turned;
  const left = leftNanoUsd(turned);
  const endMs = periodEnd(period, periodStartMs);
  return {
    name,
    period,
    periodStart: endMs === null ? null : toIso(periodStartMs),
    periodEnd: endMs === null ? null : toIso(endMs),
    limitUsd: limitNanoUsd / 1e9,
    limitNanoUsd,
    usedUsd: usedNanoUsd / 1e9,
    usedNanoUsd,
    leftUsd: left / 1e9,
    leftNanoUsd: left,
    openRuns: grants.length,
    grants: grants.map(({ runId, totalNanoUsd, inPeriodNanoUsd, sinceMs }) => ({
      runId,
      grantedNanoUsd: totalNanoUsd,
      inPeriodNanoUsd,
      since: toIso(sinceMs),
    })),
  };
}

/** A settled run may have spent more than it was granted; then the rest is charged too, since it is gone. */
function settle(state: BudgetState, held: BudgetGrant, spentNanoUsd: number): BudgetState {
  const back = Math.min(held.totalNanoUsd - spentNanoUsd, held.inPeriodNanoUsd);
  return {
    ...state,
    usedNanoUsd: state.usedNanoUsd - back,
    grants: state.grants.filter((grant) => grant !== held),
  };
}

function leftNanoUsd({ limitNanoUsd, usedNanoUsd }: BudgetState): number {
  return Math.max(0, limitNanoUsd - usedNanoUsd);
}

/** Begins a new period when the present one is over. Clocks of servers may go back; periods do not. */
function turnPeriod(state: BudgetState, atMs: number): BudgetState {
  const periodStartMs = periodStart(state.period, atMs);
  if (periodStartMs <= state.periodStartMs) return state;
  const grants = state.grants.slice(-MAX_KEPT_GRANTS).map((grant) => ({ ...grant, inPeriodNanoUsd: 0 }));
  return { ...state, periodStartMs, usedNanoUsd: 0, grants };
}

function periodStart(period: BudgetPeriod, atMs: number): number {
  const at = new Date(atMs);
  const midnightMs = Math.floor(atMs / DAY_MS) * DAY_MS;
  switch (period) {
    case 'day':
      return midnightMs;
    case 'week':
      return midnightMs - ((at.getUTCDay() + 6) % 7) * DAY_MS;
    case 'month':
      return Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1);
    case 'total':
      return 0;
  }
}

function periodEnd(period: BudgetPeriod, startMs: number): number | null {
  const start = new Date(startMs);
  switch (period) {
    case 'day':
      return startMs + DAY_MS;
    case 'week':
      return startMs + 7 * DAY_MS;
    case 'month':
      return Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 1);
    case 'total':
      return null;
  }
}

function toIso(atMs: number): string {
  return new Date(atMs).toISOString();
}
