import { beginAgain, settleUnverified } from './calls.js';
import { finishCall } from '../closing.js';
import { emit, type Draft } from '../draft.js';
import { humanWords, withHumanWords } from '../human/human-words.js';
import { verifyKey } from '../keys.js';
import type { Outcome, Verification } from '../outcomes.js';
import { notRun } from './results.js';

/** Takes in what a tool found out about a call whose outcome was unknown. One that certainly did not act is begun again. */
export function settleVerification(draft: Draft, key: string, outcome: Outcome<Verification>): void {
  const call = draft.state.calls.find((one) => one.status === 'verifying' && verifyKey(one) === key);
  if (!call) return;
  const verdict = outcome.kind === 'ok' ? outcome.value.verdict : 'unknown';
  const { step } = draft.state;
  emit(draft, { type: 'outcome_verified', step, callId: call.id, tool: call.plan.name, verdict });
  if (verdict === 'unknown') return settleUnverified(draft, call);
  if (verdict === 'executed') {
    const content = 'The call took effect: its tool verified that afterwards. What it returned is lost.';
    return finishCall(draft, call.id, { status: 'ok', content: withHumanWords(call, content) });
  }
  if (beginAgain(draft, call)) return;
  const message = 'The call did not take effect: its tool verified that.';
  const status = draft.state.landing?.outcome === 'limit' ? 'refused_at_limit' : 'cancelled';
  finishCall(draft, call.id, notRun(status, message, humanWords(call)));
}
