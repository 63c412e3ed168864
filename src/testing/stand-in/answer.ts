import { createHash } from 'node:crypto';
import type { JsonObject } from '../../core/json.js';
import {
  familyOf,
  isPriced,
  maxOutputTokensOf,
  priceOf,
  promptPriceOf,
  toUsd,
  type BilledTokens,
  type StandInModel,
} from './models.js';
import type { ChatRequest, Reply } from './script.js';

/** A tool call, ready to be sent. */
export interface AnswerCall {
  id: string | null;
  index: number;
  name: string;
  /** `null`: the field is left out. */
  args: string | null;
}

/** A complete answer of a model: what a script said, cut to the limits, with ids, tokens and price. */
export interface Answer {
  model: StandInModel;
  text: string;
  reasoning: string;
  /** What the family adds to its thoughts; see {@link familyDetails}. */
  reasoningDetails: JsonObject[] | null;
  calls: AnswerCall[];
  /** What its message says of itself on the responses API. */
  phase?: string;
  /** Why it is empty, where it stands for an error. */
  errorType?: string;
  finishReason: string | null;
  tokens: Required<BilledTokens> & { reasoningTokens: number };
  costNanoUsd: number;
  chunkChars: number;
  /** Opaque text that stands for signatures and encrypted thoughts, the same for the same request. */
  seal: string;
}

const CHARS_PER_TOKEN = 4;
const DEFAULT_CHUNK_CHARS = 16;

/** Tokens of a text of this many characters: one per four, rounded up. An estimate that is easy to foresee, no tokenizer. */
export function tokensOf(chars: number): number {
  return Math.ceil(chars / CHARS_PER_TOKEN);
}

/** Tokens that a request is billed for: its messages and tools as JSON text. */
export function promptTokensOf(request: ChatRequest): number {
  return tokensOf(JSON.stringify([request.messages, request.tools ?? []]).length);
}

/** The longest answer the request allows, in tokens. */
export function outputLimitOf(request: ChatRequest, model: StandInModel): number {
  return Math.min(request.max_tokens ?? request.max_completion_tokens ?? Infinity, maxOutputTokensOf(model));
}

/** Makes a scripted reply an answer. `bodyHash` makes generated ids the same for the same request. */
export function toAnswer(
  reply: Reply,
  source: { request: ChatRequest; model: StandInModel; bodyHash: string },
): Answer {
  const { request, model, bodyHash } = source;
  const limitChars =
    reply.usage?.completionTokens === undefined ? outputLimitOf(request, model) * CHARS_PER_TOKEN : Infinity;
  const cut = cutter(limitChars);
  const reasoning = cut.take(reply.reasoning ?? '');
  const text = cut.take(reply.text ?? '');
  const calls: AnswerCall[] = [];
  for (const [position, call] of (reply.toolCalls ?? []).entries()) {
    const name = cut.take(call.name);
    if (name !== call.name) break;
    const args =
      call.rawArguments === null ? null : cut.take(call.rawArguments ?? JSON.stringify(call.args ?? {}));
    const id = call.id === undefined ? `call_${shortHash(`${bodyHash}:${position}`)}` : call.id;
    calls.push({ id, index: call.index ?? position, name, args });
  }
  const natural = cut.wasShort() ? 'length' : calls.length > 0 ? 'tool_calls' : 'stop';
  const tokens = {
    promptTokens: reply.usage?.promptTokens ?? promptTokensOf(request),
    completionTokens: reply.usage?.completionTokens ?? tokensOf(cut.takenChars()),
    cachedTokens: reply.usage?.cachedTokens ?? 0,
    cacheWriteTokens: reply.usage?.cacheWriteTokens ?? 0,
    reasoningTokens: reply.usage?.reasoningTokens ?? tokensOf(reasoning.length),
  };
  return {
    model,
    text,
    reasoning,
    reasoningDetails: reply.reasoningDetails ?? null,
    calls,
    ...(reply.phase !== undefined && { phase: reply.phase }),
    finishReason: reply.finishReason === undefined ? natural : reply.finishReason,
    tokens,
    costNanoUsd: reply.costNanoUsd ?? priceOf(model, tokens),
    chunkChars: reply.chunkChars ?? DEFAULT_CHUNK_CHARS,
    seal: shortHash(`${bodyHash}:seal`),
  };
}

/** The reasoning details that follow the thoughts of each family, as OpenRouter passes them on. */
export function familyDetails(answer: Answer): JsonObject[] {
  const thinks = answer.reasoning !== '';
  switch (familyOf(answer.model)) {
    case 'anthropic':
      return thinks
        ? [
            {
              type: 'reasoning.text',
              text: '',
              signature: answer.seal,
              format: 'anthropic-claude-v1',
              index: 0,
            },
          ]
        : [];
    case 'openai':
      return thinks
        ? [
            {
              type: 'reasoning.encrypted',
              data: answer.seal,
              id: `rs_${answer.seal}`,
              format: 'openai-responses-v1',
              index: 1,
            },
          ]
        : [];
    case 'google':
      return answer.calls.length > 0
        ? [{ type: 'reasoning.encrypted', data: answer.seal, id: null, format: 'google-gemini-v1', index: 1 }]
        : [];
    default:
      return [];
  }
}

/** A piece of thought as a reasoning detail of the family. */
export function thoughtDetail(model: StandInModel, text: string): JsonObject {
  switch (familyOf(model)) {
    case 'anthropic':
      return { type: 'reasoning.text', text, format: 'anthropic-claude-v1', index: 0 };
    case 'openai':
      return { type: 'reasoning.summary', summary: text, id: null, format: 'openai-responses-v1', index: 0 };
    case 'google':
      return { type: 'reasoning.text', text, format: 'google-gemini-v1', index: 0 };
    default:
      return { type: 'reasoning.text', text, format: 'unknown', index: 0 };
  }
}

/** The finish reason in the provider's own words. */
export function nativeFinishReason(model: StandInModel, finishReason: string | null): string | null {
  if (familyOf(model) !== 'anthropic') return finishReason;
  const words: Readonly<Record<string, string>> = {
    tool_calls: 'tool_use',
    stop: 'end_turn',
    length: 'max_tokens',
  };
  return finishReason === null ? null : (words[finishReason] ?? finishReason);
}

/** `usage` of a complete answer; from the response cache all of it is 0. */
export function usageOf(answer: Answer, options: { cached: boolean }): Record<string, unknown> {
  const { model } = answer;
  const tokens = options.cached
    ? { promptTokens: 0, completionTokens: 0, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 }
    : answer.tokens;
  const bill = options.cached ? 0 : answer.costNanoUsd;
  const promptNanoUsd = Math.min(bill, promptPriceOf(model, tokens));
  return {
    prompt_tokens: tokens.promptTokens,
    completion_tokens: tokens.completionTokens,
    total_tokens: tokens.promptTokens + tokens.completionTokens,
    cost: isPriced(model) || options.cached ? toUsd(model.byok ? 0 : bill) : null,
    is_byok: model.byok ?? false,
    prompt_tokens_details: {
      cached_tokens: tokens.cachedTokens,
      cache_write_tokens: tokens.cacheWriteTokens,
      audio_tokens: 0,
      video_tokens: 0,
    },
    cost_details: {
      upstream_inference_cost: model.byok ? toUsd(bill) : null,
      upstream_inference_prompt_cost: toUsd(promptNanoUsd),
      upstream_inference_completions_cost: toUsd(bill - promptNanoUsd),
    },
    completion_tokens_details: { reasoning_tokens: tokens.reasoningTokens, audio_tokens: 0 },
  };
}

function cutter(limitChars: number): {
  take(text: string): string;
  takenChars(): number;
  wasShort(): boolean;
} {
  let taken = 0;
  let short = false;
  return {
    take(text) {
      const piece = text.slice(0, Math.max(0, limitChars - taken));
      taken += piece.length;
      short ||= piece.length < text.length;
      return piece;
    },
    takenChars: () => taken,
    wasShort: () => short,
  };
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}
