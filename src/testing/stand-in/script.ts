import type { JsonObject } from '../../core/json.js';
import { textOf, type WireMessage } from '../transcript-rules.js';
import type { Fault } from './faults.js';
import type { MaxPrice } from './models.js';

/** A tool as the request offers it. */
export interface WireTool {
  type: 'function';
  function: { name: string; description?: string; parameters?: JsonObject };
}

/** The body of `POST /chat/completions`, after it was found valid; that of `POST /responses` in the same words. */
export interface ChatRequest {
  model: string;
  models?: string[];
  messages: WireMessage[];
  tools?: WireTool[];
  tool_choice?: 'none' | 'auto' | 'required' | { type: 'function'; function: { name: string } };
  stream?: boolean;
  max_tokens?: number;
  max_completion_tokens?: number;
  temperature?: number;
  metadata?: Record<string, string>;
  provider?: { max_price?: MaxPrice | undefined } | null;
}

/** A tool call of a scripted answer. */
export interface ReplyCall {
  name: string;
  /** The argument object; default `{}`. */
  args?: JsonObject;
  /** Argument text sent as it stands, JSON or not; `null` leaves the field out. Wins over `args`. */
  rawArguments?: string | null;
  /** Default: made from the request body, so the same request gets the same id. `null` and `''` are sent as they stand. */
  id?: string | null;
  /** Position in the deltas, for gaps; default: position in the list. */
  index?: number;
}

/** What the model answers. An empty object is an empty answer. */
export interface Reply {
  text?: string;
  /** Thoughts; sent with reasoning details in the way of the model's family. */
  reasoning?: string;
  /** Reasoning details sent as they stand, one delta each (on the responses API one item each), instead of those of the family. */
  reasoningDetails?: JsonObject[];
  toolCalls?: ReplyCall[];
  /** What the message says of itself on the responses API, which wants it back. */
  phase?: 'commentary' | 'final_answer';
  /** Default: `tool_calls` with calls, `length` when cut at `max_tokens`, else `stop`. */
  finishReason?: string | null;
  /** Token counts; default: one token per four characters, rounded up. A given `completionTokens` also turns cutting at `max_tokens` off. */
  usage?: {
    promptTokens?: number;
    completionTokens?: number;
    cachedTokens?: number;
    cacheWriteTokens?: number;
    reasoningTokens?: number;
  };
  /** What the whole answer costs; default: tokens times the price of the model. */
  costNanoUsd?: number;
  /** Characters per streamed piece; default 16. */
  chunkChars?: number;
  /** Wait before each streamed chunk; default: `latencyMs` of the server. */
  chunkDelayMs?: number;
  /** Whether the chunk that carries `usage` has one empty choice (as seen live, the default) or none (as documented). */
  usageChunk?: 'one-choice' | 'no-choices';
  /** What goes wrong on the way. */
  fault?: Fault;
}

/** What a script may go by beside the request. */
export interface ScriptContext {
  /** `metadata` of the request; empty when there is none. */
  metadata: Readonly<Record<string, string>>;
  /** The model asked now: `models` are tried in order. */
  model: string;
  /** Assistant messages in the request so far. */
  stepIndex: number;
  /** Chat requests that this server has taken, this one included. */
  callCount: number;
  /** Requests of the same run, step and purpose (the `longhaul_*` metadata; without it, of the same body), this one included. Counted from the start of the server. */
  attempt: number;
}

/**
 * Decides what the model answers. Go by the request, not by memory of earlier calls: then a retried call gets the same answer,
 * also from a server that was started anew. Only `callCount` and `attempt` count; use them to fail the first tries.
 */
export type Script = (request: ChatRequest, context: ScriptContext) => Reply | Promise<Reply>;

/** Faults over any script: asked for each answer that has none of its own. */
export type FaultPlan = (request: ChatRequest, context: ScriptContext) => Fault | undefined;

/** Answers for requests that are not steps, by `metadata.longhaul_purpose` (`landing`, `review`, `compaction`). */
export interface ScriptedStepsOptions {
  byPurpose?: Readonly<Record<string, Reply | Script>>;
}

/**
 * A script that gives one answer per step, in order: the n-th request of a transcript (by assistant messages so far) gets `replies[n]`.
 * Past the end the last answer stays. With `tool_choice: "none"` calls are left out, and an answer without text says that it landed.
 */
export function scriptedSteps(replies: readonly Reply[], options: ScriptedStepsOptions = {}): Script {
  return (request, context) => {
    const special = options.byPurpose?.[context.metadata['longhaul_purpose'] ?? 'step'];
    if (typeof special === 'function') return special(request, context);
    const reply = special ?? replies[Math.min(context.stepIndex, replies.length - 1)] ?? {};
    return request.tool_choice === 'none' ? withoutCalls(reply) : reply;
  };
}

/** A script that answers with the text of the last message. */
export const echoScript: Script = (request) => {
  const last = request.messages.at(-1);
  return { text: last === undefined ? '' : textOf(last) };
};

function withoutCalls(reply: Reply): Reply {
  const { toolCalls, ...rest } = reply;
  return toolCalls === undefined || rest.text ? rest : { ...rest, text: 'Landed without further calls.' };
}
