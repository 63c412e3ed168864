import { canonicalJson, type JsonObject, type JsonValue } from '../../../core/json.js';
import type { TranscriptItem } from '../../../core/transcript.js';
import type { ModelRequest, ToolSpec } from '../../../ports/model.js';
import { toResponseFormat } from '../answer-format.js';
import { isObject } from '../json-read.js';
import { cachedWhole } from '../prompt-cache.js';
import { fallbacksFor, toReasoning } from '../reasoning.js';
import { commonFields, sendableName, toolsByName } from '../request-parts.js';
import { wellFormed } from '../well-formed.js';
import { ReasoningItemFilter } from './reasoning-items.js';

type AssistantItem = Extract<TranscriptItem, { role: 'assistant' }>;

/**
 * The request body of `POST /responses`, as canonical JSON: equal requests give equal bytes, and a longer transcript only appends input
 * items. The API keeps nothing (`store: false`), so the whole conversation is the input each time, sealed reasoning included.
 */
export function toResponsesBody(request: ModelRequest): string {
  const filter = new ReasoningItemFilter(request.model);
  const reasoning = reasoningOf(request);
  const format = formatOf(request);
  return canonicalJson({
    ...commonFields({ ...request, models: fallbacksFor(request) }),
    ...cachedWhole(request.model),
    input: request.items.flatMap((item) => toInput(item, filter)),
    include: ['reasoning.encrypted_content'],
    // Without it the credit check assumes the model's maximum and refuses a low balance.
    max_output_tokens: request.maxOutputTokens,
    ...toolFields(request),
    ...(reasoning !== undefined && { reasoning }),
    ...(format !== undefined && { text: { format } }),
    store: false,
  });
}

/**
 * Absent unless asked for: some models refuse an empty one. This wire knows no `exclude`; thoughts are shown on it where they are asked
 * for, so those that shall not be shown are not asked for.
 */
function reasoningOf(request: ModelRequest): JsonObject | undefined {
  const { exclude = false, ...field } = toReasoning(request) ?? {};
  const isShown = request.reasoning !== undefined && exclude === false && field['effort'] !== 'none';
  const whole: JsonObject = { ...field, ...(isShown && { summary: 'auto' }) };
  return Object.keys(whole).length > 0 ? whole : undefined;
}

/** The same as on the chat wire, one level up. */
function formatOf(request: ModelRequest): JsonValue | undefined {
  const { json_schema: schema, ...format } = toResponseFormat(request) ?? {};
  return isObject(schema) ? { ...format, ...schema } : undefined;
}

// `none` keeps the tools: a provider may refuse a transcript with calls when no tools are declared.
function toolFields({ tools, toolChoice }: ModelRequest): JsonObject {
  if (tools.length === 0) return {};
  return { tools: toolsByName(tools).map(toTool), tool_choice: toolChoice };
}

// On this wire tools are strict unless told otherwise, which makes every optional argument a required one.
function toTool({ name, description, parameters }: ToolSpec): JsonObject {
  return { type: 'function', name, description: wellFormed(description), parameters, strict: false };
}

function toInput(item: TranscriptItem, filter: ReasoningItemFilter): JsonObject[] {
  if (item.role === 'assistant') return assistantInput(item, filter);
  const content = wellFormed(item.content);
  if (item.role === 'tool') return [{ type: 'function_call_output', call_id: item.callId, output: content }];
  return [{ type: 'message', role: item.role, content }];
}

/** Reasoning comes before what it led to; the marks that were kept say where that was in the middle. */
function assistantInput(item: AssistantItem, filter: ReasoningItemFilter): JsonObject[] {
  const { calls = [], phase } = item;
  const content = wellFormed(item.content);
  const message = {
    type: 'message',
    role: 'assistant',
    content,
    ...(phase !== undefined && { phase }),
  };
  const messages: JsonObject[] = content === '' && calls.length > 0 ? [] : [message];
  const toCall = ({ id, name, args }: (typeof calls)[number]): JsonObject => ({
    type: 'function_call',
    call_id: id,
    name: sendableName(name),
    arguments: wellFormed(args),
  });
  const left = { message: messages, function_call: calls.map(toCall) };
  const input = filter.pick(item).flatMap((entry) => {
    if (entry['type'] === 'message') return left.message.splice(0, 1);
    if (entry['type'] === 'function_call') return left.function_call.splice(0, 1);
    return [entry];
  });
  return [...input, ...left.message, ...left.function_call];
}
