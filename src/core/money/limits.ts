import { chargedNanoUsd, openQuestions, sumOf, toNanoUsd } from './ledger.js';
import { isMetered } from '../metered.js';
import type { LimitName } from '../progress.js';
import { NO_LIMITS, type Limits } from '../run-input.js';
import type { RunState } from '../state.js';

/** The ceilings in force. */
export function limitsOf(state: RunState): Limits {
  if (state.prepared) return state.prepared.limits;
  const given: Record<string, unknown> = { ...Object(state.input.limits), ...state.earlyLimits };
  const limits = { ...NO_LIMITS };
  for (const key of LIMIT_KEYS) {
    const value = given[key];
    if (isLimit(key, value)) limits[key] = value;
  }
  return limits;
}

/** The names of the ceilings. */
export const LIMIT_KEYS = ['maxCostUsd', 'maxSteps', 'maxTokens', 'maxDurationMs'] as const;

/** Whether a value can be a ceiling. All but the cost are whole numbers. */
export function isLimit(key: keyof Limits, value: unknown): value is number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0 || value > 1e15) return false;
  return key === 'maxCostUsd' ? value <= 1e6 : Number.isInteger(value);
}

/** When the run's time is up, or `null`. */
export function deadlineMs(state: RunState): number | null {
  const { maxDurationMs } = limitsOf(state);
  return maxDurationMs === null ? null : state.startedAtMs + maxDurationMs;
}

/**
 * The first ceiling that is reached, or `null`. A call whose cost nobody knows reaches a cost ceiling at once: what is unknown
 * cannot be kept below anything.
 */
export function limitReached(state: RunState, atMs: number): LimitName | null {
  return limitsReached(state, atMs)[0] ?? null;
}

/** All ceilings that are reached. Whether money is left for a step of a metered run is the business of `quote`. */
export function limitsReached(state: RunState, atMs: number): LimitName[] {
  return limitUses(state, atMs)
    .filter(
      ({ name, used, ceiling }) => used >= ceiling || (name === 'cost' && state.ledger.unknownCostCalls > 0),
    )
    .map(({ name }) => name);
}

/** How much of each ceiling is used: nano-dollars, steps, tokens, milliseconds. Money that may come free again ends no run and warns nobody. */
export function limitUses(
  state: RunState,
  atMs: number,
): { name: 'cost' | 'steps' | 'tokens' | 'duration'; used: number; ceiling: number }[] {
  const { maxCostUsd, maxSteps, maxTokens, maxDurationMs } = limitsOf(state);
  const { ledger, stepsCompleted, startedAtMs } = state;
  const tokens = ledger.promptTokens + ledger.completionTokens;
  const openNanoUsd = isMetered(state) ? sumOf(openQuestions(ledger)) : 0;
  const uses = [
    {
      name: 'cost' as const,
      used: chargedNanoUsd(ledger) - openNanoUsd,
      ceiling: maxCostUsd === null ? null : toNanoUsd(maxCostUsd),
    },
    { name: 'steps' as const, used: stepsCompleted, ceiling: maxSteps },
    { name: 'tokens' as const, used: tokens, ceiling: maxTokens },
    { name: 'duration' as const, used: atMs - startedAtMs, ceiling: maxDurationMs },
  ];
  return uses.flatMap(({ name, used, ceiling }) => (ceiling === null ? [] : [{ name, used, ceiling }]));
}
