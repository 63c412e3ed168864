import type { ErrorCode } from './errors.js';
import type { JsonValue } from './json.js';
import type { Ledger } from './ledger.js';
import type { PlannedCall } from './outcomes.js';
import type { LimitsInput, Prepared, RunInput } from './run-input.js';
import type { RunResult, LimitName } from './progress.js';
import type { CallResult } from './results.js';
import type { SayMode } from './controls.js';
import type { TranscriptItem } from './transcript.js';

/** Where one call of the current step stands. Each ends in `done` with exactly one result. */
export type CallStatus =
  /** Waits for a human's yes or no. */
  | 'gated'
  /** Waits for a human's answer. */
  | 'asking'
  /** Waits for a point in time. */
  | 'waiting'
  /** Edited arguments are being checked. */
  | 'checking'
  /** May run as soon as there is room. */
  | 'ready'
  | 'running'
  /** Was under way when it became unwanted. */
  | 'cancelling'
  /** Nobody knows whether it ran; a human must say. */
  | 'unknown'
  | 'done';

/** One call of the current step. */
export interface CallState {
  /** `s<step>.c<index>` */
  id: string;
  plan: PlannedCall;
  /** What runs: the model's arguments, or those a human put in their place. */
  args: string;
  status: CallStatus;
  /** How many times it was started again by a human after an unknown outcome. */
  rerun: number;
  /** How many times arguments were checked for it. */
  checks: number;
  requestedAtMs: number;
  /** When a `waiting` call ends, or a pending one expires. */
  dueAtMs: number | null;
  /** Edited arguments under check, and who sent them. */
  edit?: { args: JsonValue; by?: string; note?: string };
  /** Why the last edit was not taken. */
  editProblem?: string;
  edited?: true;
  note?: string;
  /** What the model sees, once done. */
  result?: string;
  /** How it ended, once done. */
  ended?: CallResult['status'];
}

/** A human's message that has not reached the model yet. */
export interface QueuedMessage {
  messageId: string;
  text: string;
  mode: SayMode;
}

/** Why a run is ending gracefully. */
export interface Landing {
  outcome: 'limit' | 'stopped' | 'failed';
  limit: LimitName | null;
  error: { code: ErrorCode; message: string } | null;
  /** Why, in words for the model. */
  reason: string;
}

/** The model call under way, and what is remembered between failures. */
export interface ModelState {
  call: { key: string; purpose: 'step' | 'landing'; status: 'running' | 'cancelling' } | null;
  /** Which of `[model, ...models]` is asked. */
  index: number;
  /** Calls started within this step, so that each has a key of its own. */
  tries: number;
  /** Waits after all models failed, in a row. */
  outageWaits: number;
  outageSinceMs: number | null;
  retryAtMs: number | null;
}

/** Everything a run knows. Plain JSON; continue-as-new carries it as it is. */
export interface RunState {
  version: 1;
  runId: string;
  /** Temporal's id of the first execution of the chain; part of idempotency keys. */
  firstRunId: string;
  /** `seq` of the next event. */
  seq: number;
  startedAtMs: number;
  closedAtMs: number | null;
  input: RunInput;
  prepared: Prepared | null;
  /** Ceilings that a human set before the run was prepared; they win over those prepared. */
  earlyLimits: LimitsInput;
  phase: 'preparing' | 'model' | 'calls' | 'closed';
  step: number;
  stepsCompleted: number;
  transcript: TranscriptItem[];
  /** Rolling hash over the transcript, see `rollHash`. */
  transcriptHash: string;
  model: ModelState;
  calls: CallState[];
  queue: QueuedMessage[];
  /** The last message ids, so that none is taken twice. */
  messageIds: string[];
  /** The last call ids that were decided. */
  decidedCallIds: string[];
  pause: { reason: 'asked' | 'payment' } | null;
  landing: Landing | null;
  cancelRequested: boolean;
  ledger: Ledger;
  unknownOutcomes: { callId: string; tool: string }[];
  artifacts: { callId: string; id: string; sizeBytes: number }[];
  result: RunResult | null;
}
