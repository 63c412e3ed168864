import { RECONCILE } from '../behaviour.js';
import { openCalls } from '../calls/calls.js';
import { takeSummary } from '../context/compaction.js';
import { assembleAnswer, beginLanding, closeLanded, refuseCalls } from '../closing.js';
import { append, emit, parseJson, patch, type Draft } from '../draft.js';
import { lose, reserve, settle, spentNanoUsd, traceSource, writeOffNameless } from '../money/ledger.js';
import { modelKey } from '../keys.js';
import { isMetered } from '../metered.js';
import { settleFailure } from './model-failure.js';
import { attemptOf, currentModel, isAgentsWord, modelsAskedFor } from './models.js';
import { traceOf, type ModelResult, type Outcome } from '../outcomes.js';
import { blockedBy } from '../money/quote.js';
import { FIRST_ATTEMPT, FRESH_GUARDS, nextStepModel } from '../fresh-state.js';
import { isReviewed } from '../review/review-rounds.js';
import { beginReview, settleVerdict } from '../review/reviewing.js';
import type { ModelCall, ModelPurpose } from '../state.js';
import { takeMessages } from '../messages.js';
import { askForWhole, refuseAnswer } from './refused-answer.js';
import { finishTurn } from '../session.js';

/** Starts a model call; in a metered run with what it may take. */
export function startModelCall(
  draft: Draft,
  purpose: ModelPurpose,
  terms: Pick<ModelCall, 'allowance' | 'upTo'> = {},
): void {
  const { state } = draft;
  const { allowance } = terms;
  const key = modelKey(purpose, { step: state.step, tries: state.model.tries });
  const call: ModelCall = { key, purpose, status: 'running', ...terms };
  const isRetry = attemptOf(state) > 1;
  patch(draft, { model: { ...state.model, call, tries: state.model.tries + 1, retryAtMs: null } });
  if (allowance) {
    const charge = {
      id: key,
      purpose,
      model: currentModel(state, purpose),
      nanoUsd: allowance.reservedNanoUsd,
    };
    patch(draft, {
      ledger: reserve(state.ledger, charge),
      model: {
        ...draft.state.model,
        heldTokens: allowance.maxOutputTokens,
        heldBy: allowance.clampedBy,
      },
    });
  }
  // A review and a summary have events of their own.
  if (!isRetry && isAgentsWord(purpose))
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
  const { landing, cancelRequested } = draft.state;
  if (purpose === 'review') return settleVerdict(draft, value);
  if (purpose === 'compaction') {
    if (!landing && !cancelRequested) takeSummary(draft, call, value.text ?? '');
    return;
  }
  if (purpose === 'landing' && landing) {
    appendAnswer(draft, { ...value, calls: [] });
    if (cancelRequested) return;
    takeOutput(draft, value);
    return closeLanded(draft, landing, value.text ?? '');
  }
  appendAnswer(draft, value);
  patch(draft, { model: nextStepModel(draft.state.model) });
  if (value.calls?.length) {
    openCalls(draft, value.calls);
    const blocked = blockedBy(draft.state, draft.atMs);
    if (draft.state.landing) refuseCalls(draft);
    else if (blocked) beginLanding(draft, blocked);
    return;
  }
  const isCut = value.finish === 'length' && !landing && !cancelRequested;
  if (isCut && (lowered || call.allowance?.clampedBy)) return askForWhole(draft, lowered);
  finishOrGoOn(draft, value);
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
    cachedTokens: value.cachedTokens ?? 0,
    askAtMs,
    ...ask,
  });
  if (!isMetered(state)) return patch(draft, { ledger });
  if (value.cacheSourceId !== undefined) {
    const charge = { id: `${key}.source`, purpose, model, nanoUsd: allowance?.reservedNanoUsd ?? null };
    ledger = traceSource(ledger, { sourceId: value.cacheSourceId, charge, askAtMs });
  }
  patch(draft, { ledger: writeOffNameless(ledger) });
  // A cached answer reports no tokens, and a reviewer reads another conversation.
  if (value.cached || promptTokens === 0 || !isAgentsWord(purpose)) return;
  const [asked, ...others] = modelsAskedFor(state);
  // Which of several has answered is told by a name that may be another one, and what it was sent depends on which was asked first.
  if (asked === undefined || others.length > 0) return;
  patch(draft, { calibration: { model: asked, version: state.transcript.length, promptTokens } });
}

/** An answer without calls ends the run, unless a human has said something since, or it is not good enough yet. */
function finishOrGoOn(draft: Draft, value: ModelResult): void {
  const { landing, step, cancelRequested } = draft.state;
  const answer = value.text ?? '';
  if (cancelRequested) return;
  // What a human said since is answered by the closing call.
  if (landing && draft.state.queue.length > 0) return;
  if (landing) return closeLanded(draft, landing, answer);
  if (takeMessages(draft, 'all'))
    return patch(draft, { step: step + 1, review: FRESH_GUARDS.review, repairedStep: null });
  if (refuseAnswer(draft, value)) return;
  takeOutput(draft, value);
  patch(draft, { repairedStep: null });
  const words = answer.trim() === '' ? assembleAnswer(draft.state) : answer;
  if (isReviewed(draft.state)) return beginReview(draft, words);
  finishTurn(draft, words);
}

/** Keeps the value of an answer that fits its schema. */
function takeOutput(draft: Draft, { text = '', json }: ModelResult): void {
  if (json) patch(draft, { output: parseJson(text.slice(...json)) });
}

function emitCompleted(draft: Draft, purpose: ModelPurpose, value: ModelResult): void {
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
      ...(value.phase !== undefined && { phase: value.phase }),
    },
  ]);
}
