import type { ChildReport } from '../agents/child-run.js';
import type { JsonObject } from '../json.js';
import type { LimitsInput } from '../run-input.js';

/** How soon a message reaches the model: now, at the next step boundary, or when the run would otherwise end. */
export type SayMode = 'queue' | 'steer' | 'interrupt';

/** A human's word on a pending call. */
export interface Decision {
  /** May be left out where exactly one call is pending. */
  callId?: string;
  decision: 'approve' | 'reject';
  /** Takes the place of the model's arguments. */
  args?: JsonObject;
  note?: string;
  by?: string;
  /** Binds the decision to what was shown. */
  argsHash?: string;
  /** `run`: an approval of every call of this tool from now on. */
  scope?: 'run';
  /** Ed25519 over {@link statementText}, base64. */
  signature?: string;
}

/** What a human may ask of a run, by signal or update. */
export type Control =
  | ({ kind: 'decide' } & Decision)
  | { kind: 'say'; text: string; mode?: SayMode; messageId?: string; by?: string }
  | { kind: 'answer'; callId?: string; text: string; by?: string; signature?: string }
  | ({ kind: 'report' } & ChildReport)
  | { kind: 'pause' | 'resume' | 'stop'; by?: string; note?: string }
  | ({ kind: 'setLimits'; by?: string } & LimitsInput);

/** Names of the handlers, equal to {@link Control} kinds but for the two shorthands of `decide`. */
export type ControlName = Control['kind'] | 'approve' | 'reject';
