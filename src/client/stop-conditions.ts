import type { LimitsInput, RunInput } from '../core/run-input.js';

/** A ceiling as plain data, so that it survives everything that the run survives. */
export type StopCondition = { limits: LimitsInput } | { stopOnTool: string };

/** Lands before the run has cost more than this many dollars. */
export const maxCost = (usd: number): StopCondition => ({ limits: { maxCostUsd: usd } });

/** Allows exactly this many model calls of purpose `step`. */
export const stepCountIs = (steps: number): StopCondition => ({ limits: { maxSteps: steps } });

/** Lands once prompt and completion tokens sum up to this many. */
export const maxTokensUsed = (tokens: number): StopCondition => ({ limits: { maxTokens: tokens } });

/** Lands when the run is this old, in milliseconds. */
export const maxDuration = (durationMs: number): StopCondition => ({ limits: { maxDurationMs: durationMs } });

/** Lands after a call of this tool has ended. */
export const hasToolCall = (name: string): StopCondition => ({ stopOnTool: name });

/** The fields of a run's input that say the same as its conditions. The lowest of several ceilings of a kind counts. */
export function toLimits(
  input: RunInput,
  conditions: readonly StopCondition[],
): Pick<RunInput, 'limits' | 'stopOnTool'> {
  if (conditions.length === 0) return {};
  const limits: LimitsInput = { ...input.limits };
  const stopOnTool = [...(input.stopOnTool ?? [])];
  for (const condition of conditions) {
    if ('stopOnTool' in condition) stopOnTool.push(condition.stopOnTool);
    else
      for (const [key, value] of Object.entries(condition.limits)) {
        const name = key as keyof LimitsInput; // Object.entries forgets the names of keys.
        limits[name] = Math.min(limits[name] ?? value, value);
      }
  }
  return { limits, ...(stopOnTool.length > 0 && { stopOnTool }) };
}
