import type { JsonObject } from '../../core/json.js';
import type { Answer } from './answer.js';
import { split } from './chunks.js';
import { familyOf } from './models.js';

/** One event of a streamed response, but for its number, and how many characters of the answer it brings. */
export interface ResponseEvent {
  type: string;
  fields: JsonObject;
  chars: number;
}

/** The items of a response, in the order of chat completions: thoughts, text, calls. */
export function itemsOf(answer: Answer): JsonObject[] {
  const { text, calls, seal, phase } = answer;
  const message: JsonObject = {
    type: 'message',
    id: `msg_${seal}`,
    role: 'assistant',
    status: 'completed',
    ...(phase !== undefined && { phase }),
    content: [textPart(text)],
  };
  return [
    ...reasoningItems(answer),
    ...(text === '' && calls.length > 0 ? [] : answer.errorType === undefined ? [message] : []),
    ...calls.map(({ id, name, args }, position) => ({
      type: 'function_call',
      id: `fc_${seal}_${position}`,
      call_id: id,
      name,
      ...(args !== null && { arguments: args }),
      status: 'completed',
    })),
  ];
}

/** What a stream says of one item. */
export function eventsOf(item: JsonObject, index: number, { chunkChars }: Answer): ResponseEvent[] {
  const event = (type: string, fields: JsonObject, chars = 0): ResponseEvent => ({ type, fields, chars });
  const place = { item_id: item['id'] ?? null, output_index: index };
  const [start, parts] = INSIDES[textIn(item, 'type')]?.(item, { place, chunkChars }) ?? [item, []];
  const added = { ...start, status: 'in_progress' };
  const nameChars = textIn(item, 'name').length;
  return [
    event('response.output_item.added', { output_index: index, item: added }, nameChars),
    ...parts.map(([type, fields, chars]) => event(type, { ...place, ...fields }, chars)),
    event('response.output_item.done', { output_index: index, item }),
  ];
}

type Part = [type: string, fields: JsonObject, chars: number];
type Inside = (
  item: JsonObject,
  how: { place: JsonObject; chunkChars: number },
) => [start: JsonObject, parts: Part[]];

const INSIDES: Readonly<Record<string, Inside>> = {
  message(item, { chunkChars }) {
    const [part = textPart('')] = partsIn(item, 'content');
    const text = textIn(part, 'text');
    const at = { content_index: 0 };
    const parts: Part[] = [
      ['response.content_part.added', { ...at, part: textPart('') }, 0],
      ...split(text, chunkChars).map((delta): Part => {
        return ['response.output_text.delta', { ...at, delta, logprobs: [] }, delta.length];
      }),
      ['response.output_text.done', { ...at, text, logprobs: [] }, 0],
      ['response.content_part.done', { ...at, part }, 0],
    ];
    return [{ ...item, content: [] }, parts];
  },
  function_call(item, { chunkChars }) {
    const args = item['arguments'];
    if (typeof args !== 'string') return [item, []];
    const deltas = split(args, chunkChars).map((delta): Part => {
      return ['response.function_call_arguments.delta', { delta }, delta.length];
    });
    const done = { name: item['name'] ?? '', arguments: args };
    return [{ ...item, arguments: '' }, [...deltas, ['response.function_call_arguments.done', done, 0]]];
  },
  reasoning(item, { chunkChars }) {
    const summaries = partsIn(item, 'summary').flatMap((part, i): Part[] => {
      const [at, text] = [{ summary_index: i }, textIn(part, 'text')];
      return [
        ['response.reasoning_summary_part.added', { ...at, part: { type: 'summary_text', text: '' } }, 0],
        ['response.reasoning_summary_text.delta', { ...at, delta: text }, text.length],
        ['response.reasoning_summary_text.done', { ...at, text }, 0],
        ['response.reasoning_summary_part.done', { ...at, part }, 0],
      ];
    });
    const contents = partsIn(item, 'content').flatMap((part, i): Part[] => {
      const [at, text] = [{ content_index: i }, textIn(part, 'text')];
      const deltas = split(text, chunkChars).map((delta): Part => {
        return ['response.reasoning_text.delta', { ...at, delta }, delta.length];
      });
      return [
        ['response.content_part.added', { ...at, part: { type: 'reasoning_text', text: '' } }, 0],
        ...deltas,
        ['response.reasoning_text.done', { ...at, text }, 0],
        ['response.content_part.done', { ...at, part }, 0],
      ];
    });
    const { encrypted_content: _sealed, signature: _signature, ...start } = item;
    const empty = { summary: [], ...('content' in item && { content: [] }) };
    return [{ ...start, ...empty }, [...summaries, ...contents]];
  },
};

/** The thoughts of each family, as OpenRouter passes them on. */
function reasoningItems(answer: Answer): JsonObject[] {
  const { reasoning, reasoningDetails, calls, seal, model } = answer;
  if (reasoningDetails !== null)
    return reasoningDetails.map((detail, i) => itemOfDetail(detail, `${seal}_${i}`));
  const thinks = reasoning !== '';
  const item = (fields: JsonObject): JsonObject => ({
    type: 'reasoning',
    id: `rs_${seal}`,
    summary: [],
    ...fields,
  });
  const content = [{ type: 'reasoning_text', text: reasoning }];
  switch (familyOf(model)) {
    case 'anthropic':
      return thinks ? [item({ content, signature: seal, format: 'anthropic-claude-v1' })] : [];
    case 'openai': {
      const summary = [{ type: 'summary_text', text: reasoning }];
      return thinks ? [item({ summary, encrypted_content: seal, format: 'openai-responses-v1' })] : [];
    }
    case 'google': {
      const sealed = calls.length > 0 ? { encrypted_content: seal } : {};
      const seen = thinks ? { content } : {};
      return thinks || calls.length > 0 ? [item({ ...seen, ...sealed, format: 'google-gemini-v1' })] : [];
    }
    default:
      return thinks ? [item({ content, format: 'unknown' })] : [];
  }
}

/** A scripted detail as an item; an item stays what it is. */
function itemOfDetail(detail: JsonObject, seal: string): JsonObject {
  if (detail['type'] === 'reasoning') return detail;
  const { text, summary, data, signature, format, id } = detail;
  return {
    type: 'reasoning',
    id: id ?? `rs_${seal}`,
    summary: summary === undefined ? [] : [{ type: 'summary_text', text: summary }],
    ...(text !== undefined && { content: [{ type: 'reasoning_text', text }] }),
    ...(data !== undefined && { encrypted_content: data }),
    ...(signature !== undefined && { signature }),
    ...(format !== undefined && { format }),
  };
}

function partsIn(item: JsonObject, key: string): JsonObject[] {
  const parts = item[key];
  // Lists of items are made above, or by a script, of objects only.
  return Array.isArray(parts) ? (parts as JsonObject[]) : [];
}

function textIn(item: JsonObject, key: string): string {
  const text = item[key];
  return typeof text === 'string' ? text : '';
}

function textPart(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}
