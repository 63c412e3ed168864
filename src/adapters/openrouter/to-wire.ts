import { canonicalJson, type JsonObject } from '../../core/json.js';
import type { TranscriptItem } from '../../core/transcript.js';
import type { ModelRequest, ToolSpec } from '../../ports/model.js';
import { toResponseFormat } from './answer-format.js';
import { cachedWhole, withCachedSystem } from './prompt-cache.js';
import { fallbacksFor, ReasoningFilter, toReasoning } from './reasoning.js';
import { commonFields, sendableName, toolsByName } from './request-parts.js';
import { wellFormed } from './well-formed.js';

/**
 * The request body of a chat completion, as canonical JSON: equal requests give equal bytes, because OpenRouter's response cache
 * compares the order of keys too. Providers cache prompts as tools, system, messages: a longer transcript leaves the bytes of all of them
 * as they were and only appends messages.
 */
export function toWireBody(request: ModelRequest): string {
  const filter = new ReasoningFilter(request.model);
  const reasoning = toReasoning(request);
  const responseFormat = toResponseFormat(request);
  const messages = request.items.map((item) => toMessage(item, filter));
  return canonicalJson({
    ...commonFields({ ...request, models: fallbacksFor(request) }),
    messages: withCachedSystem(request.model, messages),
    ...cachedWhole(request.model),
    // Without max_tokens the credit check assumes the model's maximum and refuses a low balance.
    max_tokens: request.maxOutputTokens,
    ...toolFields(request),
    ...(reasoning !== undefined && { reasoning }),
    ...(responseFormat !== undefined && { response_format: responseFormat }),
    // Of no effect at OpenRouter; other servers report usage in streams only when asked.
    stream_options: { include_usage: true },
  });
}

// `none` keeps the tools: a provider may refuse a transcript with calls when no tools are declared.
function toolFields({ tools, toolChoice }: ModelRequest): JsonObject {
  if (tools.length === 0) return {};
  return { tools: toolsByName(tools).map(toTool), tool_choice: toolChoice };
}

function toTool({ name, description, parameters }: ToolSpec): JsonObject {
  return { type: 'function', function: { name, description: wellFormed(description), parameters } };
}

function toMessage(item: TranscriptItem, filter: ReasoningFilter): JsonObject {
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
