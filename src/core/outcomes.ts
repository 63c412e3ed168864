import type { JsonObject, JsonValue } from './json.js';

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
  gate?: { argsHash: string; summary: string; onExpiry?: 'deny' | 'land'; expiresInMs?: number };
  /** Absent means one minute. */
  timeoutMs?: number;
  /** Carried out by the workflow itself. */
  control?: { kind: 'wait'; durationMs: number } | { kind: 'ask'; question: string };
}

/** What a model activity returns. Short names where history pays for each byte; absent means zero, empty or not so. */
export interface ModelResult {
  text?: string;
  calls?: PlannedCall[];
  reasoning?: JsonValue[];
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
  /** The response cache gave the answer. */
  cached?: true;
}

/** What a tool activity returns. */
export interface ToolResult {
  /** What the model sees. */
  content: string;
  /** Present when the tool did not do what was asked. */
  status?: 'failed' | 'timed_out' | 'unknown_outcome';
  /** Where the whole output is kept when `content` was cut. */
  artifact?: { id: string; sizeBytes: number };
  attempt?: number;
}

/** How an activity ended, in terms that the workflow and its history agree on. */
export type Outcome<T> =
  | { kind: 'ok'; value: T }
  | { kind: 'failed'; code: string; message: string; retryable: boolean; details: JsonObject }
  /** No attempt ended in time, or the worker was lost. */
  | { kind: 'timed_out' }
  /** `neverStarted`: it was called off before the server heard of it. */
  | { kind: 'cancelled'; neverStarted?: true };
