import { canonicalJson, type JsonObject, type JsonValue } from '../../core/json.js';
import type { TranscriptItem } from '../../core/transcript.js';
import type { ModelRequest, ToolSpec } from '../../ports/model.js';
import { ReasoningFilter } from './reasoning.js';
import { wellFormed } from './well-formed.js';

// OpenRouter, ChatRequest: session_id and metadata are bounded.
const MAX_SESSION_ID_CHARS = 256;
const MAX_METADATA_VALUE_CHARS = 512;
const MAX_TOOL_NAME_CHARS = 64;
const NANO_PER_USD = 1e9;

/**
 * The request body of a chat completion, as canonical JSON: equal requests give equal bytes, because OpenRouter's response cache
 * compares the order of keys too, and a longer transcript only appends messages, so that the provider's prompt cache keeps its prefix.
 */
export function toWireBody(request: ModelRequest): string {
  const filter = new ReasoningFilter(request.model);
  const body: JsonObject = {
    model: request.model,
    ...(request.models !== undefined && request.models.length > 0 && { models: request.models }),
    messages: request.items.map((item) => toMessage(item, filter)),
    // Without max_tokens the credit check assumes the model's maximum and refuses a low balance.
    max_tokens: request.maxOutputTokens,
    ...toolFields(request),
    ...(request.temperature !== undefined && { temperature: request.temperature }),
    ...(request.reasoning !== undefined && { reasoning: { effort: request.reasoning } }),
    ...(request.maxPrice !== undefined && { provider: { max_price: maxPriceOf(request.maxPrice) } }),
    metadata: metadataOf(request.metadata),
    session_id: request.sessionId.slice(0, MAX_SESSION_ID_CHARS),
    stream: true,
    // Of no effect at OpenRouter; other servers report usage in streams only when asked.
    stream_options: { include_usage: true },
  };
  return canonicalJson(body);
}

// `none` keeps the tools: a provider may refuse a transcript with calls when no tools are declared.
function toolFields({ tools, toolChoice }: ModelRequest): JsonObject {
  if (tools.length === 0) return {};
  const byName = [...tools].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  return { tools: byName.map(toTool), tool_choice: toolChoice };
}

function toTool({ name, description, parameters }: ToolSpec): JsonValue {
  return { type: 'function', function: { name, description: wellFormed(description), parameters } };
}

/** In US dollars, tokens by the million (OpenRouter, ProviderPreferences). The nearest number to whole nano-dollars is read back as these. */
function maxPriceOf(price: NonNullable<ModelRequest['maxPrice']>): JsonObject {
  return {
    prompt: price.promptNanoUsdPerMillion / NANO_PER_USD,
    completion: price.completionNanoUsdPerMillion / NANO_PER_USD,
    request: price.requestNanoUsd / NANO_PER_USD,
  };
}

function metadataOf(metadata: Record<string, string>): JsonObject {
  const pairs = Object.entries(metadata).map(([key, value]) => [
    key,
    wellFormed(value.slice(0, MAX_METADATA_VALUE_CHARS)),
  ]);
  return Object.fromEntries(pairs);
}

function toMessage(item: TranscriptItem, filter: ReasoningFilter): JsonValue {
  const content = wellFormed(item.content);
  if (item.role === 'tool') return { role: 'tool', tool_call_id: item.callId, content };
  if (item.role !== 'assistant') return { role: item.role, content };
  const calls = item.calls ?? [];
  const details = filter.pick(item);
  return {
    role: 'assistant',
    content: content === '' && calls.length > 0 ? null : content,
    ...(calls.length > 0 && {
      tool_calls: calls.map(({ id, name, args }) => ({
        id,
        type: 'function',
        function: { name: sendableName(name), arguments: wellFormed(args) },
      })),
    }),
    ...(details !== undefined && { reasoning_details: details }),
  };
}

// A model can make up any name; providers refuse the whole transcript for one that is not of this shape.
function sendableName(name: string): string {
  return name.replace(/[^\w-]/g, '_').slice(0, MAX_TOOL_NAME_CHARS) || 'unknown';
}
