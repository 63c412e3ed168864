import type { Delegation } from '../core/outcomes.js';
import type { JsonObject, JsonValue } from '../core/json.js';
import type { ToolSpec } from './model.js';

/** What running a tool twice would mean. `once` must never run twice unasked. */
export type ToolEffect = 'read' | 'idempotent' | 'once';

/** What happens to a decision that nobody took in time. */
export type ExpiryPolicy = 'wait' | 'deny' | 'land';

/** What happens when nobody knows whether a call took effect: a human is asked, the model is told, or the run ends gracefully. */
export type UnknownPolicy = 'ask' | 'tell_model' | 'land';

/** What a tool's `execute`, `verify` and `approval` get beside the arguments. */
export interface ToolContext {
  /** The same over retries, continue-as-new and reset: hand it to whatever must not act twice. */
  idempotencyKey: string;
  /** Aborted on cancellation, timeout and worker shutdown. */
  signal: AbortSignal;
  /** Shows a line to watchers. Costs no history. */
  progress(text: string): void;
  runId: string;
  /** `s<step>.c<index>` from 0. */
  callId: string;
  /**
   * The run's shared values, a copy. What the tool puts in its first level is kept when the call ends well: it is checked against the
   * `shared` schema of the configuration, lives in the run's state and is there for later calls.
   */
  shared: JsonObject;
  /** Directory that file tools may touch, an absolute real path. */
  workspace: string;
  artifacts: ArtifactPort;
}

/** Keeps what is too large for the transcript, addressed by content. */
export interface ArtifactPort {
  /**
   * Stores text and returns its id (`sha256-<hex>`). Storing the same text again is a no-op. What a tool stores is listed in the run's
   * result, under `name` if it has one.
   */
  put(text: string, name?: string): Promise<{ id: string; sizeBytes: number }>;
  /**
   * Reads characters from `offset`.
   * @returns `null` for an unknown id.
   */
  read(
    id: string,
    range: { offset: number; length: number },
  ): Promise<{ text: string; totalChars: number } | null>;
}

/** Steps that the workflow itself carries out, durably; no activity runs. */
export type ToolControl =
  | { kind: 'wait'; durationMs: number }
  | { kind: 'ask'; question: string }
  | ({ kind: 'delegate' } & Delegation);

/** A tool as the registry holds it, after `defineTool` has filled in what was left out. */
export interface Tool {
  spec: ToolSpec;
  effect: ToolEffect;
  timeoutMs: number;
  onExpiry: ExpiryPolicy;
  /** `null`: never expires. */
  expiresInMs: number | null;
  /** When watchers are reminded of a decision that nobody took. Absent: at half of `expiresInMs`, if there is one. */
  remindInMs?: number;
  /** How many different people must approve. Absent: one. */
  approvals?: number;
  /** Who asked for the run may not approve. */
  separateApprover?: true;
  /** Absent: `ask`. */
  onUnknown?: UnknownPolicy;
  /** Attempts at a `read` or `idempotent` call. Absent: five. */
  maxAttempts?: number;
  /** Calls of this tool that one run may have under way at a time. Absent: as many as calls in all. */
  maxParallel?: number;
  /** What it returns comes from outside, where anybody may have written it. */
  untrusted?: true;
  /** To be called again with the same arguments is what it is for: it does not count as going in circles. */
  polling?: true;
  /** Hash of what a server outside says of the tool, which may change while a run goes on. Absent: it is part of the worker's code. */
  specHash?: string;
  /** Checks arguments against the tool's schema. Returns the parsed value, or what is wrong in words for the model. */
  parse(args: JsonValue): { ok: true; value: unknown } | { ok: false; message: string };
  /** Whether a human must say yes to this very call. May throw: then a human is asked. `tainted`: content from outside is in the context. */
  needsApproval(
    args: unknown,
    context: { runId: string; callId: string; tainted: boolean },
  ): Promise<boolean>;
  /** Present on tools that the workflow carries out. */
  control?(args: unknown): ToolControl;
  execute(args: unknown, context: ToolContext): Promise<unknown>;
  /** Finds out whether a call took effect whose outcome is unknown (timeout, lost worker). Absent: a human is asked. */
  verify?(args: unknown, context: ToolContext): Promise<ToolVerdict>;
}

/** What `verify` found out about a call. */
export type ToolVerdict = 'executed' | 'not_executed' | 'unknown';

/** The tools a worker has, by name. */
export interface ToolRegistry {
  get(name: string): Tool | undefined;
  names(): string[];
}
