import type { ErrorCode } from './errors.js';
import type { JsonObject, JsonValue } from './json.js';
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
  /** Contained in the prompt tokens: those that a provider's prompt cache held. */
  cachedTokens: number;
  /** Calls with an answer. */
  modelCalls: number;
  lostModelCalls: number;
  /** Calls of which neither cost nor price is known. */
  unknownCostCalls: number;
  /** By `step`, `landing` and so on. */
  byPurpose: Record<string, AccountSpend>;
  byModel: Record<string, AccountSpend>;
}

/** A text that is kept in the blob store. */
export interface ArtifactNote {
  callId: string;
  id: string;
  sizeBytes: number;
  /** What its tool calls it. */
  name?: string;
}

/** The call by which content from outside entered the context. */
export interface TaintSource {
  callId: string;
  tool: string;
}

/** A human's word that every call of a tool may run from now on. */
export interface StandingApproval {
  tool: string;
  by: string | null;
  /** Holds for the tool as it was then. */
  specHash?: string;
}

/** A sub-agent that is under way. */
export interface AgentNote {
  /** The call that it carries out. */
  callId: string;
  /** Its own run id. */
  runId: string;
  goal: string;
  /** Its share of the budget; `null`: no ceiling. */
  maxCostUsd: number | null;
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
  /** Present where more than one person must approve. */
  approvals?: { by: string[]; needed: number };
  /** Who asked for the run may not approve. */
  separate?: true;
  /** Why a decision is asked for that the tool's own policy does not ask for. */
  reason?: 'taint' | 'changed' | 'loop' | 'review';
}

/** A control that was not taken. A signal cannot answer, so this is where its sender sees why. */
export interface RefusedNote {
  at: string;
  control: string;
  code: string;
  message: string;
  callId: string | null;
}

/** A decision as it is put on record. */
export interface DecidedNote {
  callId: string;
  tool: string;
  decision: 'approve' | 'reject' | 'answer' | 'expired';
  note: string | null;
  by: string | null;
  /** The arguments a human put in place of the model's. */
  editedArgs: JsonValue;
  /** Every call of the tool may run from now on, or this one does because of that. */
  scope?: 'run';
  /** The signature of the one who decided was checked. */
  signed?: true;
  /** All who approved, where more than one must. */
  approvedBy?: string[];
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
  artifacts: ArtifactNote[];
  /** Values that the tools of the run have shared. */
  shared: JsonObject;
  /** Where content from outside entered the context, or `null`. */
  taintedBy: TaintSource | null;
  /** `gaps`: what the reviewer found last; `problem`: why there was no verdict. */
  review: { rounds: number; passed: boolean; gaps: string | null; problem: string | null } | null;
  /** The answer as a value, in a run with a schema; `null` when there is none that fits. */
  output: JsonValue;
  error: { code: ErrorCode; message: string } | null;
}

/** What a run waits for that is no human; `null` in `Progress` while there is nothing of the kind. */
export interface WaitingNote {
  /** What the last model call failed of. */
  code: string | null;
  message: string;
  /** `null`: nobody knows how long. */
  until: string | null;
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
  waiting: WaitingNote | null;
  pending: PendingItem[];
  queuedMessages: number;
  lastRefused: RefusedNote | null;
  /** Whether side effects need a decision once content from outside has entered the context, and where it did. */
  taint: { policy: 'ask' | 'off'; by: TaintSource | null };
  /** Tools that a human has approved for the rest of the run. */
  standing: StandingApproval[];
  /** Sub-agents under way. */
  agents: AgentNote[];
  /** A session that waits for the next message; `until` is when it ends without one. */
  idle: { since: string; until: string; answer: string } | null;
  shared: JsonObject;
  /** How far the review of the answer is; `null` in a run without. */
  review: {
    round: number;
    rounds: number;
    stage: 'checks' | 'verdict' | 'human' | null;
    passed: boolean;
    gaps: string | null;
  } | null;
  /** How often the conversation was shortened. */
  compactions: number;
  /** Steps in a row without anything new. */
  repeats: number;
  startedAt: string;
  closedAt: string | null;
  result: RunResult | null;
}
