import { delegationOf } from './agents/delegation.js';
import { errandWork, type ErrandWork } from './errand-work.js';
import type { DrawInput } from './money/budget-draw.js';
import type { Input } from './inputs.js';
import { nextInquiryMs } from './money/inquiries.js';
import { canonicalJson, type JsonValue } from './json.js';
import { checkKey, toolKey, verifyKey } from './keys.js';
import { deadlineMs } from './money/limits.js';
import { modelWork, type ModelWork } from './model/model-work.js';
import type { RunInput } from './run-input.js';
import { idleUntilMs } from './idle.js';
import type { CallState, RunState } from './state.js';
import { rollHash } from './transcript.js';

/** What the tool activity is told. The arguments are not in it: the worker has them, or asks for them. */
export interface RunToolInput {
  callId: string;
  name: string;
  /** Hash of the arguments, so that a stale copy is never used. */
  argsKey: string;
  /** Of the tool as it was when the call was judged, see `Tool.specHash`. */
  specHash?: string;
  /** Hash of the run's shared values. Absent: there are none. */
  shared?: string;
}

/** What the activity that checks edited arguments is told. */
export interface CheckArgsInput {
  name: string;
  args: JsonValue;
}

/** What the activity that asks for costs is told. */
export interface ReconcileCostInput {
  generationIds: string[];
}

/** Something that must be under way now. Keys are stable and never used twice within a run. */
export type Work =
  | { kind: 'prepare'; key: string }
  | ModelWork
  | {
      kind: 'tool';
      key: string;
      input: RunToolInput;
      once: boolean;
      /** Absent: as many as usual. */
      attempts?: number;
      timeoutMs: number;
      summary: string;
    }
  | { kind: 'verify'; key: string; input: RunToolInput; timeoutMs: number; summary: string }
  | { kind: 'check'; key: string; input: CheckArgsInput; summary: string }
  | { kind: 'reconcile'; key: string; input: ReconcileCostInput; summary: string }
  | { kind: 'draw'; key: string; input: DrawInput; summary: string }
  | ErrandWork
  /** A run of its own. */
  | { kind: 'child'; key: string; runId: string; input: RunInput; summary: string }
  /** Is under way and no longer wanted. */
  | { kind: 'cancel'; key: string; of: 'prepare' | 'tool' | 'child' }
  /** The run must hear of this point in time. */
  | { kind: 'timer'; atMs: number }
  | { kind: 'close' };

/** How long a tool may take when it does not say. */
export const DEFAULT_TOOL_TIMEOUT_MS = 60_000;

/** What must be under way now. */
export function work(state: RunState): Work[] {
  if (state.phase === 'closed') return [{ kind: 'close' }];
  const items: Work[] = [];
  if (state.phase === 'preparing') {
    items.push(
      state.cancelRequested
        ? { kind: 'cancel', key: 'prepare', of: 'prepare' }
        : { kind: 'prepare', key: 'prepare' },
    );
  }
  const model = modelWork(state);
  if (model) items.push(model);
  for (const call of state.calls) {
    const item = callWork(state, call);
    if (item) items.push(item);
  }
  items.push(...moneyWork(state), ...errandWork(state));
  const atMs = nextTickMs(state);
  if (atMs !== null) items.push({ kind: 'timer', atMs });
  return items;
}

function moneyWork({ inquiry, ledger, draw, prepared, runId }: RunState): Work[] {
  const items: Work[] = [];
  if (inquiry) {
    const generationIds = ledger.charges.flatMap(({ id, generationId }) =>
      generationId !== undefined && inquiry.chargeIds.includes(id) ? generationId : [],
    );
    items.push({
      kind: 'reconcile',
      key: inquiry.key,
      input: { generationIds },
      summary: 'what lost calls cost',
    });
  }
  const budget = prepared?.budget;
  if (draw?.call && budget !== undefined) {
    const { key, totalNanoUsd, final } = draw.call;
    const input = { budget, runId, totalNanoUsd, ...(final && { final }) };
    items.push({
      kind: 'draw',
      key,
      input,
      summary: `${final ? 'settle with' : 'draw from'} budget ${budget}`,
    });
  }
  return items;
}

function callInput(state: RunState, call: CallState): RunToolInput {
  const hasShared = Object.keys(state.shared).length > 0;
  return {
    callId: call.id,
    name: call.plan.name,
    argsKey: argsKey(call.args),
    ...(call.plan.specHash !== undefined && { specHash: call.plan.specHash }),
    ...(hasShared && { shared: argsKey(canonicalJson(state.shared)) }),
  };
}

function callWork(state: RunState, call: CallState): Work | null {
  const { name, effect, timeoutMs = DEFAULT_TOOL_TIMEOUT_MS, attempts } = call.plan;
  switch (call.status) {
    case 'running':
      if (call.child && delegationOf(call)) {
        const { runId, input } = call.child;
        return { kind: 'child', key: toolKey(call), runId, input, summary: shorten(input.goal) };
      }
      return {
        kind: 'tool',
        key: toolKey(call),
        input: callInput(state, call),
        once: effect === undefined,
        ...(attempts !== undefined && { attempts }),
        timeoutMs,
        summary: shorten(`${name} ${call.args}`),
      };
    case 'verifying':
      return {
        kind: 'verify',
        key: verifyKey(call),
        input: callInput(state, call),
        timeoutMs,
        summary: shorten(`did it act? ${name} ${call.args}`),
      };
    case 'cancelling':
      return { kind: 'cancel', key: toolKey(call), of: call.child ? 'child' : 'tool' };
    case 'checking':
      return {
        kind: 'check',
        key: checkKey(call),
        input: { name, args: call.edit?.args ?? null },
        summary: `check arguments of ${call.id}`,
      };
    default:
      return null;
  }
}

/** Tells the arguments of one call from others. */
export function argsKey(args: string): string {
  return rollHash('', args);
}

/** A summary may have 400 bytes in Temporal; history pays for each, so it is kept far shorter. */
function shorten(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}

function nextTickMs(state: RunState): number | null {
  const inquiryAtMs = nextInquiryMs(state);
  const times = inquiryAtMs === null ? [] : [inquiryAtMs];
  if (state.phase === 'settling') {
    // Once only the shared budget is awaited, or those who are told of the end, time does not matter any more.
    if (state.settleUntilMs !== null && !state.draw?.call && !state.farewell) times.push(state.settleUntilMs);
  } else if (!state.cancelRequested) times.push(...dueTimes(state));
  return times.length === 0 ? null : Math.min(...times);
}

function dueTimes(state: RunState): number[] {
  const times = state.calls
    .flatMap((call) => [call.dueAtMs, call.remindAtMs ?? null, restMs(call)])
    .filter((atMs) => atMs !== null);
  const idleUntil = idleUntilMs(state);
  if (idleUntil !== null) times.push(idleUntil);
  if (state.model.retryAtMs !== null && !state.pause) times.push(state.model.retryAtMs);
  const deadline = deadlineMs(state);
  if (deadline !== null && !state.landing && state.phase !== 'preparing') times.push(deadline);
  return times;
}

/** When a call may begin again. */
function restMs({ status, notBeforeMs }: CallState): number | null {
  return status === 'ready' ? (notBeforeMs ?? null) : null;
}

/** What has to be done so that exactly `work(state)` is under way. */
export interface Plan {
  start: Exclude<Work, { kind: 'cancel' | 'timer' | 'close' }>[];
  cancel: string[];
  /** Outcomes of what was called off before it ever started: apply them, then plan anew. */
  settled: Input[];
  timerAtMs: number | null;
  close: boolean;
}

/**
 * Compares what must be under way with what is. Workflow and fold both use it, so both know of calls that were called
 * off before the server ever heard of them.
 * @param started keys of what was started and has not settled.
 */
export function plan(state: RunState, started: ReadonlySet<string>, atMs: number): Plan {
  const result: Plan = { start: [], cancel: [], settled: [], timerAtMs: null, close: false };
  for (const item of work(state)) {
    if (item.kind === 'close') result.close = true;
    else if (item.kind === 'timer') result.timerAtMs = item.atMs;
    else if (item.kind !== 'cancel') {
      if (!started.has(item.key)) result.start.push(item);
    } else if (started.has(item.key)) result.cancel.push(item.key);
    else result.settled.push(calledOff(item, atMs));
  }
  return result;
}

function calledOff(item: Extract<Work, { kind: 'cancel' }>, atMs: number): Input {
  const outcome = { kind: 'cancelled' as const, neverStarted: true as const };
  if (item.of === 'prepare') return { type: 'prepared', atMs, outcome };
  if (item.of === 'child') return { type: 'child_settled', atMs, key: item.key, outcome };
  return { type: item.of === 'model' ? 'model_settled' : 'tool_settled', atMs, key: item.key, outcome };
}
