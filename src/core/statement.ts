import { canonicalJson, type JsonObject } from './json.js';

/** What an approver puts a signature under: one decision on one call of one run, as it was shown. */
export interface Statement {
  /** The run at which the decision was asked for. */
  runId: string;
  callId: string;
  /** `null` where no arguments are decided on, as for a question. */
  argsHash: string | null;
  /** `requestedAt` of the pending item, so that no signature holds for a later request of the same name. */
  requestedAt: string;
  decision: 'approve' | 'reject' | 'answer';
  /** Arguments in the place of the model's. */
  args?: JsonObject;
  /** `run`: every call of this tool from now on. */
  scope?: 'run';
  /** The note, or the answer. */
  text?: string;
}

/** Domain separation: a key that also signs other things must not sign this by accident. */
const PREFIX = 'longhaul-decision-v1\n';

/** The text whose UTF-8 bytes are signed with Ed25519. */
export function statementText(statement: Statement): string {
  return PREFIX + canonicalJson({ ...statement });
}
