import type { LimitName, RunResult } from '../core/progress.js';

type Outcome = RunResult['outcome'];

const OUTCOMES: readonly Outcome[] = ['done', 'limit', 'stopped', 'cancelled', 'failed'];
const LIMITS: readonly LimitName[] = ['cost', 'steps', 'tokens', 'duration', 'tool', 'loop'];

/** What a run that has ended leaves in its memo, so that a list tells how it ended without reading its history. */
export function toRunMemo({ outcome, limit }: RunResult): Record<string, string> {
  return { outcome, ...(limit !== null && { limit }) };
}

/** Reads {@link toRunMemo}; `null` for what is not there. */
export function readRunMemo(memo: unknown): { outcome: Outcome | null; limit: LimitName | null } {
  const given: Record<string, unknown> = Object(memo);
  return {
    outcome: OUTCOMES.find((name) => name === given['outcome']) ?? null,
    limit: LIMITS.find((name) => name === given['limit']) ?? null,
  };
}
