import type { ErrorCode } from './errors.js';
import type { JsonValue } from './json.js';
import type { Limits } from './run-input.js';

/** What a watcher is told of a run's state. */
export type RunStatus = 'running' | 'waiting' | 'paused' | 'landing' | 'closed';

/** Which ceiling ended a run. */
export type LimitName = 'cost' | 'steps' | 'tokens' | 'duration' | 'tool' | 'loop';

/** What one purpose or one model has cost. */
export interface AccountSpend {
  /** Calls with an answer. */
  calls: number;
  /** Confirmed by the server. */
  costNanoUsd: number;
  /** Charged but not confirmed. */
  estimatedNanoUsd: number;
}

/** The run's money and tokens, contract §6. */
export interface Spend {
  /** `costNanoUsd` / 1e9. */
  costUsd: number;
  /** Confirmed by the server. */
  costNanoUsd: number;
  /** Held for calls under way. */
  reservedNanoUsd: number;
  /** Charged but not confirmed; not contained in `costNanoUsd`. */
  estimatedNanoUsd: number;
  /** Contained in the costs above: what went into calls that brought no answer. */
  lostNanoUsd: number;
  /** Contained in the costs above: what the run was continued with, see `fork`. */
  inheritedNanoUsd: number;
  promptTokens: number;
  completionTokens: number;
  /** Calls with an answer. */
  modelCalls: number;
  lostModelCalls: number;
  /** Calls of which neither cost nor price is known. */
  unknownCostCalls: number;
  /** By `step`, `landing` and so on. */
  byPurpose: Record<string, AccountSpend>;
  byModel: Record<string, AccountSpend>;
}

/** Something that waits for a human. */
export interface PendingItem {
  kind: 'decision' | 'question' | 'unknown_outcome';
  callId: string;
  tool: string;
  args: JsonValue;
  argsHash: string | null;
  summary: string;
  requestedAt: string;
  expiresAt: string | null;
}

/** How a run ended, contract §6. */
export interface RunResult {
  runId: string;
  outcome: 'done' | 'limit' | 'stopped' | 'cancelled' | 'failed';
  limit: LimitName | null;
  /** All ceilings that were reached when the run ended; `limit` is the first of them. */
  limitsReached: LimitName[];
  answer: string;
  /** Completed model calls of purpose `step`. */
  steps: number;
  spend: Spend;
  unknownOutcomes: { callId: string; tool: string }[];
  review: { rounds: number; passed: boolean } | null;
  error: { code: ErrorCode; message: string } | null;
}

/** What `show --json` and the query `progress` give, contract §6. */
export interface Progress {
  runId: string;
  status: RunStatus;
  goal: string;
  model: string;
  step: number;
  limits: Limits;
  /** The shared budget that the run draws from. */
  budget: string | null;
  spend: Spend;
  /** All is done but for costs that are not confirmed yet, or not told to the shared budget. `status` is `landing`. */
  settling: boolean;
  pending: PendingItem[];
  queuedMessages: number;
  startedAt: string;
  closedAt: string | null;
  result: RunResult | null;
}
