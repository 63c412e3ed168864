import { RECONCILE } from './behaviour.js';
import { openCalls } from './calls.js';
import { assembleAnswer, beginLanding, close, closeLanded, refuseCalls } from './closing.js';
import { append, emit, parseJson, patch, type Draft } from './draft.js';
import { lose, reserve, settle, spentNanoUsd, traceSource, writeOffNameless } from './ledger.js';
import { isMetered } from './metered.js';
import { settleFailure } from './model-failure.js';
import { attemptOf, currentModel, modelsAskedFor } from './models.js';
import { traceOf, type ModelResult, type Outcome } from './outcomes.js';
import { blockedBy } from './quote.js';
import { FIRST_ATTEMPT, IDLE_MODEL } from './fresh-state.js';
import type { Allowance, ModelCall } from './state.js';
import { takeMessages } from './messages.js';
import { goIdle } from './session.js';

/** Starts the model call of the step, or the closing one; in a metered run with what it may take. */
export function startModelCall(draft: Draft, purpose: 'step' | 'landing', allowance?: Allowance): void {
  const { state } = draft;
  const key = `s${state.step}.${purpose === 'step' ? 'm' : 'l'}${state.model.tries}`;
  const call: ModelCall = { key, purpose, status: 'running', ...(allowance && { allowance }) };
  const isRetry = attemptOf(state) > 1;
  patch(draft, { model: { ...state.model, call, tries: state.model.tries + 1, retryAtMs: null } });
  if (allowance) {
    const charge = { id: key, purpose, model: currentModel(state), nanoUsd: allowance.reservedNanoUsd };
    patch(draft, {
      ledger: reserve(state.ledger, charge),
      model: {
        ...draft.state.model,
        heldTokens: allowance.maxOutputTokens,
        heldBy: allowance.clampedBy,
      },
    });
  }
  if (!isRetry)
    emit(draft, { type: 'step_started', step: state.step, model: currentModel(draft.state), purpose });
}

/** Takes in how a model activity ended. */
export function settleModel(draft: Draft, key: string, outcome: Outcome<ModelResult>): void {
  const { call } = draft.state.model;
  if (!call || call.key !== key) return;
  patch(draft, { model: { ...draft.state.model, call: null } });
  if (outcome.kind === 'ok') return settleAnswer(draft, call, outcome.value);
  bookLost(draft, call, outcome);
  if (outcome.kind === 'cancelled') {
    // What comes next is another request, with what a human said in it.
    patch(draft, { model: { ...draft.state.model, ...FIRST_ATTEMPT } });
    if (call.purpose === 'landing' && draft.state.landing && !draft.state.cancelRequested)
      closeLanded(draft, draft.state.landing, '');
    return;
  }
  settleFailure(draft, call, outcome);
}

function bookLost(draft: Draft, { key }: ModelCall, outcome: Exclude<Outcome<never>, { kind: 'ok' }>): void {
  const neverStarted = outcome.kind === 'cancelled' && outcome.neverStarted === true;
  const trace = isMetered(draft.state) ? traceOf(outcome) : { mayHaveCost: true };
  const lost = { ...trace, mayHaveCost: trace.mayHaveCost && !neverStarted };
  patch(draft, {
    ledger: lose(draft.state.ledger, { id: key, ...lost, askAtMs: draft.atMs + RECONCILE.firstMs }),
  });
}

function settleAnswer(draft: Draft, call: ModelCall, value: ModelResult): void {
  const { purpose } = call;
  const { lowered } = draft.state.model;
  bookAnswer(draft, call, value);
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
    const blocked = blockedBy(draft.state, draft.atMs);
    if (draft.state.landing) refuseCalls(draft);
    else if (blocked) beginLanding(draft, blocked);
    return;
  }
  const isCut = value.finish === 'length' && !draft.state.landing && !draft.state.cancelRequested;
  if (isCut && (lowered || call.allowance?.clampedBy)) return goOnAfterCut(draft, lowered);
  finishOrGoOn(draft, value.text ?? '');
}

/** What credit or a ceiling has cut short is no answer yet: the run goes on with it when it can be paid, or lands. */
function goOnAfterCut(draft: Draft, forCredit: boolean): void {
  const blocked = blockedBy(draft.state, draft.atMs);
  if (blocked) return beginLanding(draft, blocked);
  append(draft, [{ role: 'user', content: 'Your answer was cut off there. Go on with it, in fewer words.' }]);
  patch(draft, { step: draft.state.step + 1 });
  if (!forCredit) return;
  patch(draft, { pause: { reason: 'payment' } });
  const message = 'The credit was enough for a part of the answer only. Add credit, then resume the run.';
  emit(draft, { type: 'run_paused', reason: 'payment', by: null, message });
}

function bookAnswer(draft: Draft, { key, purpose, allowance }: ModelCall, value: ModelResult): void {
  const { state } = draft;
  const { model, promptTokens, completionTokens, generationId } = value;
  const cost = { nanoUsd: value.costNanoUsd ?? null, estimated: value.estimated === true };
  const askAtMs = draft.atMs + RECONCILE.firstMs;
  const ask = isMetered(state) && generationId !== undefined && { generationId };
  let ledger = settle(state.ledger, {
    id: key,
    purpose,
    model,
    cost,
    promptTokens,
    completionTokens,
    askAtMs,
    ...ask,
  });
  if (!isMetered(state)) return patch(draft, { ledger });
  if (value.cacheSourceId !== undefined) {
    const charge = { id: `${key}.source`, purpose, model, nanoUsd: allowance?.reservedNanoUsd ?? null };
    ledger = traceSource(ledger, { sourceId: value.cacheSourceId, charge, askAtMs });
  }
  patch(draft, { ledger: writeOffNameless(ledger) });
  // A cached answer reports no tokens.
  if (value.cached || promptTokens === 0) return;
  const [asked, ...others] = modelsAskedFor(state);
  // Which of several has answered is told by a name that may be another one, and what it was sent depends on which was asked first.
  if (asked === undefined || others.length > 0) return;
  patch(draft, { calibration: { model: asked, version: state.transcript.length, promptTokens } });
}

/** An answer without calls ends the run, unless a human has said something since. */
function finishOrGoOn(draft: Draft, answer: string): void {
  const { landing, step, cancelRequested, prepared } = draft.state;
  if (cancelRequested) return;
  // What a human said since is answered by the closing call.
  if (landing && draft.state.queue.length > 0) return;
  if (landing) return closeLanded(draft, landing, answer);
  if (takeMessages(draft, 'all')) return patch(draft, { step: step + 1 });
  const words = answer.trim() === '' ? assembleAnswer(draft.state) : answer;
  if (prepared?.idleMs !== undefined) return goIdle(draft, words);
  close(draft, { outcome: 'done', answer: words });
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
    spentNanoUsd: spentNanoUsd(draft.state.ledger),
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
