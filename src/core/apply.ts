import { settleChild, takeReport } from './agents/agents.js';
import { advance } from './advance.js';
import type { DrawResult } from './money/budget-draw.js';
import { settleTool } from './calls/calls.js';
import { assembleAnswer, beginLanding, close } from './closing.js';
import { checkControl } from './human/controls-check.js';
import type { Control } from './human/controls.js';
import { answer, decide, settleArgsCheck, settleSignature } from './human/decisions.js';
import { emit, patch, patchCall, type Draft } from './draft.js';
import { settleDraw } from './money/draws.js';
import { isErrorCode } from './errors.js';
import type { RunEvent } from './events.js';
import { expireCalls } from './calls/expiry.js';
import { FRESH_DRAW } from './fresh-state.js';
import { inquire, settleInquiry } from './money/inquiries.js';
import type { Input } from './inputs.js';
import { lose } from './money/ledger.js';
import { deadlineMs, limitsOf } from './money/limits.js';
import { settleModel } from './model/model-step.js';
import { currentModel } from './model/models.js';
import type { Outcome } from './outcomes.js';
import { settleRelay } from './human/relays.js';
import { report, settleReport } from './agents/reports.js';
import type { Prepared } from './run-input.js';
import { expireIdle } from './session.js';
import { finish, trySettle } from './money/settling.js';
import type { RunState } from './state.js';
import { pause, resume, say, setLimits, stop } from './human/steering.js';
import { settleVerification } from './calls/verifying.js';
import { announceRequests, settleNotice } from './human/webhook.js';

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
