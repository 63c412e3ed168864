import { isPending, toPending } from './calls.js';
import { beginLanding, finishCall } from '../closing.js';
import { emit, patchCall, toIso, type Draft } from '../draft.js';
import { withHumanWords } from '../human/human-words.js';
import { notRun } from './results.js';
import type { CallState } from '../state.js';

/** Settles calls whose time has come: waits that are over, decisions that nobody took. */
export function expireCalls(draft: Draft): void {
  // A call that has rested may be held back for another reason, and must not leave a timer behind that is due already.
  for (const { id, notBeforeMs } of draft.state.calls)
    if ((notBeforeMs ?? Infinity) <= draft.atMs) patchCall(draft, id, { notBeforeMs: null });
  for (const { id } of draft.state.calls) {
    remind(draft, id);
    const call = draft.state.calls.find((one) => one.id === id);
    if (!call || call.dueAtMs === null || call.dueAtMs > draft.atMs) continue;
    if (call.status === 'waiting') {
      const content = withHumanWords(call, `The wait is over. It is ${toIso(draft.atMs)}.`);
      finishCall(draft, call.id, { status: 'ok', content });
    } else if (call.status === 'gated' || call.status === 'checking') {
      expireDecision(draft, call);
    }
  }
}

/** Tells watchers once that nobody has decided yet. */
function remind(draft: Draft, callId: string): void {
  const call = draft.state.calls.find((one) => one.id === callId);
  if (typeof call?.remindAtMs !== 'number' || call.remindAtMs > draft.atMs) return;
  patchCall(draft, callId, { remindAtMs: null });
  if (!isPending(call) || draft.state.landing) return;
  emit(draft, { type: 'decision_reminder', step: draft.state.step, ...toPending(call) });
}

function expireDecision(draft: Draft, call: CallState): void {
  const policy = call.plan.gate?.onExpiry;
  patchCall(draft, call.id, { dueAtMs: null });
  if (policy === undefined) return;
  const { id: callId, plan } = call;
  const made = { step: draft.state.step, callId, tool: plan.name, decision: 'expired' as const };
  emit(draft, { type: 'decision_made', ...made, note: null, by: null, editedArgs: null });
  finishCall(draft, callId, notRun('rejected', 'Nobody decided on this call in time, so it was not run.'));
  const reason = 'Nobody decided in time on a call of this run, so the run ends.';
  if (policy === 'land') beginLanding(draft, { outcome: 'stopped', limit: null, error: null, reason });
}
