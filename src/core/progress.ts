import type { ErrorCode } from './errors.js';
import type { JsonValue } from './json.js';
import type { Limits } from './run-input.js';

/** What a watcher is told of a run's state. */
export type RunStatus = 'running' | 'waiting' | 'paused' | 'landing' | 'closed';

/** Which ceiling ended a run. */
export type LimitName = 'cost' | 'steps' | 'tokens' | 'duration' | 'tool' | 'loop';

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
  promptTokens: number;
  completionTokens: number;
  modelCalls: number;
  lostModelCalls: number;
  /** Calls of which neither cost nor price is known. */
  unknownCostCalls: number;
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
  spend: Spend;
  pending: PendingItem[];
  queuedMessages: number;
  startedAt: string;
  closedAt: string | null;
  result: RunResult | null;
}
