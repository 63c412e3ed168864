import { canonicalJson, type JsonObject, type JsonValue } from '../json.js';
import type { PlannedCall } from '../outcomes.js';
import type { PendingItem } from '../progress.js';

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

/** The part of a {@link Statement} that a human chooses. */
export type Choice = Pick<Statement, 'decision' | 'args' | 'scope' | 'text'>;

/** What the activity that checks a signed decision is told. */
export interface CheckDecisionInput {
  /** The tool whose call is decided on. */
  name: string;
  /** What the signature must be for. */
  statement: Statement;
  /** 64 bytes in base64. */
  signature: string;
  /** Arguments in the place of the model's, as in the statement. */
  args?: JsonValue;
}

/** What became of a signed decision. `approver` is the name of who signed, or the key of one without a name. */
export type DecisionVerdict =
  | {
      ok: true;
      approver: string;
      /** The checked arguments, when there were some. */
      edit?: { args: string; argsHash: string; control?: PlannedCall['control'] & object };
    }
  | { ok: false; code: 'SIGNATURE_INVALID' | 'ARGS_INVALID'; message: string };

/** Domain separation: a key that also signs other things must not sign this by accident. */
const PREFIX = 'longhaul-decision-v1\n';

/** The text whose UTF-8 bytes are signed with Ed25519. */
export function statementText(statement: Statement): string {
  return PREFIX + canonicalJson({ ...statement });
}

/**
 * What a choice about a pending item comes to, ready to be signed.
 * @param runId the run that shows the item, and that is told of the decision.
 */
export function statementOf(
  runId: string,
  { callId, argsHash, requestedAt }: Pick<PendingItem, 'callId' | 'argsHash' | 'requestedAt'>,
  { decision, args, scope, text }: Choice,
): Statement {
  return {
    runId,
    callId,
    argsHash,
    requestedAt,
    decision,
    ...(args !== undefined && { args }),
    ...(scope !== undefined && { scope }),
    ...(text !== undefined && { text }),
  };
}
