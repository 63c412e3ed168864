import { isPending, passGate } from './calls.js';
import { finishCall, finishUnknown } from './closing.js';
import type { Control, Decision } from './controls.js';
import { emit, patch, patchCall, remember, type Draft } from './draft.js';
import type { ErrorCode } from './errors.js';
import type { ArgsCheck } from './inputs.js';
import type { Outcome } from './outcomes.js';
import { withHumanWords } from './human-words.js';
import { notRun } from './results.js';
import type { CallState, RunState } from './state.js';
import type { JsonValue } from './json.js';

/** Why a control is not taken. It changes nothing. */
export interface Refusal {
  code: ErrorCode;
  message: string;
}

type Answer = Extract<Control, { kind: 'answer' }>;
type Found = { call: CallState } | { refusal: Refusal };

/** The pending call a human means, or why there is none. */
function findCall(state: RunState, callId: string | undefined, fits: (call: CallState) => boolean): Found {
  if (callId === undefined) {
    const candidates = state.calls.filter((call) => isPending(call) && fits(call));
    const [only] = candidates;
    if (only && candidates.length === 1) return { call: only };
    return refuse(
      'CALL_NOT_PENDING',
      candidates.length === 0 ? 'No call waits for this.' : `${candidates.length} calls wait: name one.`,
    );
  }
  const call = state.calls.find((one) => one.id === callId);
  if (call && isPending(call)) {
    return fits(call)
      ? { call }
      : refuse(
          'CALL_NOT_PENDING',
          `${callId} waits for ${call.status === 'asking' ? 'an answer' : 'a decision'}.`,
        );
  }
  if (state.decidedCallIds.includes(callId))
    return refuse('ALREADY_DECIDED', `${callId} is decided; the first decision stands.`);
  const [, step] = /^s(\d+)\.c\d+$/.exec(callId) ?? [];
  if (
    call ||
    (step !== undefined && Number(step) < (state.phase === 'calls' ? state.step : state.stepsCompleted))
  )
    return refuse('CALL_NOT_PENDING', `${callId} waits for nothing.`);
  return refuse('CALL_NOT_FOUND', `This run has no call ${callId}.`);
}

const refuse = (code: ErrorCode, message: string): { refusal: Refusal } => ({ refusal: { code, message } });

const takesDecision = (decision: Decision) => (call: CallState) =>
  call.status !== 'asking' || decision.decision === 'reject';
const takesAnswer = (call: CallState) => call.status === 'asking' || call.status === 'unknown';

/** Why a decision cannot be taken, or `null`. */
export function refuseDecision(state: RunState, decision: Decision): Refusal | null {
  const found = findCall(state, decision.callId, takesDecision(decision));
  if ('refusal' in found) return found.refusal;
  const { gate } = found.call.plan;
  if (decision.argsHash !== undefined && gate && decision.argsHash !== gate.argsHash)
    return {
      code: 'ARGS_HASH_MISMATCH',
      message: `The arguments of ${found.call.id} are others than those decided on.`,
    };
  if (decision.args !== undefined && (decision.decision !== 'approve' || found.call.status !== 'gated'))
    return {
      code: 'ARGS_INVALID',
      message: `Arguments can only be edited when a call is approved before it ran.`,
    };
  return null;
}

/** Why an answer cannot be taken, or `null`. */
export function refuseAnswer(state: RunState, answer: Answer): Refusal | null {
  const found = findCall(state, answer.callId, takesAnswer);
  return 'refusal' in found ? found.refusal : null;
}

/** Carries a decision out. Refused ones never come here. */
export function decide(draft: Draft, decision: Decision): void {
  const found = findCall(draft.state, decision.callId, takesDecision(decision));
  if ('refusal' in found) return;
  const { call } = found;
  if (decision.args !== undefined) {
    const { args, by, note } = decision;
    const edit = { args, ...(by !== undefined && { by }), ...(note !== undefined && { note }) };
    return patchCall(draft, call.id, { status: 'checking', edit, checks: call.checks + 1 });
  }
  record(draft, call, { decision: decision.decision, by: decision.by, note: decision.note });
  if (decision.decision === 'approve') approve(draft, call, decision.note);
  else reject(draft, call, decision.note);
}

/** A call with one more note of a human; what was noted before stays. */
function withNote(call: CallState, note: string | undefined): CallState {
  if (note === undefined) return call;
  return { ...call, note: call.note === undefined ? note : `${call.note}\n${note}` };
}

function approve(draft: Draft, call: CallState, note: string | undefined): void {
  const noted = withNote(call, note);
  patchCall(draft, call.id, noted);
  if (call.status === 'unknown') patchCall(draft, call.id, { status: 'ready', rerun: call.rerun + 1 });
  else passGate(draft, noted);
}

function reject(draft: Draft, call: CallState, note: string | undefined): void {
  if (call.status === 'unknown') return finishUnknown(draft, withNote(call, note));
  finishCall(draft, call.id, notRun('rejected', 'A human rejected this call. It was not run.', note));
}

/** Carries an answer out: to a question, or about a call whose outcome was unknown. */
export function answer(draft: Draft, given: Answer): void {
  const found = findCall(draft.state, given.callId, takesAnswer);
  if ('refusal' in found) return;
  record(draft, found.call, { decision: 'answer', by: given.by, note: given.text });
  finishCall(draft, found.call.id, { status: 'ok', content: withHumanWords(found.call, given.text) });
}

function record(
  draft: Draft,
  call: CallState,
  made: {
    decision: 'approve' | 'reject' | 'answer';
    by?: string | undefined;
    note?: string | undefined;
    editedArgs?: JsonValue;
  },
): void {
  patch(draft, { decidedCallIds: remember(draft.state.decidedCallIds, call.id) });
  emit(draft, {
    type: 'decision_made',
    step: draft.state.step,
    callId: call.id,
    tool: call.plan.name,
    decision: made.decision,
    note: made.note ?? null,
    by: made.by ?? null,
    editedArgs: made.editedArgs ?? null,
  });
}

/** The key of the activity that checks edited arguments. */
export function checkKey(call: CallState): string {
  return `${call.id}.e${call.checks}`;
}

/** Takes in what became of edited arguments: the call goes on with them, or stays pending as it was. */
export function settleArgsCheck(draft: Draft, key: string, outcome: Outcome<ArgsCheck>): void {
  const call = draft.state.calls.find((one) => one.status === 'checking' && checkKey(one) === key);
  if (!call) return;
  const { edit, ...unedited } = call;
  const check: ArgsCheck =
    outcome.kind === 'ok'
      ? outcome.value
      : { ok: false, message: 'The arguments could not be checked. Decide again.' };
  const calls = (next: CallState) => draft.state.calls.map((one) => (one.id === call.id ? next : one));
  if (!check.ok) {
    patch(draft, { calls: calls({ ...unedited, status: 'gated', editProblem: check.message }) });
    emit(draft, {
      type: 'control_rejected',
      control: 'decide',
      code: 'ARGS_INVALID',
      message: check.message,
      callId: call.id,
    });
    return;
  }
  const { gate } = call.plan;
  const plan = {
    ...call.plan,
    ...(gate && { gate: { ...gate, argsHash: check.argsHash } }),
    ...(check.control && { control: check.control }),
  };
  const approved: CallState = { ...unedited, plan, args: check.args, edited: true, status: 'gated' };
  patch(draft, { calls: calls(approved) });
  record(draft, approved, {
    decision: 'approve',
    by: edit?.by,
    note: edit?.note,
    editedArgs: edit?.args ?? null,
  });
  approve(draft, approved, edit?.note);
}
