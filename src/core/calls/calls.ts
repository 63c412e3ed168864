import { startAgent } from '../agents/agents.js';
import { delegationOf } from '../agents/delegation.js';
import { BACKOFF, MAX_PARALLEL_CALLS, MAX_RESTARTS } from '../behaviour.js';
import { beginLanding, fileResults, finishCall, finishUnknown } from '../closing.js';
import { emit, parseJson, patch, patchCall, toIso, type Draft } from '../draft.js';
import { toolKey } from '../keys.js';
import { isGuarded } from '../metered.js';
import type { Outcome, PlannedCall, ToolResult } from '../outcomes.js';
import type { PendingItem } from '../progress.js';
import { humanWords, withHumanWords } from '../human/human-words.js';
import { notRun } from './results.js';
import { takeShared } from './shared.js';
import { recordDecision, standingFor, standsFor } from '../human/standing.js';
import { taintBy } from './taint.js';
import type { CallState, RunState } from '../state.js';

/** Ten years: beyond what any run waits for, and within what a date can be. */
const LONGEST_WAIT_MS = 315_360_000_000;

/**
 * Takes the calls of a completed model step in: what cannot run is settled, what needs a human waits, the rest is ready.
 * @param options.from calls that the step has had already
 */
export function openCalls(draft: Draft, plans: readonly PlannedCall[], { from = 0 } = {}): void {
  const { step } = draft.state;
  const calls = plans.map((plan, index) => openCall(plan, `s${step}.c${from + index}`, draft.atMs));
  patch(draft, { phase: 'calls', calls });
  for (const call of calls) {
    if (call.plan.problem)
      finishCall(draft, call.id, notRun(call.plan.problem.status, call.plan.problem.message));
    else if (call.status === 'gated' && standsFor(draft.state, call)) passBefore(draft, call);
    else if (call.status === 'gated' || call.status === 'asking') requestDecision(draft, call);
  }
}

/** Lets a call go on whose tool a human has approved for the rest of the run. */
function passBefore(draft: Draft, call: CallState): void {
  const standing = standingFor(draft.state, call);
  recordDecision(draft, call, { decision: 'approve', by: standing?.by ?? undefined, forRun: true });
  passGate(draft, call);
}

function openCall(plan: PlannedCall, id: string, atMs: number): CallState {
  const base = { id, plan, args: plan.args, rerun: 0, checks: 0, requestedAtMs: atMs, dueAtMs: null };
  if (plan.problem) return { ...base, status: 'ready' };
  if (plan.gate) {
    const { expiresInMs, remindInMs } = plan.gate;
    const inTime = (ms: number | undefined) =>
      ms === undefined ? null : atMs + Math.min(ms, LONGEST_WAIT_MS);
    return {
      ...base,
      status: 'gated',
      dueAtMs: inTime(expiresInMs),
      ...(remindInMs !== undefined && { remindAtMs: inTime(remindInMs) }),
    };
  }
  return { ...base, ...ungated(plan, atMs) };
}

/** Where a call stands once no gate is before it any more. */
function ungated(plan: PlannedCall, atMs: number): Pick<CallState, 'status' | 'dueAtMs'> {
  switch (plan.control?.kind) {
    case 'wait':
      return { status: 'waiting', dueAtMs: atMs + Math.min(plan.control.durationMs, LONGEST_WAIT_MS) };
    case 'ask':
      return { status: 'asking', dueAtMs: null };
    default:
      return { status: 'ready', dueAtMs: null };
  }
}

/** Lets an approved call go on to what it does. */
export function passGate(draft: Draft, call: CallState): void {
  const next = { ...ungated(call.plan, draft.atMs), remindAtMs: null };
  patchCall(draft, call.id, next);
  if (next.status === 'asking') requestDecision(draft, { ...call, ...next });
}

/** Asks a human about a call. */
export function requestDecision(draft: Draft, call: CallState): void {
  if (draft.state.landing || draft.state.cancelRequested) return;
  emit(draft, { type: 'decision_requested', step: draft.state.step, ...toPending(call) });
}

/** A waiting call as humans see it. */
export function toPending(call: CallState): PendingItem {
  const kind =
    call.status === 'unknown' ? 'unknown_outcome' : call.status === 'asking' ? 'question' : 'decision';
  const { control, gate, name } = call.plan;
  return {
    kind,
    callId: call.id,
    tool: name,
    args: parseJson(call.args),
    argsHash: gate?.argsHash ?? null,
    summary:
      control?.kind === 'ask' ? control.question : (gate?.summary ?? `${name} ${call.args}`.slice(0, 200)),
    requestedAt: toIso(call.requestedAtMs),
    expiresAt: call.dueAtMs === null ? null : toIso(call.dueAtMs),
    ...(gate?.approvals !== undefined &&
      kind !== 'question' && {
        approvals: { by: (call.approvedBy ?? []).map(({ by }) => by), needed: gate.approvals },
      }),
    ...(gate?.separate && kind !== 'question' && { separate: true as const }),
    ...(gate?.reason && kind === 'decision' && { reason: gate.reason }),
  };
}

/** Whether a call waits for a human. */
export function isPending(call: CallState): boolean {
  return call.status === 'gated' || call.status === 'asking' || call.status === 'unknown';
}

/** Starts ready calls, in order, as far as there is room. */
export function startReadyCalls(draft: Draft): void {
  const active = (state: RunState) =>
    state.calls.filter((call) => call.status === 'running' || call.status === 'cancelling');
  for (const call of draft.state.calls) {
    if (call.status !== 'ready' || (call.notBeforeMs ?? 0) > draft.atMs) continue;
    const underWay = active(draft.state);
    if (underWay.length >= MAX_PARALLEL_CALLS) return;
    const alike = underWay.filter(({ plan }) => plan.name === call.plan.name);
    if (alike.length >= (call.plan.parallel ?? MAX_PARALLEL_CALLS)) continue;
    if (call.plan.control?.kind === 'accept') {
      finishCall(draft, call.id, { status: 'ok', content: 'A human has accepted it.' });
      continue;
    }
    const delegation = delegationOf(call);
    if (delegation) {
      startAgent(draft, call, delegation);
      continue;
    }
    patchCall(draft, call.id, { status: 'running' });
    const { name } = call.plan;
    emit(draft, {
      type: 'tool_started',
      step: draft.state.step,
      callId: call.id,
      tool: name,
      args: parseJson(call.args),
    });
  }
}

/** Takes in how a tool activity ended. */
export function settleTool(draft: Draft, key: string, outcome: Outcome<ToolResult>): void {
  const call = draft.state.calls.find((one) => toolKey(one) === key);
  if (!call || (call.status !== 'running' && call.status !== 'cancelling')) return;
  if (outcome.kind !== 'ok' && neverActed(draft.state, call, outcome))
    return settleNotBegun(draft, call, outcome);
  const neverLeft =
    outcome.kind === 'cancelled' && outcome.neverStarted === true && call.rerun === (call.restarts ?? 0);
  const mayHaveActed = call.plan.effect === undefined && !neverLeft;
  if (outcome.kind === 'ok') {
    settleAnswered(draft, call, outcome.value);
  } else if (outcome.kind === 'failed') {
    finishCall(draft, call.id, notRun('failed', outcome.message, humanWords(call)));
  } else if (mayHaveActed) {
    settleUnknown(draft, call);
  } else if (outcome.kind === 'timed_out') {
    finishCall(draft, call.id, notRun('timed_out', 'The tool did not end in time.', humanWords(call)));
  } else {
    finishCall(draft, call.id, notRun('cancelled', 'The call was cancelled.', humanWords(call)));
  }
}

/** Whether a call of effect `once` ended before its tool began: its last word on record says so. */
function neverActed(
  state: RunState,
  call: CallState,
  outcome: Exclude<Outcome<ToolResult>, { kind: 'ok' }>,
): boolean {
  return isGuarded(state) && call.plan.effect === undefined && outcome.details?.['acting'] === false;
}

/** A call that did not begin to act is begun again, as if nothing had been, unless it is not wanted any more or cannot be begun. */
function settleNotBegun(
  draft: Draft,
  call: CallState,
  outcome: Exclude<Outcome<ToolResult>, { kind: 'ok' }>,
): void {
  const failed = outcome.kind === 'failed' ? outcome : null;
  // A worker that lacks the tool, or cannot read the call, may soon be followed by one that can.
  const delayMs = failed ? BACKOFF.firstMs * 2 ** (call.restarts ?? 0) : 0;
  const mayBegin = outcome.kind !== 'cancelled' && failed?.retryable !== false;
  if (mayBegin && beginAgain(draft, call, delayMs)) return;
  // A human had it run again because an earlier attempt may have acted, which is as unknown as before.
  if (call.rerun > (call.restarts ?? 0)) return settleUnverified(draft, call);
  if (failed) return finishCall(draft, call.id, notRun('failed', failed.message, humanWords(call)));
  finishCall(draft, call.id, notRun('cancelled', 'The call ended before it began to act.', humanWords(call)));
}

/** Starts a call again that certainly did not act. Returns whether that is possible. */
export function beginAgain(draft: Draft, call: CallState, delayMs = 0): boolean {
  const { landing, cancelRequested } = draft.state;
  const restarts = (call.restarts ?? 0) + 1;
  if (landing || cancelRequested || call.status === 'cancelling' || restarts > MAX_RESTARTS) return false;
  const notBeforeMs = delayMs === 0 ? null : draft.atMs + delayMs;
  patchCall(draft, call.id, { status: 'ready', rerun: call.rerun + 1, restarts, notBeforeMs });
  return true;
}

function settleAnswered(draft: Draft, call: CallState, value: ToolResult): void {
  noteYield(draft, call, value);
  if (value.status === 'unknown_outcome') return settleUnknown(draft, call);
  const { artifact, attempt } = value;
  const refused = takeShared(draft, value);
  if (refused !== null) {
    finishCall(draft, call.id, notRun('failed', refused, humanWords(call)));
    return;
  }
  const result = value.status
    ? notRun(value.status, value.content, humanWords(call))
    : { status: 'ok' as const, content: withHumanWords(call, value.content) };
  finishCall(draft, call.id, {
    ...result,
    ...(attempt !== undefined && { attempt }),
    ...(artifact && { artifactId: artifact.id }),
  });
}

/** What a call leaves behind, however it ended: artifacts, and content from outside. */
function noteYield(draft: Draft, call: CallState, value: ToolResult): void {
  const { artifact, artifacts = [], untrusted } = value;
  const kept = [...artifacts, ...(artifact ? [artifact] : [])].map((one) => ({ callId: call.id, ...one }));
  if (kept.length > 0) patch(draft, { artifacts: [...draft.state.artifacts, ...kept] });
  if (untrusted) taintBy(draft, { callId: call.id, tool: call.plan.name });
}

/** Finds out what became of a call: by its tool if that can tell, else as its policy says. */
function settleUnknown(draft: Draft, call: CallState): void {
  if (call.plan.verify && !draft.state.cancelRequested)
    return patchCall(draft, call.id, { status: 'verifying' });
  settleUnverified(draft, call);
}

/** Asks a human what became of a call, unless the run is ending, or the tool's policy is another: then the model is told that nobody knows. */
export function settleUnverified(draft: Draft, call: CallState): void {
  const { onUnknown } = call.plan;
  if (draft.state.landing || draft.state.cancelRequested || onUnknown === 'tell_model')
    return finishUnknown(draft, call);
  if (onUnknown === 'land') {
    finishUnknown(draft, call);
    const message = `Nobody knows whether ${call.plan.name} (${call.id}) took effect, and this tool ends runs then.`;
    return beginLanding(draft, {
      outcome: 'failed',
      limit: null,
      error: { code: 'TOOL_OUTCOME_UNKNOWN', message },
      reason: message,
    });
  }
  const unknown: CallState = {
    ...call,
    status: 'unknown',
    requestedAtMs: draft.atMs,
    dueAtMs: null,
    approvedBy: [],
  };
  patchCall(draft, call.id, unknown);
  requestDecision(draft, unknown);
}

/** Puts the results of calls that have all ended into the transcript, in call order. */
export function closeCalls(draft: Draft): void {
  fileResults(draft);
  patch(draft, { phase: 'model' });
}
