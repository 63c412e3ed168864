import { passGate, requestDecision } from '../calls/calls.js';
import { finishCall, finishUnknown } from '../closing.js';
import type { Control, Decision } from './controls.js';
import { emit, patch, patchCall, type Draft } from '../draft.js';
import { findCall, type FoundCall } from './find-call.js';
import { withHumanWords } from './human-words.js';
import type { ArgsCheck } from '../inputs.js';
import type { JsonObject, JsonValue } from '../json.js';
import { checkKey } from '../keys.js';
import type { Outcome } from '../outcomes.js';
import { isSettlement, needsSignature, refuseBy, takesAnswer, takesDecision } from './refuse-decision.js';
import type { Refusal } from './refusal.js';
import { noteAnswer, relayTo } from './relays.js';
import { notRun } from '../calls/results.js';
import { approveForRun, recordDecision, standsFor } from './standing.js';
import type { CallState, SignedDecision } from '../state.js';
import type { DecisionVerdict } from './statement.js';

type Answer = Extract<Control, { kind: 'answer' }>;

/** Who decides, and with which words. */
interface Voice {
  by: string | undefined;
  note: string | undefined;
  forRun: boolean;
  signed: boolean;
  /** Put in the place of the model's arguments. */
  editedArgs?: JsonValue;
}

/** Carries a decision out. Refused ones never come here. */
export function decide(draft: Draft, decision: Decision): void {
  const given = findCall(draft.state, decision.callId, takesDecision(decision));
  if ('refusal' in given) return;
  const { found } = given;
  if (found.childCallId !== null) return handDown(draft, found, { kind: 'decide', ...decision });
  if (needsSignature(draft.state)) return checkSignature(draft, found.call, { kind: 'decide', ...decision });
  carryOut(draft, found.call, decision);
}

/** Carries an answer out: to a question, or about a call whose outcome was unknown. */
export function answer(draft: Draft, given: Answer): void {
  const sought = findCall(draft.state, given.callId, takesAnswer);
  if ('refusal' in sought) return;
  const { found } = sought;
  if (found.childCallId !== null) return handDown(draft, found, given);
  if (needsSignature(draft.state) && isSettlement(found)) return checkSignature(draft, found.call, given);
  finishAnswered(draft, found.call, { by: given.by, note: given.text, forRun: false, signed: false });
}

function handDown(draft: Draft, { call, childCallId }: FoundCall, control: SignedDecision['control']): void {
  const { kind: name, ...fields } = control;
  // A control was read from JSON, so its fields are.
  const payload = { ...fields, callId: childCallId } as JsonObject;
  relayTo(draft, call, { name, payload });
}

function checkSignature(draft: Draft, call: CallState, control: SignedDecision['control']): void {
  const { errands, signedDecisions } = draft.state;
  const { id: callId, plan, requestedAtMs } = call;
  const asked = { callId, tool: plan.name, argsHash: plan.gate?.argsHash ?? null, requestedAtMs };
  const signed = { key: `x${errands}`, ...asked, control };
  patch(draft, { signedDecisions: [...signedDecisions, signed], errands: errands + 1 });
}

function carryOut(draft: Draft, call: CallState, decision: Decision): void {
  const { args, by, note, scope } = decision;
  if (args !== undefined) {
    const forRun = scope === 'run' && { forRun: true as const };
    const edit = { args, ...(by !== undefined && { by }), ...(note !== undefined && { note }), ...forRun };
    return patchCall(draft, call.id, { status: 'checking', edit, checks: call.checks + 1 });
  }
  const voice = { by, note, forRun: scope === 'run', signed: false };
  if (decision.decision === 'approve') approve(draft, call, voice);
  else reject(draft, call, voice);
}

function reject(draft: Draft, call: CallState, voice: Voice): void {
  recordDecision(draft, call, { decision: 'reject', by: voice.by, note: voice.note, signed: voice.signed });
  if (call.status === 'unknown') return finishUnknown(draft, withNote(call, voice.note));
  finishCall(draft, call.id, notRun('rejected', 'A human rejected this call. It was not run.', voice.note));
}

function finishAnswered(draft: Draft, call: CallState, { by, note = '', signed }: Voice): void {
  recordDecision(draft, call, { decision: 'answer', by, note, signed });
  finishCall(draft, call.id, { status: 'ok', content: withHumanWords(call, note) });
}

/** A call with one more note of a human; what was noted before stays. */
function withNote(call: CallState, note: string | undefined): CallState {
  if (note === undefined) return call;
  return { ...call, note: call.note === undefined ? note : `${call.note}\n${note}` };
}

/** Counts an approval; with the last one that is needed, the call goes on. */
function approve(draft: Draft, call: CallState, voice: Voice): void {
  const noted = withNote(call, voice.note);
  const needed = call.plan.gate?.approvals ?? 1;
  const approvedBy = [...(call.approvedBy ?? []), { by: voice.by ?? '', forRun: voice.forRun }];
  if (approvedBy.length < needed) return countApproval(draft, { ...noted, approvedBy }, voice);
  const forRun = approvedBy.every((one) => one.forRun);
  recordDecision(draft, noted, {
    decision: 'approve',
    by: voice.by,
    note: voice.note,
    ...(voice.editedArgs !== undefined && { editedArgs: voice.editedArgs }),
    forRun,
    signed: voice.signed,
    ...(needed > 1 && { approvedBy: approvedBy.map(({ by }) => by) }),
  });
  patchCall(draft, call.id, noted);
  if (call.status === 'unknown') patchCall(draft, call.id, { status: 'ready', rerun: call.rerun + 1 });
  else passGate(draft, noted);
  if (forRun) passAlike(draft, call, voice);
}

function countApproval(draft: Draft, call: CallState, { by = '' }: Voice): void {
  patchCall(draft, call.id, call);
  const { name: tool, gate } = call.plan;
  const have = call.approvedBy?.length ?? 0;
  const needed = gate?.approvals ?? 1;
  emit(draft, { type: 'approval_counted', step: draft.state.step, callId: call.id, tool, by, have, needed });
}

/** An approval for the rest of the run lets the other calls of the tool go on that wait already. */
function passAlike(draft: Draft, approved: CallState, { by }: Voice): void {
  approveForRun(draft, approved, by ?? null);
  for (const call of draft.state.calls) {
    if (call.status !== 'gated' || !standsFor(draft.state, call)) continue;
    recordDecision(draft, call, { decision: 'approve', by, forRun: true });
    passGate(draft, call);
  }
}

/** Takes in what became of edited arguments: the call goes on with them, or stays pending as it was. */
export function settleArgsCheck(draft: Draft, key: string, outcome: Outcome<ArgsCheck>): void {
  const call = draft.state.calls.find((one) => one.status === 'checking' && checkKey(one) === key);
  if (!call) return;
  const { edit, editProblem: _, ...unedited } = call;
  const check: ArgsCheck =
    outcome.kind === 'ok'
      ? outcome.value
      : { ok: false, message: 'The arguments could not be checked. Decide again.' };
  if (!check.ok) {
    replaceCall(draft, { ...unedited, status: 'gated', editProblem: check.message });
    emit(draft, {
      type: 'control_rejected',
      control: 'decide',
      code: 'ARGS_INVALID',
      message: check.message,
      callId: call.id,
    });
    return;
  }
  const voice = { by: edit?.by, note: edit?.note, forRun: edit?.forRun === true, signed: false };
  approveEdited(draft, { ...unedited, status: 'gated' }, { check, voice, args: edit?.args ?? null });
}

/** Approves a call with other arguments. Approvals of the former ones do not count for these. */
function approveEdited(
  draft: Draft,
  call: CallState,
  edit: {
    check: Pick<ArgsCheck & { ok: true }, 'args' | 'argsHash' | 'control'>;
    voice: Voice;
    args: JsonValue;
  },
): void {
  const { check, voice, args } = edit;
  const { gate } = call.plan;
  const plan = {
    ...call.plan,
    ...(gate && { gate: { ...gate, argsHash: check.argsHash } }),
    ...(check.control && { control: check.control }),
  };
  const { approvedBy: _, ...uncounted } = call;
  const edited: CallState = { ...uncounted, plan, args: check.args, edited: true };
  replaceCall(draft, edited);
  approve(draft, edited, { ...voice, editedArgs: args });
  const now = draft.state.calls.find(({ id }) => id === call.id);
  if (now?.status !== 'gated') return;
  const again = { ...now, requestedAtMs: draft.atMs };
  replaceCall(draft, again);
  requestDecision(draft, again);
}

function replaceCall(draft: Draft, call: CallState): void {
  patch(draft, { calls: draft.state.calls.map((one) => (one.id === call.id ? call : one)) });
}

/** Takes in whether a signature holds; if so, the decision is carried out, unless another one came first. */
export function settleSignature(draft: Draft, key: string, outcome: Outcome<DecisionVerdict>): void {
  const signed = draft.state.signedDecisions.find((one) => one.key === key);
  if (!signed) return;
  patch(draft, { signedDecisions: draft.state.signedDecisions.filter((one) => one !== signed) });
  const refusal = carryOutSigned(draft, signed, outcome);
  noteAnswer(draft, key, refusal);
  if (refusal)
    emit(draft, {
      type: 'control_rejected',
      control: signed.control.kind,
      ...refusal,
      callId: signed.callId,
    });
}

function carryOutSigned(
  draft: Draft,
  { control, callId, requestedAtMs }: SignedDecision,
  outcome: Outcome<DecisionVerdict>,
): Refusal | null {
  if (outcome.kind !== 'ok')
    return { code: 'SIGNATURE_INVALID', message: 'The signature could not be checked. Decide again.' };
  const check = outcome.value;
  if (!check.ok) return { code: check.code, message: check.message };
  const fits = control.kind === 'decide' ? takesDecision(control) : takesAnswer;
  const sought = findCall(draft.state, callId, fits);
  if ('refusal' in sought) return sought.refusal;
  const { call } = sought.found;
  if (call.requestedAtMs !== requestedAtMs)
    return { code: 'ALREADY_DECIDED', message: `${callId} has changed since. Look at it again.` };
  const voice = { by: check.approver, note: noteOf(control), forRun: false, signed: true };
  if (control.kind === 'answer') {
    finishAnswered(draft, call, voice);
    return null;
  }
  const refusal = refuseBy(draft.state, call, { decision: control.decision, by: check.approver });
  if (refusal) return refusal;
  const full = { ...voice, forRun: control.scope === 'run' };
  if (check.edit && control.args)
    approveEdited(draft, call, { check: check.edit, voice: full, args: control.args });
  else if (control.decision === 'approve') approve(draft, call, full);
  else reject(draft, call, full);
  return null;
}

function noteOf(control: SignedDecision['control']): string | undefined {
  return control.kind === 'decide' ? control.note : control.text;
}
