import type { FleetState, GovernorReply, GovernorReport } from '../core/model/governor.js';

export type { FleetState, GovernorReply, GovernorReport };

/** Workflow type of the governor. */
export const MODEL_GOVERNOR = 'modelGovernor';

/** Update by which a worker tells how it does and gets its share: `(report: GovernorReport) => GovernorReply`. */
export const GOVERNOR_REPORT = 'report';

/** Query: `() => FleetState`. */
export const GOVERNOR_STATE = 'state';

/** What a governor is started with: by the first worker that needs it, or by continue-as-new. */
export interface GovernorInput {
  /** Default: {@link GOVERNOR_DEFAULTS}, as for all that follows. */
  initialLimit?: number;
  maxLimit?: number;
  /** It ends when nobody has reported for so long. */
  idleMs?: number;
  /** It continues as new at so many events of history. */
  continueAsNewEvents?: number;
  /** What it was. Without it, it begins anew. */
  carried?: {
    /** Of the shape of `state`. */
    version: 1;
    state: FleetState;
  };
}

/** Our own choices: a server that never refuses is practically not held back. An event takes about a millisecond to replay. */
export const GOVERNOR_DEFAULTS = {
  initialLimit: 64,
  maxLimit: 1_000,
  idleMs: 600_000,
  continueAsNewEvents: 2_000,
} as const satisfies GovernorInput;

const MAX_MODEL_CHARS = 200;

/**
 * Id of the one governor of a key and a model.
 * @param fingerprint stands for server and key, and does not tell the key.
 */
export function governorId(fingerprint: string, model: string): string {
  return `longhaul-governor/${fingerprint}/${model.slice(0, MAX_MODEL_CHARS)}`;
}
