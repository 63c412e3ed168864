import { closeCalls, startReadyCalls } from './calls/calls.js';
import { assembleAnswer, beginLanding, brief, close, closeLanded } from './closing.js';
import { compactsInVain, landInVain, needsCompaction, partToSumUp, shorten } from './context/compaction.js';
import { patch, type Draft } from './draft.js';
import { drawMore } from './money/draws.js';
import { nextStepModel } from './fresh-state.js';
import { limitReached, limitsReached } from './money/limits.js';
import { climb, watchLoop } from './context/loop-guard.js';
import { takeMessages } from './messages.js';
import { isMetered } from './metered.js';
import { askFirstModelAgain } from './model/model-failure.js';
import { startModelCall } from './model/model-step.js';
import { quote, tooLittle, tooLittleForReview } from './money/quote.js';
import { failReview, leaveReview, settleReviewCalls, withdrawQuestion } from './review/reviewing.js';
import { staysIdle } from './session.js';
import type { ModelCall, ModelPurpose, RunState } from './state.js';
import { warnOfLimits } from './money/warnings.js';

/** Moves on as far as the state allows by itself. */
export function advance(draft: Draft): void {
  if (draft.state.phase === 'settling' || draft.state.phase === 'closed') return;
  if (draft.state.cancelRequested) return finishCancel(draft);
  if (draft.state.pause) return;
  if (draft.state.phase === 'calls') {
    if (draft.state.review.stage === 'human') withdrawQuestion(draft);
    startReadyCalls(draft);
    if (draft.state.calls.some((call) => call.status !== 'done')) return;
    if (draft.state.review.stage === null) endStep(draft);
    else settleReviewCalls(draft);
  }
  if (draft.state.phase === 'model') advanceModel(draft);
}

/** Every call of the step has its result. */
function endStep(draft: Draft): void {
  const { calls } = draft.state;
  const stopTool = stopToolRan(draft.state);
  const rung = watchLoop(draft);
  closeCalls(draft);
  if (stopTool) beginLanding(draft, { outcome: 'limit', limit: 'tool', error: null });
  if (rung !== null) climb(draft, rung, calls);
  if (!draft.state.landing)
    patch(draft, { step: draft.state.step + 1, model: nextStepModel(draft.state.model) });
}

function advanceModel(draft: Draft): void {
  if (draft.state.model.call || draft.state.draw?.call || staysIdle(draft)) return;
  // Whoever has spoken does not wait for the reviewer's next attempt.
  if (draft.state.review.stage !== null && draft.state.queue.length > 0) leaveReview(draft);
  const { model } = draft.state;
  if (model.retryAtMs !== null && model.retryAtMs > draft.atMs) return;
  // Its time has come, and a call that has to wait for money must not leave a timer behind that is due already.
  if (model.retryAtMs !== null) patch(draft, { model: { ...model, retryAtMs: null } });
  if (draft.state.review.stage !== null) return advanceReview(draft);
  if (!draft.state.landing) {
    const limit = limitReached(draft.state, draft.atMs);
    if (limit) beginLanding(draft, { outcome: 'limit', limit, error: null });
  }
  const { landing } = draft.state;
  takeMessages(draft, landing ? 'all' : 'steering');
  const purpose = landing ? 'landing' : 'step';
  if (landing) brief(draft, landing);
  if (!isMetered(draft.state)) return startModelCall(draft, purpose);
  askFirstModelAgain(draft);
  // A further attempt asks with the same words as the first, so that the response cache can answer it.
  if (!landing && model.heldTokens === null) warnOfLimits(draft);
  if (needsCompaction(draft.state)) return compact(draft);
  startIfAffordable(draft, purpose);
}

/** Goes on with the review of an answer. */
function advanceReview(draft: Draft): void {
  const { landing, review } = draft.state;
  // The run has its answer; the review only comes to no end.
  if (landing) closeLanded(draft, landing, review.answer);
  else if (limitsReached(draft.state, draft.atMs).includes('cost'))
    failReview(draft, 'The cost ceiling was reached before the answer was reviewed.');
  else startIfAffordable(draft, 'review');
}

/** Shortens the conversation: by a summary where the model can be asked for one, else by leaving out. */
function compact(draft: Draft): void {
  if (!draft.state.landing && compactsInVain(draft.state)) landInVain(draft);
  const part = draft.state.landing ? null : partToSumUp(draft.state);
  if (part) return startIfAffordable(draft, 'compaction', part);
  shorten(draft);
  advanceModel(draft);
}

function startIfAffordable(draft: Draft, purpose: ModelPurpose, upTo?: ModelCall['upTo']): void {
  const quoted = quote(draft.state, purpose);
  const { landing } = draft.state;
  switch (quoted.kind) {
    case 'yes':
      return startModelCall(draft, purpose, { allowance: quoted.allowance, ...(upTo && { upTo }) });
    case 'draw':
      return drawMore(draft, quoted.totalNanoUsd);
    case 'wait':
      return;
    case 'no':
      if (purpose === 'review') return failReview(draft, tooLittleForReview(quoted));
      if (purpose === 'compaction') {
        shorten(draft);
        return advanceModel(draft);
      }
      if (landing) return closeLanded(draft, landing, '');
      beginLanding(draft, tooLittle(draft.state, quoted));
      return advanceModel(draft);
  }
}

function finishCancel(draft: Draft): void {
  const { model, calls, phase } = draft.state;
  if (phase === 'preparing' || model.call || calls.some((call) => call.status === 'cancelling')) return;
  close(draft, { outcome: 'cancelled', answer: assembleAnswer(draft.state) });
}

/** Whether a call has run at which this run shall stop. */
function stopToolRan(state: RunState): boolean {
  const { stopOnTool } = state.input;
  const names = Array.isArray(stopOnTool) ? stopOnTool : [];
  const didNotRun = ['rejected', 'invalid_arguments', 'unknown_tool', 'cancelled', 'refused_at_limit'];
  return state.calls.some(
    ({ plan, ended }) => names.includes(plan.name) && ended !== undefined && !didNotRun.includes(ended),
  );
}
