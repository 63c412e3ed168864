import { MAX_PARALLEL_CALLS } from './behaviour.js';
import { beginLanding, fileResults, finishCall, finishUnknown } from './closing.js';
import { emit, parseJson, patch, patchCall, toIso, type Draft } from './draft.js';
import type { Outcome, PlannedCall, ToolResult } from './outcomes.js';
import type { PendingItem } from './progress.js';
import { humanWords, withHumanWords } from './human-words.js';
import { notRun } from './results.js';
import type { CallState, RunState } from './state.js';

/** Ten years: beyond what any run waits for, and within what a date can be. */
const LONGEST_WAIT_MS = 315_360_000_000;

/** Takes the calls of a completed model step in: what cannot run is settled, what needs a human waits, the rest is ready. */
export function openCalls(draft: Draft, plans: readonly PlannedCall[]): void {
  const { step } = draft.state;
  const calls = plans.map((plan, index) => openCall(plan, `s${step}.c${index}`, draft.atMs));
  patch(draft, { phase: 'calls', calls });
  for (const call of calls) {
    if (call.plan.problem)
      finishCall(draft, call.id, notRun(call.plan.problem.status, call.plan.problem.message));
    else if (call.status === 'gated' || call.status === 'asking') requestDecision(draft, call);
  }
}

function openCall(plan: PlannedCall, id: string, atMs: number): CallState {
  const base = { id, plan, args: plan.args, rerun: 0, checks: 0, requestedAtMs: atMs, dueAtMs: null };
  if (plan.problem) return { ...base, status: 'ready' };
  if (plan.gate) {
    const { expiresInMs } = plan.gate;
    return {
      ...base,
      status: 'gated',
      dueAtMs: expiresInMs === undefined ? null : atMs + Math.min(expiresInMs, LONGEST_WAIT_MS),
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
  const next = ungated(call.plan, draft.atMs);
  patchCall(draft, call.id, next);
  if (next.status === 'asking') requestDecision(draft, { ...call, ...next });
}

function requestDecision(draft: Draft, call: CallState): void {
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
  };
}

/** Whether a call waits for a human. */
export function isPending(call: CallState): boolean {
  return call.status === 'gated' || call.status === 'asking' || call.status === 'unknown';
}

/** The key of the activity that runs a call; each run again has its own. */
export function toolKey(call: CallState): string {
  return call.rerun === 0 ? call.id : `${call.id}.r${call.rerun}`;
}

/** Starts ready calls, in order, as far as there is room. */
export function startReadyCalls(draft: Draft): void {
  const active = (state: RunState) =>
    state.calls.filter((call) => call.status === 'running' || call.status === 'cancelling').length;
  for (const call of draft.state.calls) {
    if (call.status !== 'ready') continue;
    if (active(draft.state) >= MAX_PARALLEL_CALLS) return;
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
  const neverLeft = outcome.kind === 'cancelled' && outcome.neverStarted === true && call.rerun === 0;
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

function settleAnswered(draft: Draft, call: CallState, value: ToolResult): void {
  if (value.status === 'unknown_outcome') return settleUnknown(draft, call);
  const { artifact, attempt } = value;
  if (artifact) patch(draft, { artifacts: [...draft.state.artifacts, { callId: call.id, ...artifact }] });
  const result = value.status
    ? notRun(value.status, value.content, humanWords(call))
    : { status: 'ok' as const, content: withHumanWords(call, value.content) };
  finishCall(draft, call.id, {
    ...result,
    ...(attempt !== undefined && { attempt }),
    ...(artifact && { artifactId: artifact.id }),
  });
}

/** Asks a human what became of a call, unless the run is ending: then the model is told that nobody knows. */
function settleUnknown(draft: Draft, call: CallState): void {
  if (draft.state.landing || draft.state.cancelRequested) return finishUnknown(draft, call);
  const unknown: CallState = { ...call, status: 'unknown', requestedAtMs: draft.atMs, dueAtMs: null };
  patchCall(draft, call.id, unknown);
  requestDecision(draft, unknown);
}

/** Settles calls whose time has come: waits that are over, decisions that nobody took. */
export function expireCalls(draft: Draft): void {
  for (const { id } of draft.state.calls) {
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

/** Once every call has its result: puts them into the transcript, in call order. Returns whether that was so. */
export function closeCalls(draft: Draft): boolean {
  const { calls } = draft.state;
  if (calls.some((call) => call.status !== 'done')) return false;
  fileResults(draft);
  patch(draft, { phase: 'model' });
  return true;
}
