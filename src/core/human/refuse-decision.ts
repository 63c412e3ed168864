import { approverId, parseApprover } from './approvers.js';
import type { Control, Decision } from './controls.js';
import { findCall, type FoundCall } from './find-call.js';
import { MAX_RELAYS } from './relays.js';
import type { Refusal } from './refusal.js';
import type { CallState, RunState } from '../state.js';
import type { PendingItem } from '../progress.js';

type Answer = Extract<Control, { kind: 'answer' }>;

/** Signatures under check at a time. Beyond that a decision is refused and may be sent again. */
const MAX_SIGNED = 20;

/** Whether a decision of this kind can be made on what is pending. */
export const takesDecision = (decision: Decision) => (kind: PendingItem['kind']) =>
  kind !== 'question' || decision.decision === 'reject';

/** Whether what is pending can be answered. */
export const takesAnswer = (kind: PendingItem['kind']): boolean => kind !== 'decision';

/** Whether only signed decisions count in this run. */
export function needsSignature({ input }: RunState): boolean {
  return Array.isArray(input.approvers) && input.approvers.length > 0;
}

/** Why a decision cannot be taken, or `null`. */
export function refuseDecision(state: RunState, decision: Decision): Refusal | null {
  const given = findCall(state, decision.callId, takesDecision(decision));
  if ('refusal' in given) return given.refusal;
  const { found } = given;
  const { argsHash } = found.item;
  if (decision.argsHash !== undefined && argsHash !== null && decision.argsHash !== argsHash)
    return {
      code: 'ARGS_HASH_MISMATCH',
      message: `The arguments of ${found.item.callId} are others than those decided on.`,
    };
  const isApproval = decision.decision === 'approve' && found.item.kind === 'decision';
  // Others have approved arguments that are not the model's any more; who approves too must have seen these.
  const isEdited =
    found.childCallId === null && found.call.edited && (found.call.approvedBy ?? []).length > 0;
  if (isApproval && isEdited && decision.argsHash === undefined && decision.signature === undefined)
    return {
      code: 'ARGS_HASH_MISMATCH',
      message: `The arguments of ${found.item.callId} were edited. Approve them as they are now, with their argsHash ${argsHash ?? ''}.`,
    };
  if (decision.args !== undefined && !isApproval)
    return {
      code: 'ARGS_INVALID',
      message: `Arguments can only be edited when a call is approved before it ran.`,
    };
  if (decision.scope !== undefined && !isApproval)
    return {
      code: 'INPUT_INVALID',
      message: 'Only a call that waits for a decision can be approved for the run.',
    };
  if (found.childCallId !== null) return refuseRelay(state);
  return needsSignature(state)
    ? refuseUnsigned(state, decision)
    : refuseBy(state, found.call, { ...decision, by: decision.by });
}

/** Why an answer cannot be taken, or `null`. */
export function refuseAnswer(state: RunState, answer: Answer): Refusal | null {
  const given = findCall(state, answer.callId, takesAnswer);
  if ('refusal' in given) return given.refusal;
  const { found } = given;
  if (found.childCallId !== null) return refuseRelay(state);
  return needsSignature(state) && isSettlement(found) ? refuseUnsigned(state, answer) : null;
}

/** An answer to a question tells something; an answer about an unknown outcome decides. */
export function isSettlement({ item }: FoundCall): boolean {
  return item.kind === 'unknown_outcome';
}

function refuseRelay(state: RunState): Refusal | null {
  if (state.relays.length < MAX_RELAYS) return null;
  return {
    code: 'CALL_NOT_PENDING',
    message: `${MAX_RELAYS} decisions are on their way to sub-agents. Send this one again in a moment.`,
  };
}

function refuseUnsigned(
  state: RunState,
  { by, signature }: { by?: string; signature?: string },
): Refusal | null {
  if (signature === undefined)
    return {
      code: 'SIGNATURE_REQUIRED',
      message: 'This run takes signed decisions only. Sign with --sign KEYFILE.',
    };
  const names = (state.input.approvers ?? []).flatMap((line) => {
    const approver = parseApprover(line);
    return approver ? approverId(approver) : [];
  });
  if (by !== undefined && !names.includes(by))
    return { code: 'NOT_AN_APPROVER', message: `This run is decided by ${names.join(', ')}.` };
  if (state.signedDecisions.length < MAX_SIGNED) return null;
  return {
    code: 'SIGNATURE_INVALID',
    message: `${MAX_SIGNED} signatures are being checked. Send this one again in a moment.`,
  };
}

/** Blanks and capitals make nobody somebody else. */
function isSame(by: string, other: string | undefined): boolean {
  return other !== undefined && by.trim().toLowerCase() === other.trim().toLowerCase();
}

/** Why the one who decides may not approve this call, or `null`. */
export function refuseBy(
  state: RunState,
  call: CallState,
  { decision, by }: { decision: Decision['decision']; by: string | undefined },
): Refusal | null {
  const { gate } = call.plan;
  const isCounted = gate?.approvals !== undefined || gate?.separate === true;
  if (decision !== 'approve' || !isCounted) return null;
  if (by === undefined || by.trim() === '')
    return {
      code: 'NOT_AN_APPROVER',
      message: `Say who approves ${call.id}: it is asked who that is ("by").`,
    };
  if (gate?.separate && isSame(by, state.input.requestedBy))
    return {
      code: 'NOT_AN_APPROVER',
      message: `${by} asked for this run, so somebody else must approve ${call.id}.`,
    };
  if (call.approvedBy?.some((approval) => isSame(by, approval.by)))
    return { code: 'ALREADY_DECIDED', message: `${by} has approved ${call.id}; it waits for others.` };
  return null;
}
