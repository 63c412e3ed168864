import { OUTAGE } from './behaviour.js';
import { openCalls } from './calls.js';
import { assembleAnswer, beginLanding, close, closeLanded, refuseCalls } from './closing.js';
import { append, emit, parseJson, patch, toIso, type Draft } from './draft.js';
import { isErrorCode, type ErrorCode } from './errors.js';
import { lose, settle } from './ledger.js';
import { limitReached } from './limits.js';
import type { ModelResult, Outcome } from './outcomes.js';
import { IDLE_MODEL } from './start.js';
import type { ModelState, RunState } from './state.js';
import { takeMessages } from './steering.js';

/** The models of a run, in the order in which they are asked. */
export function modelsOf(state: RunState): string[] {
  if (state.prepared) return [state.prepared.model, ...state.prepared.models];
  return [typeof state.input.model === 'string' ? state.input.model : ''];
}

/** The model that is asked next. */
export function currentModel(state: RunState): string {
  return modelsOf(state)[state.model.index] ?? '';
}

/** Starts the model call of the step, or the closing one. */
export function startModelCall(draft: Draft, purpose: 'step' | 'landing'): void {
  const { state } = draft;
  const key = `s${state.step}.${purpose === 'step' ? 'm' : 'l'}${state.model.tries}`;
  const call = { key, purpose, status: 'running' as const };
  patch(draft, { model: { ...state.model, call, tries: state.model.tries + 1, retryAtMs: null } });
  emit(draft, { type: 'step_started', step: state.step, model: currentModel(draft.state), purpose });
}

/** Takes in how a model activity ended. */
export function settleModel(draft: Draft, key: string, outcome: Outcome<ModelResult>): void {
  const { call } = draft.state.model;
  if (!call || call.key !== key) return;
  patch(draft, { model: { ...draft.state.model, call: null } });
  if (outcome.kind === 'ok') return settleAnswer(draft, call.purpose, outcome.value);
  if (!(outcome.kind === 'cancelled' && outcome.neverStarted))
    patch(draft, { ledger: lose(draft.state.ledger) });
  if (outcome.kind === 'cancelled') {
    if (call.purpose === 'landing' && draft.state.landing && !draft.state.cancelRequested)
      closeLanded(draft, draft.state.landing, '');
    return;
  }
  const failure =
    outcome.kind === 'failed'
      ? outcome
      : {
          code: 'MODEL_UNAVAILABLE',
          message: 'The model call did not end in time, or its worker was lost.',
          retryable: true,
        };
  settleFailure(draft, call.purpose, failure);
}

function settleAnswer(draft: Draft, purpose: 'step' | 'landing', value: ModelResult): void {
  const { costNanoUsd = null, promptTokens, completionTokens } = value;
  const cost = { nanoUsd: costNanoUsd, estimated: value.estimated === true };
  patch(draft, { ledger: settle(draft.state.ledger, { cost, promptTokens, completionTokens }) });
  if (purpose === 'step') patch(draft, { stepsCompleted: draft.state.stepsCompleted + 1 });
  emitCompleted(draft, purpose, value);
  const { landing } = draft.state;
  if (purpose === 'landing' && landing) {
    appendAnswer(draft, { ...value, calls: [] });
    if (draft.state.cancelRequested) return;
    return closeLanded(draft, landing, value.text ?? '');
  }
  appendAnswer(draft, value);
  patch(draft, { model: { ...IDLE_MODEL, index: draft.state.model.index } });
  if (value.calls?.length) {
    openCalls(draft, value.calls);
    const limit = limitReached(draft.state, draft.atMs);
    if (draft.state.landing) refuseCalls(draft);
    else if (limit) beginLanding(draft, { outcome: 'limit', limit, error: null });
    return;
  }
  finishOrGoOn(draft, value.text ?? '');
}

/** An answer without calls ends the run, unless a human has said something since. */
function finishOrGoOn(draft: Draft, answer: string): void {
  const { landing, step, cancelRequested } = draft.state;
  if (cancelRequested) return;
  // What a human said since is answered by the closing call.
  if (landing && draft.state.queue.length > 0) return;
  if (landing) return closeLanded(draft, landing, answer);
  if (!takeMessages(draft, 'all'))
    return close(draft, {
      outcome: 'done',
      answer: answer.trim() === '' ? assembleAnswer(draft.state) : answer,
    });
  patch(draft, { step: step + 1 });
}

function emitCompleted(draft: Draft, purpose: 'step' | 'landing', value: ModelResult): void {
  const { step } = draft.state;
  emit(draft, {
    type: 'model_completed',
    step,
    attempt: value.attempt ?? 1,
    purpose,
    model: value.model,
    text: value.text ?? '',
    calls: (purpose === 'step' ? (value.calls ?? []) : []).map((plan, index) => ({
      callId: `s${step}.c${index}`,
      tool: plan.name,
      args: parseJson(plan.args),
    })),
    promptTokens: value.promptTokens,
    completionTokens: value.completionTokens,
    cachedTokens: value.cachedTokens ?? 0,
    costNanoUsd: value.costNanoUsd ?? null,
    costEstimated: value.estimated === true,
    cached: value.cached === true,
    finishReason: value.finish,
  });
}

/** Providers refuse an assistant message that says nothing, so an empty answer leaves no trace in the transcript. */
function appendAnswer(draft: Draft, value: ModelResult): void {
  const calls = (value.calls ?? []).map(({ id, name, args }) => ({ id, name, args }));
  if (calls.length === 0 && !value.text?.trim()) return;
  append(draft, [
    {
      role: 'assistant',
      content: value.text ?? '',
      ...(calls.length > 0 && { calls }),
      ...(value.reasoning && { reasoning: value.reasoning, model: value.model }),
    },
  ]);
}

type Failure = { code: string; message: string; retryable: boolean };

/** A call that failed for good: the next model, a wait, a pause, or the end. */
function settleFailure(draft: Draft, purpose: 'step' | 'landing', failure: Failure): void {
  const { landing, cancelRequested } = draft.state;
  if (cancelRequested) return reportFailure(draft, failure, null);
  if (landing) {
    reportFailure(draft, failure, null);
    if (purpose === 'landing') closeLanded(draft, landing, '');
    return;
  }
  if (failure.code === 'MODEL_PAYMENT') {
    patch(draft, { pause: { reason: 'payment' } });
    emit(draft, { type: 'run_paused', reason: 'payment', by: null, message: failure.message });
    return;
  }
  if (useNextModel(draft, failure)) return;
  if (failure.retryable) return waitOut(draft, failure);
  reportFailure(draft, failure, null);
  close(draft, { outcome: 'failed', answer: failure.message, error: toError(failure) });
}

function reportFailure(draft: Draft, failure: Failure, retryAtMs: number | null): void {
  emit(draft, {
    type: 'model_failed',
    step: draft.state.step,
    model: currentModel(draft.state),
    code: failure.code,
    message: failure.message,
    retryAt: retryAtMs === null ? null : toIso(retryAtMs),
  });
}

function useNextModel(draft: Draft, failure: Failure): boolean {
  const { state } = draft;
  const from = currentModel(state);
  const to = modelsOf(state)[state.model.index + 1];
  if (to === undefined || failure.code === 'MODEL_AUTH') return false;
  patch(draft, { model: { ...state.model, index: state.model.index + 1 } });
  emit(draft, { type: 'fallback_used', step: state.step, from, to, code: failure.code });
  return true;
}

/** All models are down: waits, longer each time, without spending; gives up after a day. */
function waitOut(draft: Draft, failure: Failure): void {
  const { model } = draft.state;
  const sinceMs = model.outageSinceMs ?? draft.atMs;
  if (draft.atMs - sinceMs >= OUTAGE.patienceMs) {
    reportFailure(draft, failure, null);
    return beginLanding(draft, { outcome: 'failed', limit: null, error: toError(failure) });
  }
  const retryAtMs = draft.atMs + Math.min(OUTAGE.firstWaitMs * 2 ** model.outageWaits, OUTAGE.longestWaitMs);
  reportFailure(draft, failure, retryAtMs);
  const waiting: ModelState = {
    ...model,
    index: 0,
    retryAtMs,
    outageSinceMs: sinceMs,
    outageWaits: model.outageWaits + 1,
  };
  patch(draft, { model: waiting });
}

function toError(failure: Failure): { code: ErrorCode; message: string } {
  return { code: isErrorCode(failure.code) ? failure.code : 'MODEL_UNAVAILABLE', message: failure.message };
}
