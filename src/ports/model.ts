import type { JsonObject, JsonValue } from '../core/json.js';
import type { ModelPrice } from '../core/money/price.js';
import type { ReasoningOptions } from '../core/run-input.js';
import type { TranscriptItem, TranscriptCall } from '../core/transcript.js';

/** A tool as the model is told of it. */
export interface ToolSpec {
  name: string;
  description: string;
  /** JSON Schema of the argument object. */
  parameters: JsonValue;
}

/** Which API of the server is spoken: chat completions, or responses. */
export type Wire = 'chat' | 'responses';

/** Everything one model call needs. */
export interface ModelRequest {
  model: string;
  /** Fallback models that the server may use, in order. */
  models?: string[];
  items: readonly TranscriptItem[];
  tools: readonly ToolSpec[];
  /** `none` asks for a text answer without tool calls. */
  toolChoice: 'auto' | 'none';
  maxOutputTokens: number;
  temperature?: number;
  reasoning?: ReasoningOptions;
  /** The answer shall be JSON of this schema. Servers that cannot see to it ignore it. */
  responseSchema?: JsonObject;
  /** Default `chat`. */
  wire?: Wire;
  /** At most 16 pairs; contract §11 names `longhaul_run`, `longhaul_step`, `longhaul_purpose`. Part of the response cache key. */
  metadata: Record<string, string>;
  /** Providers that charge more are not asked: a second lock beside the reservation. Sent only when given. */
  maxPrice?: { promptNanoUsdPerMillion: number; completionNanoUsdPerMillion: number; requestNanoUsd: number };
  /** Groups the calls of one run for provider-side prompt caching. */
  sessionId: string;
}

/** What a call cost. Unknown is its own case, never zero. `reported` is the server's word, `estimated` is tokens times list price. */
export type ModelCost =
  | { kind: 'reported'; nanoUsd: number }
  | { kind: 'estimated'; nanoUsd: number }
  | { kind: 'unknown' };

/** Token counts as reported; 0 where the server said nothing, and for an answer of the response cache. */
export interface ModelUsage {
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number;
}

/** One complete answer. An incomplete stream never becomes one. */
export interface ModelAnswer {
  text: string;
  /** Calls as the model wrote them: `args` is the raw text here, possibly not JSON. */
  calls: TranscriptCall[];
  reasoning: JsonValue[];
  /** The server has sent an empty list of it, which some models want back (DeepSeek V4). */
  emptyReasoning?: true;
  /** What the responses API says of a message (`commentary`, `final_answer`), to be sent back with it. */
  phase?: string;
  /** The model that really answered. */
  model: string;
  finishReason: string;
  usage: ModelUsage;
  cost: ModelCost;
  generationId: string | null;
  /** True when the response cache gave the answer. It costs nothing; what was paid is the cost of `cacheSourceId`. */
  cached: boolean;
  /** The generation whose answer the response cache gave again; `null` when it gave none, or did not say. */
  cacheSourceId: string | null;
}

/** What is heard while an answer streams. Must not throw. */
export interface ModelListener {
  /** Called as soon as response headers are in; again when only what follows names the generation. */
  onHeaders?(info: { generationId: string | null }): void;
  onText?(text: string): void;
  onReasoning?(text: string): void;
  onToolArgs?(delta: { index: number; name: string | null; text: string }): void;
}

/** Facts about a model that the server publishes. */
export interface ModelInfo {
  id: string;
  contextLength: number | null;
  maxOutputTokens: number | null;
  /** `null` when the list names no price; absent when the port does not know of prices. */
  price?: ModelPrice | null;
}

/** What a server says about a generation afterwards. */
export interface Generation {
  /** The user's own provider key's bill included. */
  costNanoUsd: number;
  promptTokens: number;
  completionTokens: number;
}

/** Where in an answer the value begins and ends that fits its schema, or why none does. */
export type AnswerCheck = { json: [start: number, end: number] } | { problem: string };

/** A server of models. */
export interface ModelPort {
  /**
   * Makes one streamed call and returns its complete answer.
   * @throws AgentError one of the `MODEL_*` codes; with `details.delayMs` when the server said when to come back. What it may have
   * cost is in the details too: `generationId` when the server gave one, `unbilled: true` when it certainly cost nothing (no connection,
   * or an error status instead of an answer).
   */
  call(
    request: ModelRequest,
    options: { signal: AbortSignal; listener?: ModelListener },
  ): Promise<ModelAnswer>;
  /**
   * Looks a model up in the server's list.
   * @returns `null` when the server has a list and the model is not in it, `undefined` when there is no list to ask.
   * @throws AgentError `MODEL_AUTH`, `MODEL_UNREACHABLE`
   */
  describe(model: string): Promise<ModelInfo | null | undefined>;
  /**
   * Proves that the key is accepted. A server that has no such question refuses no key here; then it is `unchecked`.
   * @throws AgentError `MODEL_AUTH`, `MODEL_UNREACHABLE`
   */
  checkKey(): Promise<{ limitRemainingUsd: number | null; unchecked?: true }>;
  /**
   * Asks what a generation cost, which servers know only a while after it ended.
   * @returns `null` when the server does not know it, or not yet; `undefined` when it has no such question, as far as this port has seen.
   * @throws AgentError `MODEL_AUTH`, `MODEL_UNREACHABLE`
   */
  generation(id: string, signal: AbortSignal): Promise<Generation | null | undefined>;
}
