import type { ErrorCode } from './errors.js';
import type { ChildState, Parent, Reporting } from './agents/child-run.js';
import type { JsonObject, JsonValue } from './json.js';
import type { Ledger } from './money/ledger.js';
import type { PlannedCall } from './outcomes.js';
import type { CompactionState, LoopState, ReviewState } from './guard-state.js';
import type { LimitsInput, Prepared, RunInput } from './run-input.js';
import type { NotifyInput } from './human/notices.js';
import type {
  ArtifactNote,
  RunResult,
  LimitName,
  RefusedNote,
  StandingApproval,
  TaintSource,
} from './progress.js';
import type { CallResult } from './calls/results.js';
import type { Decision, SayMode, Control } from './human/controls.js';
import type { Refusal } from './human/refusal.js';
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
  /** Its outcome was unknown; the tool finds out whether it took effect. */
  | 'verifying'
  /** May run as soon as there is room. */
  | 'ready'
  | 'running'
  /** Was under way when it became unwanted. */
  | 'cancelling'
  /** Nobody knows whether it ran; a human must say. */
  | 'unknown'
  | 'done';

/** One of several approvals that a call needs. */
export interface Approval {
  by: string;
  forRun: boolean;
}

/** A signed decision whose signature is being checked. Others may come in and win meanwhile. */
export interface SignedDecision {
  key: string;
  callId: string;
  /** What was asked for when it was made. */
  tool: string;
  argsHash: string | null;
  /** `requestedAt` of the request that it was made for. */
  requestedAtMs: number;
  control: ({ kind: 'decide' } & Decision) | Extract<Control, { kind: 'answer' }>;
}

/** A control on its way to a sub-agent. */
export interface Relay {
  key: string;
  /** The call that the sub-agent carries out. */
  callId: string;
  childId: string;
  name: Control['kind'];
  payload: JsonObject;
}

/** What became of a control that took time; an update that asked for it answers with it. */
export interface Answered {
  key: string;
  refusal: Refusal | null;
}

/** One call of the current step. */
export interface CallState {
  /** `s<step>.c<index>` */
  id: string;
  plan: PlannedCall;
  /** What runs: the model's arguments, or those a human put in their place. */
  args: string;
  status: CallStatus;
  /** How many times it was started again: by a human after an unknown outcome, or because it certainly had not acted. */
  rerun: number;
  /** How many of these nobody was asked about, and before when the next one does not begin. */
  restarts?: number;
  notBeforeMs?: number | null;
  /** How many times arguments were checked for it. */
  checks: number;
  requestedAtMs: number;
  /** When a `waiting` call ends, or a pending one expires. */
  dueAtMs: number | null;
  /** When watchers are reminded of it. */
  remindAtMs?: number | null;
  /** Who has approved so far, where more than one must. */
  approvedBy?: Approval[];
  /** The sub-agent that carries it out. */
  child?: ChildState;
  /** Edited arguments under check, and who sent them. */
  edit?: { args: JsonValue; by?: string; note?: string; forRun?: true };
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
  /** The model has been told. */
  briefed?: true;
}

/** How a run is to end once its costs are settled. */
export type Ending = Pick<RunResult, 'outcome' | 'limit' | 'limitsReached' | 'answer' | 'error'>;

/** What a run has drawn from a budget that it shares with others. */
export interface Draw {
  grantedNanoUsd: number;
  /** The most that was asked for so far. */
  askedNanoUsd: number;
  /** The question under way. */
  call: { key: string; totalNanoUsd: number; final: boolean } | null;
  /** Questions so far, so that each has a key of its own. */
  count: number;
  /** The run has said what it spent. */
  settled: boolean;
}

/** What a model call may take: tokens to write, and the money that is held for it. */
export interface Allowance {
  maxOutputTokens: number;
  /** The most that the call can cost; `null` where no price is known and no ceiling asks for one. */
  reservedNanoUsd: number | null;
  /** The ceiling that left less room for the answer than the run asked for. */
  clampedBy: 'cost' | 'tokens' | null;
}

/** The size of a prompt as the server counted it, from which the next one only grows. */
export interface Calibration {
  /** Tokenizers differ from model to model. */
  model: string;
  /** Transcript items in that prompt. */
  version: number;
  promptTokens: number;
}

/** What a model is asked for. */
export type ModelPurpose = 'step' | 'landing' | 'review' | 'compaction';

/** The model call under way. */
export interface ModelCall {
  key: string;
  purpose: ModelPurpose;
  status: 'running' | 'cancelling';
  /** What it may take. Absent before behaviour 2. */
  allowance?: Allowance;
  /** The beginning of the transcript that is to be summed up. */
  upTo?: { version: number; hash: string };
}

/** The model call under way, and what is remembered between failures. */
export interface ModelState {
  call: ModelCall | null;
  /** Which of `[model, ...models]` is asked. */
  index: number;
  /** Calls started within this step, so that each has a key of its own. */
  tries: number;
  /** Attempts that failed with the present model, in a row. */
  failures: number;
  /** Attempts that were lost with their worker, in a row. */
  losses: number;
  /** Attempts that were made again in another way, in a row. */
  repeats: number;
  /** Output tokens of the first attempt: the next one asks for the same bytes, so that the response cache can answer it. */
  heldTokens: number | null;
  /** The ceiling that had lowered them. */
  heldBy: Allowance['clampedBy'];
  /** The server has said what can be afforded, and was believed once. */
  lowered: boolean;
  /** The closing call is made without tools, because `tool_choice: none` was refused. */
  toolsOmitted: boolean;
  /** Waits after all models failed, in a row. */
  outageWaits: number;
  outageSinceMs: number | null;
  retryAtMs: number | null;
  /** What the last attempt failed of, while the next one is waited for. */
  problem?: { code: string; message: string };
  /** When the first model is asked again, while another one answers in its place. */
  coolUntilMs: number | null;
  /** A model that was asked since the last answer failed in a way that passes. */
  mayRecover: boolean;
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
  /** The run that this one goes on from. */
  forkOf: string | null;
  prepared: Prepared | null;
  /** Ceilings that a human set before the run was prepared; they win over those prepared. */
  earlyLimits: LimitsInput;
  /** `settling`: all is done but for costs that the server has not confirmed yet. */
  phase: 'preparing' | 'model' | 'calls' | 'settling' | 'closed';
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
  /** `null` before the first answer. */
  calibration: Calibration | null;
  /** The question under way about what calls have cost, by charge. */
  inquiry: { key: string; chargeIds: string[] } | null;
  /** Such questions so far. */
  inquiries: number;
  /** `null`: the run draws from no shared budget. */
  draw: Draw | null;
  /** Ceilings of which model and watchers were warned. */
  warned: LimitName[];
  ending: Ending | null;
  settleUntilMs: number | null;
  unknownOutcomes: { callId: string; tool: string }[];
  artifacts: ArtifactNote[];
  /** Values that the tools of the run share. */
  shared: JsonObject;
  /** The first content from outside that entered the context. */
  tainted: TaintSource | null;
  /** Tools that need no decision any more. */
  standing: StandingApproval[];
  signedDecisions: SignedDecision[];
  relays: Relay[];
  /** Decision checks and relays so far, so that each has a key of its own. */
  errands: number;
  /** The last of them that ended. */
  answered: Answered[];
  /** Messages to the webhook under way. */
  notices: NotifyInput[];
  /** Such messages so far. */
  noticeCount: number;
  /** Of a session that waits for the next message. */
  idle: { sinceMs: number; answer: string } | null;
  /** The run that has delegated its goal to this one. */
  parent: Parent | null;
  reporting: Reporting;
  /** Sub-agents so far. */
  childCount: number;
  /** The last control that was not taken. */
  lastRefused: RefusedNote | null;
  /** How the run ended, while those who wait for it are told. */
  farewell: RunResult | null;
  review: ReviewState;
  compaction: CompactionState;
  loop: LoopState;
  /** What people said and decided, in short: kept when the conversation is shortened. */
  record: string[];
  /** The step of an answer that was refused, and was to be given again. */
  repairedStep: number | null;
  /** The last answer by its schema. */
  output: JsonValue;
  result: RunResult | null;
}
