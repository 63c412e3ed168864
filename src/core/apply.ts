import type { DrawResult } from './budget-draw.js';
import { settleChild, takeReport } from './agents.js';
import { closeCalls, expireCalls, settleTool, startReadyCalls } from './calls.js';
import { assembleAnswer, beginLanding, brief, close, closeLanded } from './closing.js';
import { compactsInVain, landInVain, needsCompaction, partToSumUp, shorten } from './compaction.js';
import { checkControl } from './controls-check.js';
import type { Control } from './controls.js';
import { answer, decide, settleArgsCheck, settleSignature } from './decisions.js';
import { emit, patch, patchCall, type Draft } from './draft.js';
import { drawMore, settleDraw } from './draws.js';
import { isErrorCode } from './errors.js';
import type { RunEvent } from './events.js';
import { inquire, settleInquiry } from './inquiries.js';
import type { Input } from './inputs.js';
import { lose } from './ledger.js';
import { deadlineMs, limitReached, limitsOf, limitsReached } from './limits.js';
import { climb, watchLoop } from './loop-guard.js';
import { isMetered } from './metered.js';
import { askFirstModelAgain } from './model-failure.js';
import { settleModel, startModelCall } from './model-step.js';
import { currentModel } from './models.js';
import type { Outcome } from './outcomes.js';
import { settleRelay } from './relays.js';
import { report, settleReport } from './reports.js';
import type { Prepared } from './run-input.js';
import { expireIdle, staysIdle } from './session.js';
import { quote, tooLittle } from './quote.js';
import { failReview, leaveReview, settleReviewCalls } from './reviewing.js';
import { finish, trySettle } from './settling.js';
import { FRESH_DRAW, nextStepModel } from './fresh-state.js';
import type { ModelCall, ModelPurpose, RunState } from './state.js';
import { takeMessages } from './messages.js';
import { pause, resume, say, setLimits, stop } from './steering.js';
import { settleVerification } from './verifying.js';
import { warnOfLimits } from './warnings.js';
import { announceRequests, settleNotice } from './webhook.js';

/**
 * Takes one fact in. Pure and total: any input in any state gives a state, and the durable events it causes.
 * Inputs that fit nothing any more (a settled call settled again) change nothing.
 * Deadlines that have passed come before what the input says, so it does not matter whether a timer is heard first.
 */
export function apply(state: RunState, input: Input): { state: RunState; events: RunEvent[] } {
  const draft: Draft = { state, events: [], atMs: input.atMs };
  if (input.type !== 'prepared') announce(draft);
  // A run that the server has ended started nothing more, whatever was due by then.
  if (input.type !== 'ended_outside') {
    passTime(draft);
    advance(draft);
  }
  take(draft, input);
  advance(draft);
  announceRequests(draft);
  noteRefused(draft);
  trySettle(draft);
  report(draft);
  inquire(draft);
  return { state: draft.state, events: draft.events };
}

function noteRefused(draft: Draft): void {
  const refused = draft.events.filter((event) => event.type === 'control_rejected').at(-1);
  if (!refused) return;
  const { at, control, code, message, callId } = refused;
  patch(draft, { lastRefused: { at, control, code, message, callId } });
}

function take(draft: Draft, input: Input): void {
  switch (input.type) {
    case 'prepared':
      return settlePrepared(draft, input.outcome);
    case 'model_settled':
      return settleModel(draft, input.key, input.outcome);
    case 'tool_settled':
      return settleTool(draft, input.key, input.outcome);
    case 'args_checked':
      return settleArgsCheck(draft, input.key, input.outcome);
    case 'cost_reported':
      return settleInquiry(draft, input.key, input.outcome);
    case 'drawn':
      return takeDraw(draft, input.key, input.outcome);
    case 'verified':
      return settleVerification(draft, input.key, input.outcome);
    case 'decision_checked':
      return settleSignature(draft, input.key, input.outcome);
    case 'relayed':
      return settleRelay(draft, input.key, input.outcome);
    case 'reported':
      return settleReport(draft, input.key);
    case 'notified':
      return settleNotice(draft, input.key, input.outcome);
    case 'child_settled':
      return settleChild(draft, input.key, input.outcome);
    case 'control':
      return takeControl(draft, input);
    case 'tick':
      return;
    case 'cancel_requested':
      return requestCancel(draft);
    case 'ended_outside':
      return endOutside(draft, input);
  }
}

function takeControl(draft: Draft, input: Extract<Input, { type: 'control' }>): void {
  const checked = checkControl(draft.state, input.name, input.payload);
  if ('control' in checked) return carryOut(draft, checked.control);
  if (draft.state.phase === 'closed') return;
  const { callId } = Object(input.payload);
  const { code, message } = checked.refusal;
  emit(draft, {
    type: 'control_rejected',
    control: input.name,
    code,
    message,
    callId: typeof callId === 'string' ? callId.slice(0, 100) : null,
  });
}

function carryOut(draft: Draft, control: Control): void {
  switch (control.kind) {
    case 'decide':
      return decide(draft, control);
    case 'answer':
      return answer(draft, control);
    case 'say':
      return say(draft, control);
    case 'pause':
      return pause(draft, control.by, control.note);
    case 'resume':
      return resume(draft, control.by);
    case 'stop':
      return stop(draft, control.note);
    case 'setLimits':
      return setLimits(draft, control);
    case 'report':
      return takeReport(draft, control);
  }
}

/** The first event says what was started, whatever came first. */
function announce(draft: Draft): void {
  const { state } = draft;
  if (state.seq > 0) return;
  const { goal } = state.input;
  emit(draft, {
    type: 'run_started',
    goal,
    model: currentModel(state),
    limits: limitsOf(state),
    warnings: state.prepared?.warnings ?? [],
    ...(state.forkOf !== null && { forkOf: state.forkOf }),
  });
}

function settlePrepared(draft: Draft, outcome: Outcome<Prepared>): void {
  const { state } = draft;
  if (state.phase !== 'preparing') return;
  if (outcome.kind === 'ok') {
    const limits = { ...outcome.value.limits, ...state.earlyLimits };
    const prepared = { ...outcome.value, limits };
    const draw = prepared.budget === undefined ? null : FRESH_DRAW;
    patch(draft, { phase: 'model', prepared, draw });
    return announce(draft);
  }
  announce(draft);
  if (outcome.kind === 'cancelled' || state.cancelRequested)
    return close(draft, { outcome: 'cancelled', answer: 'The run was cancelled before its first step.' });
  const { code, message } =
    outcome.kind === 'failed'
      ? outcome
      : { code: 'INPUT_INVALID', message: 'The run could not be prepared in time.' };
  close(draft, {
    outcome: 'failed',
    answer: message,
    error: { code: isErrorCode(code) ? code : 'INPUT_INVALID', message },
  });
}

function takeDraw(draft: Draft, key: string, outcome: Outcome<DrawResult>): void {
  settleDraw(draft, key, outcome);
  if (outcome.kind !== 'failed') return;
  const { message, code } = outcome;
  beginLanding(draft, {
    outcome: 'failed',
    limit: null,
    error: { code: isErrorCode(code) ? code : 'BUDGET_UNKNOWN', message },
    reason: `The shared budget of this run cannot be drawn from: ${message}`,
  });
}

/** Ends at once: nothing new starts, what runs is cancelled, and the run closes when the last of it is settled. */
function requestCancel(draft: Draft): void {
  const { state } = draft;
  if (state.phase === 'closed' || state.cancelRequested) return;
  if (state.phase === 'settling') return patch(draft, { settleUntilMs: null, inquiry: null });
  const { call } = state.model;
  patch(draft, {
    cancelRequested: true,
    pause: null,
    model: { ...state.model, retryAtMs: null, call: call && { ...call, status: 'cancelling' } },
  });
  for (const one of state.calls)
    if (one.status === 'running') patchCall(draft, one.id, { status: 'cancelling' });
}

function endOutside(draft: Draft, input: Extract<Input, { type: 'ended_outside' }>): void {
  if (draft.state.phase === 'closed') return;
  const terminated = input.how === 'terminated';
  close(draft, {
    outcome: terminated ? 'cancelled' : 'failed',
    answer: draft.state.ending?.answer ?? assembleAnswer(draft.state),
    error: terminated ? null : { code: 'INPUT_INVALID', message: input.message },
  });
  // Nobody is there any more to ask what was under way.
  const { ledger } = draft.state;
  const held = ledger.charges.filter(({ status }) => status === 'reserved');
  patch(draft, {
    ledger: held.reduce((sum, { id }) => lose(sum, { id, mayHaveCost: true, askAtMs: draft.atMs }), ledger),
  });
  finish(draft);
}

/** Moves on as far as the state allows by itself. */
function advance(draft: Draft): void {
  if (draft.state.phase === 'settling' || draft.state.phase === 'closed') return;
  if (draft.state.cancelRequested) return finishCancel(draft);
  if (draft.state.pause) return;
  if (draft.state.phase === 'calls') {
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
  const { model, draw } = draft.state;
  if (model.call || draw?.call || staysIdle(draft)) return;
  if (model.retryAtMs !== null && model.retryAtMs > draft.atMs) return;
  // Its time has come, and a call that has to wait for money must not leave a timer behind that is due already.
  if (model.retryAtMs !== null) patch(draft, { model: { ...model, retryAtMs: null } });
  if (draft.state.review.stage !== null && advanceReview(draft)) return;
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

/** Goes on with the review of an answer. Returns whether there is nothing else to do. */
function advanceReview(draft: Draft): boolean {
  const { landing, queue, review } = draft.state;
  if (queue.length > 0) {
    leaveReview(draft);
    return false;
  }
  // The run has its answer; the review only comes to no end.
  if (landing) closeLanded(draft, landing, review.answer);
  else if (limitsReached(draft.state, draft.atMs).includes('cost'))
    failReview(draft, 'The cost ceiling was reached before the answer was reviewed.');
  else startIfAffordable(draft, 'review');
  return true;
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
      if (purpose === 'review') return failReview(draft, tooLittle(draft.state, quoted).reason ?? '');
      if (purpose === 'compaction') {
        shorten(draft);
        return advanceModel(draft);
      }
      if (landing) return closeLanded(draft, landing, '');
      beginLanding(draft, tooLittle(draft.state, quoted));
      return advanceModel(draft);
  }
}

/** Acts on every point in time that has passed. */
function passTime(draft: Draft): void {
  const { phase, landing, cancelRequested } = draft.state;
  if (phase === 'preparing' || phase === 'settling' || phase === 'closed' || cancelRequested) return;
  const deadline = deadlineMs(draft.state);
  if (!landing && deadline !== null && draft.atMs >= deadline)
    beginLanding(draft, { outcome: 'limit', limit: 'duration', error: null });
  expireCalls(draft);
  expireIdle(draft);
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
