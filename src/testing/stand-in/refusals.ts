import { findTranscriptProblem } from '../transcript-rules.js';
import { outputLimitOf, promptTokensOf } from './answer.js';
import { httpError, providerRefusal, unavailable, type HttpError } from './errors.js';
import {
  contextLengthOf,
  familyOf,
  isDearerThan,
  priceOf,
  promptPriceOf,
  providerOf,
  ratesAt,
  type StandInModel,
} from './models.js';
import type { LoggedRequest } from './request-log.js';
import type { ChatRequest } from './script.js';
import type { StandInState } from './state.js';

/** Who asks for what. */
interface Asking {
  request: ChatRequest;
  apiKey: string;
  logged: LoggedRequest;
}

/** What a model or the account says no to, before any token is written. */
export function findRefusal(model: StandInModel, turn: Asking, state: StandInState): HttpError | null {
  const { request } = turn;
  const wantsReasoning = familyOf(model) === 'google' ? { reasoningCallIds: state.reasoningCallIds } : {};
  const problem = findTranscriptProblem(request.messages, wantsReasoning);
  if (problem !== null) {
    turn.logged.problem = problem;
    return providerRefusal(problem, providerOf(model));
  }
  if (model.refusesToolChoiceNone && request.tool_choice === 'none') {
    turn.logged.problem = "Invalid value for 'tool_choice': 'none' is not supported by this provider.";
    return providerRefusal(turn.logged.problem, providerOf(model));
  }
  const promptTokens = promptTokensOf(request);
  if (isDearerThan(model, request.provider?.max_price ?? {}, promptTokens))
    return unavailable(404, 'constraint_filtered', {
      message: `No endpoints of ${model.id} are within max_price`,
      requested: [model.id],
      constraint: 'max_price',
    });
  return findTooLong(model, turn, promptTokens) ?? findUnpayable(model, turn, state);
}

function findTooLong(model: StandInModel, turn: Asking, promptTokens: number): HttpError | null {
  const maximum = contextLengthOf(model);
  const wanted = turn.logged.maxTokens ?? 0;
  if (promptTokens + wanted <= maximum) return null;
  const asked = `However, you requested about ${promptTokens + wanted} tokens (${promptTokens} of text input, ${wanted} in the output).`;
  return httpError(
    400,
    `This endpoint's maximum context length is ${maximum} tokens. ${asked} Please reduce the length of either one.`,
    { error_type: 'context_length_exceeded' },
  );
}

function findUnpayable(model: StandInModel, turn: Asking, state: StandInState): HttpError | null {
  if (state.creditLimitNanoUsd === null) return null;
  const promptTokens = promptTokensOf(turn.request);
  const outputTokens = outputLimitOf(turn.request, model);
  const left = state.creditLimitNanoUsd - state.ledger.spentNanoUsd(turn.apiKey);
  if (left >= priceOf(model, { promptTokens, completionTokens: outputTokens })) return null;
  const forOutput = left - promptPriceOf(model, { promptTokens, completionTokens: 0 });
  const perToken = ratesAt(model, promptTokens).completionNanoUsd ?? 0;
  const affordable = Math.max(0, Math.floor(forOutput / Math.max(1, perToken)));
  return httpError(
    402,
    `This request requires more credits, or fewer max_tokens. You requested up to ${outputTokens} tokens, but can only afford ${affordable}.`,
  );
}
