import type { Command } from 'commander';
import type { LimitsInput } from '../core/run-input.js';
import { given } from './command.js';
import { orNone, parseCount, parseDuration, parseUsd } from './parse-values.js';

/** The ceilings as commander gives them. */
export interface LimitFlags {
  maxCost?: number | 'none';
  maxSteps?: number | 'none';
  maxTokens?: number | 'none';
  maxDuration?: number | 'none';
}

/** Adds the flags of the ceilings. */
export function limitOptions(command: Command): Command {
  return command
    .option('--max-cost <usd>', 'most that it may cost, such as 2.50; none: no ceiling', orNone(parseUsd))
    .option('--max-steps <n>', 'most model calls', orNone(parseCount))
    .option('--max-tokens <n>', 'most tokens, read and written', orNone(parseCount))
    .option('--max-duration <time>', 'longest time, such as 3h, 90m, 45s or 1h30m', orNone(parseDuration));
}

/** The ceilings that were given; `null` takes one away. */
export function limitsOf({ maxCost, maxSteps, maxTokens, maxDuration }: LimitFlags): LimitsInput {
  const ceiling = (value: number | 'none' | undefined) => (value === 'none' ? null : value);
  return given<LimitsInput>({
    maxCostUsd: ceiling(maxCost),
    maxSteps: ceiling(maxSteps),
    maxTokens: ceiling(maxTokens),
    maxDurationMs: ceiling(maxDuration),
  });
}
