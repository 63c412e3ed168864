import type { JsonObject, JsonValue } from './json.js';

/** What a sub-agent is asked to do. What is left out, it gets from the run that asks. */
export interface Delegation {
  goal: string;
  /** A subset of the tools of the run that asks. */
  tools?: string[];
  maxCostUsd?: number;
  maxSteps?: number;
}

/** What stands before a call: humans decide on exactly these arguments. */
export interface Gate {
  argsHash: string;
  summary: string;
  onExpiry?: 'deny' | 'land';
  expiresInMs?: number;
  remindInMs?: number;
  /** How many different people must approve; absent means one. */
  approvals?: number;
  /** Who asked for the run may not approve. */
  separate?: true;
  /** Why it is there, when the tool's own policy did not ask for it. */
  reason?: 'taint' | 'changed' | 'loop' | 'review';
}

/** A call as the model activity hands it over: arguments checked against the schema, the approval policy evaluated. */
export interface PlannedCall {
  /** The provider's tool call id, unique within the step. */
  id: string;
  name: string;
  /** JSON text of the argument object; `{}` when what the model wrote was no JSON. */
  args: string;
  /** Why the call cannot run; becomes its result. */
  problem?: { status: 'invalid_arguments' | 'unknown_tool'; message: string };
  /** Absent means `once`. */
  effect?: 'read' | 'idempotent';
  /** Present when a human must decide. */
  gate?: Gate;
  /** Absent means one minute. */
  timeoutMs?: number;
  /** Attempts at a call that may run again. Absent means five. */
  attempts?: number;
  /** Calls of this tool that may be under way at a time. */
  parallel?: number;
  /** Of the tool as it was when the call was judged, where that may change; the call runs with this one only. */
  specHash?: string;
  /** The tool can find out whether a call took effect. */
  verify?: true;
  /** Absent means that a human is asked. */
  onUnknown?: 'tell_model' | 'land';
  /** Carried out by the workflow itself. */
  control?:
    | { kind: 'wait'; durationMs: number }
    | { kind: 'ask'; question: string }
    | ({ kind: 'delegate' } & Delegation)
    /** Nothing is done: a human's yes is all that is asked for. */
    | { kind: 'accept' };
  /** To be repeated is what it is for. */
  polling?: true;
}

/** What a model activity returns. Short names where history pays for each byte; absent means zero, empty or not so. */
export interface ModelResult {
  text?: string;
  calls?: PlannedCall[];
  reasoning?: JsonValue[];
  phase?: string;
  /** In a run with a schema: where in `text` the value begins and ends that fits it, or why none does. */
  json?: [start: number, end: number];
  schemaProblem?: string;
  /** The model that answered. */
  model: string;
  finish: string;
  promptTokens: number;
  completionTokens: number;
  cachedTokens?: number;
  /** Absent: unknown. */
  costNanoUsd?: number;
  estimated?: true;
  generationId?: string;
  /** Attempt of the activity, when not the first. */
  attempt?: number;
  /** The response cache gave the answer, for nothing. */
  cached?: true;
  /** The generation that was paid for it, when the server names it. */
  cacheSourceId?: string;
}

/** What a tool activity returns. */
export interface ToolResult {
  /** What the model sees. */
  content: string;
  /** Present when the tool did not do what was asked. */
  status?: 'failed' | 'timed_out' | 'unknown_outcome';
  /** Where the whole output is kept when `content` was cut. */
  artifact?: { id: string; sizeBytes: number };
  /** What the tool itself put there. */
  artifacts?: { id: string; sizeBytes: number; name?: string }[];
  /** What the tool put into the run's shared values, by key; `null` takes a key away. */
  shared?: JsonObject;
  /** `content` comes from outside, where anybody may have written it. */
  untrusted?: true;
  attempt?: number;
}

/** What became known of a call whose outcome was unknown. */
export interface Verification {
  verdict: 'executed' | 'not_executed' | 'unknown';
}

/** How an activity ended, in terms that the workflow and its history agree on. `details` is what it left behind, see {@link traceOf}. */
export type Outcome<T> =
  | { kind: 'ok'; value: T }
  | { kind: 'failed'; code: string; message: string; retryable: boolean; details: JsonObject }
  /** No attempt ended in time, or the worker was lost. */
  | { kind: 'timed_out'; details?: JsonObject }
  /** `neverStarted`: it was called off before the server heard of it. */
  | { kind: 'cancelled'; neverStarted?: true; details?: JsonObject };

/** The code of a sub-agent that could not be started because a run of its name is under way. */
export const ALREADY_STARTED = 'WorkflowExecutionAlreadyStarted';

/** What a model call without an answer may have cost. */
export interface Trace {
  /** The request may have gone out, and the server did not say that it was for free. */
  mayHaveCost: boolean;
  generationId?: string;
}

/**
 * Reads what a model call left behind. A failure counts as sent unless it says otherwise; a call that timed out or was called off has
 * sent nothing unless it said so first: it makes sure that the server has its word before the request goes out.
 */
export function traceOf(outcome: Exclude<Outcome<unknown>, { kind: 'ok' }>): Trace {
  const { sent, unsent, unbilled, generationId } = outcome.details ?? {};
  const wasSent = outcome.kind === 'failed' ? unsent !== true : sent === true;
  return {
    mayHaveCost: wasSent && unbilled !== true,
    ...(typeof generationId === 'string' && { generationId }),
  };
}

/** What an activity learned about the cost of generations. Those that the server does not know yet are not there. */
export interface CostReport {
  found: { generationId: string; costNanoUsd: number; promptTokens: number; completionTokens: number }[];
  /** Those about which the server has said that it has no such question. Absent: none. */
  refused?: string[];
}
