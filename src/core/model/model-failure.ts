import {
  ATTEMPTS,
  BACKOFF,
  FALLBACK_COOL_DOWN_MS,
  LEAST_OUTPUT_TOKENS,
  LONGEST_POLITE_WAIT_MS,
  OUTAGE,
} from '../behaviour.js';
import { beginLanding, close, closeLanded } from '../closing.js';
import { canShorten, shorten } from '../context/compaction.js';
import { cut } from '../context/cut.js';
import { emit, patch, toIso, type Draft } from '../draft.js';
import { isErrorCode, type ErrorCode } from '../errors.js';
import type { JsonObject } from '../json.js';
import { spentNanoUsd } from '../money/ledger.js';
import { isMetered, isSelfKeeping } from '../metered.js';
import { attemptOf, currentModel, modelsOf } from './models.js';
import type { Outcome } from '../outcomes.js';
import { dearest, type ModelPrice } from '../money/price.js';
import { FIRST_ATTEMPT } from '../fresh-state.js';
import { failReview } from '../review/reviewing.js';
import type { ModelCall, ModelPurpose, ModelState, RunState } from '../state.js';
import { rollHash } from '../transcript.js';

interface Failure {
  code: string;
  message: string;
  retryable: boolean;
  details: JsonObject;
  /** What the model was asked for. */
  purpose: ModelPurpose;
  /** The worker went away; the model has done nothing wrong. */
  lostWorker: boolean;
}

/** Takes in an attempt that failed: another attempt, the next model, a wait, a pause, or the end. */
export function settleFailure(
  draft: Draft,
  call: ModelCall,
  outcome: Exclude<Outcome<never>, { kind: 'ok' | 'cancelled' }>,
): void {
  const failure: Failure = { ...toFailure(outcome), purpose: call.purpose };
  const { landing, cancelRequested } = draft.state;
  if (cancelRequested) return reportFailure(draft, failure, null);
  // A step that fails while its run is landing is not wanted any more.
  if (landing && call.purpose !== 'landing') return reportFailure(draft, failure, null);
  if (isMetered(draft.state) && tryAgain(draft, call, failure)) return;
  if (call.purpose === 'review' || call.purpose === 'compaction') return goOnWithout(draft, call, failure);
  if (failure.code === 'MODEL_CONTEXT_LENGTH' && shortenFirst(draft, failure)) return;
  if (landing) {
    reportFailure(draft, failure, null);
    return closeLanded(draft, landing, '');
  }
  if (failure.code === 'MODEL_PAYMENT') {
    patch(draft, { pause: { reason: 'payment' } });
    emit(draft, { type: 'run_paused', reason: 'payment', by: null, message: failure.message });
    return;
  }
  if (useNextModel(draft, failure)) return;
  if (failure.retryable || mayRecover(draft.state, failure)) return waitOut(draft, failure);
  reportFailure(draft, failure, null);
  close(draft, { outcome: 'failed', answer: failure.message, error: toError(failure) });
}

/** A run does not fail for want of a reviewer or of a summary. */
function goOnWithout(draft: Draft, { purpose }: ModelCall, failure: Failure): void {
  reportFailure(draft, failure, null);
  patch(draft, { model: { ...draft.state.model, ...FIRST_ATTEMPT } });
  if (purpose === 'compaction') return shorten(draft);
  failReview(draft, `The reviewer could not be asked: ${failure.message}`);
}

/** A conversation that the server refuses for its length is shortened, once in a step. */
function shortenFirst(draft: Draft, failure: Failure): boolean {
  const { compaction, step, model } = draft.state;
  if (!isSelfKeeping(draft.state) || compaction.refusedStep === step || !canShorten(draft.state))
    return false;
  reportFailure(draft, failure, draft.atMs);
  patch(draft, {
    compaction: { ...compaction, refusedStep: step, isDue: true },
    model: { ...model, ...FIRST_ATTEMPT },
  });
  return true;
}

/** Some time after the first model failed, a step is asked of it again. */
export function askFirstModelAgain(draft: Draft): void {
  const { model, step } = draft.state;
  const isDue = model.coolUntilMs !== null && draft.atMs >= model.coolUntilMs;
  if (!isSelfKeeping(draft.state) || !isDue || model.index === 0 || model.heldTokens !== null) return;
  const [to = '', ...others] = modelsOf(draft.state);
  const from = others[model.index - 1] ?? '';
  patch(draft, { model: { ...model, index: 0, coolUntilMs: null } });
  emit(draft, { type: 'fallback_ended', step, from, to });
}

function toFailure(outcome: Exclude<Outcome<never>, { kind: 'ok' | 'cancelled' }>): Omit<Failure, 'purpose'> {
  if (outcome.kind === 'failed') return { ...outcome, lostWorker: outcome.details['workerGone'] === true };
  return {
    code: 'MODEL_UNAVAILABLE',
    message: 'The model call did not end in time, or its worker was lost.',
    retryable: true,
    details: outcome.details ?? {},
    lostWorker: true,
  };
}

/** Whether the same model is asked again. */
function tryAgain(draft: Draft, call: ModelCall, failure: Failure): boolean {
  const { model } = draft.state;
  if (call.purpose === 'landing' && failure.code === 'MODEL_BAD_REQUEST' && !model.toolsOmitted)
    return again(draft, failure, { toolsOmitted: true, repeats: model.repeats + 1 });
  if (failure.code === 'MODEL_PAYMENT') return lowerTokens(draft, call, failure);
  // What is news cannot come again and again.
  if (failure.code === 'PRICE_CHANGED' && takePrices(draft, failure.details['prices']))
    return again(draft, failure, { repeats: model.repeats + 1 });
  if (!failure.retryable) return false;
  if (failure.lostWorker)
    return model.losses < ATTEMPTS.losses && again(draft, failure, { losses: model.losses + 1 });
  const failures = model.failures + 1;
  if (failures >= ATTEMPTS[call.purpose]) return false;
  const delayMs = retryDelayMs(draft, failure);
  const hasOther = modelsOf(draft.state)[model.index + 1] !== undefined;
  const hasBetter = hasOther || call.purpose !== 'step' || isSelfKeeping(draft.state);
  if (delayMs > LONGEST_POLITE_WAIT_MS && hasBetter) return false;
  return again(draft, failure, { failures, ...(delayMs > 0 && { retryAtMs: draft.atMs + delayMs }) });
}

/** Asks again: at `retryAtMs`, else at once. */
function again(draft: Draft, failure: Failure, change: Partial<ModelState>): boolean {
  reportFailure(draft, failure, change.retryAtMs ?? draft.atMs);
  patch(draft, { model: { ...draft.state.model, retryAtMs: null, ...change, problem: problemOf(failure) } });
  return true;
}

/** What the server asks for, else a wait that doubles. Spread by the run's own name: many runs fail at the same time. */
function retryDelayMs({ state }: Draft, { details }: Failure): number {
  const asked = details['delayMs'];
  const doubledMs = Math.min(BACKOFF.firstMs * 2 ** state.model.failures, BACKOFF.longestMs);
  const share = parseInt(rollHash(state.runId, `${state.step}.${state.model.tries}`).slice(-3), 36) / 36 ** 3;
  if (typeof asked === 'number' && asked >= 0)
    return Math.ceil(Math.min(asked, OUTAGE.patienceMs) + share * BACKOFF.firstMs);
  return Math.round(doubledMs * (1 - BACKOFF.spread + 2 * BACKOFF.spread * share));
}

/** Asks for as little as the server says can be paid for; once, since it may be wrong. */
function lowerTokens(draft: Draft, { purpose }: ModelCall, failure: Failure): boolean {
  const affordable = Math.floor(Number(failure.details['affordableTokens'] ?? 0));
  const { lowered, heldTokens, repeats } = draft.state.model;
  const isLower = affordable >= LEAST_OUTPUT_TOKENS[purpose] && affordable < (heldTokens ?? Infinity);
  if (lowered || !isLower) return false;
  return again(draft, failure, {
    lowered: true,
    heldTokens: affordable,
    heldBy: null,
    repeats: repeats + 1,
  });
}

/** Takes in what a worker has found out about prices since the run began. Returns whether any of it was new. */
function takePrices(draft: Draft, prices: unknown): boolean {
  const { prepared } = draft.state;
  if (!prepared) return false;
  const before = prepared.modelFacts ?? {};
  const modelFacts = { ...before };
  for (const [model, price] of Object.entries(Object(prices))) {
    const { maxOutputTokens = null, contextLength = null, price: known, assumed } = before[model] ?? {};
    // Written by the activity that read it from the server's list.
    const read = price as ModelPrice;
    // Workers may have read the list at different times: what is dear enough for all is asked about no more.
    modelFacts[model] = {
      price: known && !assumed ? dearest([known, read]) : read,
      maxOutputTokens,
      contextLength,
    };
  }
  patch(draft, { prepared: { ...prepared, modelFacts } });
  return JSON.stringify(modelFacts) !== JSON.stringify(before);
}

function reportFailure(draft: Draft, failure: Failure, retryAtMs: number | null): void {
  const { step } = draft.state;
  emit(draft, {
    type: 'model_failed',
    step,
    attempt: attemptOf(draft.state),
    purpose: failure.purpose,
    model: currentModel(draft.state, failure.purpose),
    code: failure.code,
    message: failure.message,
    retryAt: retryAtMs === null ? null : toIso(retryAtMs),
    spentNanoUsd: spentNanoUsd(draft.state.ledger),
  });
}

function useNextModel(draft: Draft, failure: Failure): boolean {
  const { state } = draft;
  const from = currentModel(state);
  const index = nextIndex(state, failure);
  const to = modelsOf(state)[index];
  if (to === undefined || failure.code === 'MODEL_AUTH') return false;
  if (isMetered(state)) reportFailure(draft, failure, null);
  patch(draft, {
    model: {
      ...draft.state.model,
      ...FIRST_ATTEMPT,
      index,
      coolUntilMs: draft.atMs + FALLBACK_COOL_DOWN_MS,
      mayRecover: state.model.mayRecover || failure.retryable,
    },
  });
  emit(draft, { type: 'fallback_used', step: state.step, from, to, code: failure.code });
  return true;
}

/** The next model of the run, or a later one that the server names as fit. */
function nextIndex(state: RunState, { details }: Failure): number {
  const named = details['fallbackModels'];
  const next = state.model.index + 1;
  if (!isSelfKeeping(state) || !Array.isArray(named)) return next;
  const fit = modelsOf(state).findIndex((model, index) => index >= next && named.includes(model));
  return fit < 0 ? next : fit;
}

/** What the last model refuses for good, an earlier one that is only down may take. */
function mayRecover(state: RunState, { code }: Failure): boolean {
  return isSelfKeeping(state) && state.model.mayRecover && code !== 'MODEL_AUTH';
}

/** All models are down: waits, longer each time, without spending; gives up after a day. */
function waitOut(draft: Draft, failure: Failure): void {
  const { model } = draft.state;
  const sinceMs = model.outageSinceMs ?? draft.atMs;
  if (draft.atMs - sinceMs >= OUTAGE.patienceMs) {
    reportFailure(draft, failure, null);
    return beginLanding(draft, { outcome: 'failed', limit: null, error: toError(failure) });
  }
  const usualMs = Math.min(OUTAGE.firstWaitMs * 2 ** model.outageWaits, OUTAGE.longestWaitMs);
  const { delayMs } = failure.details;
  // Where there are several models, another one may be back sooner.
  const isAlone = isSelfKeeping(draft.state) && modelsOf(draft.state).length === 1;
  const askedMs = isAlone && typeof delayMs === 'number' ? delayMs : 0;
  const retryAtMs = draft.atMs + Math.max(usualMs, Math.min(askedMs, OUTAGE.patienceMs));
  reportFailure(draft, failure, retryAtMs);
  const waiting: ModelState = {
    ...model,
    ...FIRST_ATTEMPT,
    index: 0,
    coolUntilMs: null,
    mayRecover: false,
    retryAtMs,
    problem: problemOf(failure),
    outageSinceMs: sinceMs,
    outageWaits: model.outageWaits + 1,
  };
  patch(draft, { model: waiting });
}

/** What a run carries along is kept short. */
function problemOf({ code, message }: Failure): NonNullable<ModelState['problem']> {
  return { code, message: cut(message, 300) };
}

function toError(failure: Failure): { code: ErrorCode; message: string } {
  return { code: isErrorCode(failure.code) ? failure.code : 'MODEL_UNAVAILABLE', message: failure.message };
}
