import { chargedNanoUsd, toNanoUsd } from './ledger.js';
import type { LimitName } from './progress.js';
import { NO_LIMITS, type Limits } from './run-input.js';
import type { RunState } from './state.js';

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
 * The first ceiling that leaves no room for another step, or `null`.
 * A call whose cost nobody knows reaches a cost ceiling at once: what is unknown cannot be kept below anything.
 */
export function limitReached(state: RunState, atMs: number): LimitName | null {
  const limits = limitsOf(state);
  const { ledger } = state;
  if (limits.maxCostUsd !== null) {
    if (ledger.unknownCostCalls > 0 || chargedNanoUsd(ledger) >= toNanoUsd(limits.maxCostUsd)) return 'cost';
  }
  if (limits.maxSteps !== null && state.stepsCompleted >= limits.maxSteps) return 'steps';
  if (limits.maxTokens !== null && ledger.promptTokens + ledger.completionTokens >= limits.maxTokens)
    return 'tokens';
  const deadline = deadlineMs(state);
  if (deadline !== null && atMs >= deadline) return 'duration';
  return null;
}
