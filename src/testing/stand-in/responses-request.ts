import { z } from 'zod';
import type { WireMessage } from '../transcript-rules.js';
import { readChatRequest } from './request-rules.js';
import type { ChatRequest } from './script.js';

const text = z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))]);
const message = z.looseObject({
  type: z.literal('message').optional(),
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content: text,
  phase: z.enum(['commentary', 'final_answer']).nullish(),
});
const call = z.looseObject({
  type: z.literal('function_call'),
  call_id: z.string(),
  name: z.string(),
  arguments: z.string(),
});
const output = z.looseObject({ type: z.literal('function_call_output'), call_id: z.string(), output: text });
const texts = z.array(z.looseObject({ type: z.string(), text: z.string() }));
const reasoning = z.looseObject({
  type: z.literal('reasoning'),
  id: z.string(),
  summary: texts,
  content: texts.nullish(),
  encrypted_content: z.string().nullish(),
  signature: z.string().nullish(),
  format: z.string().nullish(),
});
const item = z.union([message, call, output, reasoning]);

type Item = z.infer<typeof item>;
type CallItem = z.infer<typeof call>;

/** OpenRouter's ResponsesRequest, as far as it differs from a chat request. It is stateless: nothing is stored, nothing referred to. */
const responsesRequest = z.looseObject({
  input: z.union([z.string(), z.array(item).min(1)]),
  instructions: z.string().nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.literal('function'),
        name: z.string(),
        description: z.string().nullish(),
        parameters: z.looseObject({}).nullable(),
      }),
    )
    .optional(),
  tool_choice: z
    .union([z.string(), z.looseObject({ type: z.literal('function'), name: z.string() })])
    .optional(),
  max_output_tokens: z.number().nullish(),
  reasoning: z.looseObject({}).nullish(),
  text: z.looseObject({ format: z.looseObject({ type: z.string() }).optional() }).nullish(),
  store: z.literal(false, 'store: true is not supported, the API is stateless.').optional(),
  previous_response_id: z.null('previous_response_id is not supported, the API is stateless.').optional(),
});

/**
 * Reads the body of `POST /responses` into the chat request that says the same.
 * @returns the request, or what a provider would say about the first thing that is wrong with it
 */
export function readResponsesRequest(body: unknown): { request: ChatRequest } | { problem: string } {
  const result = responsesRequest.safeParse(body);
  if (!result.success) {
    const [issue] = result.error.issues;
    return { problem: `Invalid '${(issue?.path ?? []).join('.')}': ${issue?.message ?? ''}` };
  }
  const { input, instructions, tools, tool_choice: choice, text: wanted, ...rest } = result.data;
  const items: Item[] = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
  const problem = findItemProblem(items);
  if (problem !== null) return { problem };
  const system = typeof instructions === 'string' ? [{ role: 'system', content: instructions }] : [];
  const format = wanted?.format;
  return readChatRequest({
    ...rest,
    messages: [...system, ...toMessages(items)],
    ...(tools !== undefined && {
      tools: tools.map(({ name, description, parameters }) => ({
        type: 'function',
        function: { name, ...(description && { description }), ...(parameters && { parameters }) },
      })),
    }),
    ...(choice !== undefined && {
      tool_choice:
        typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } },
    }),
    ...(rest.max_output_tokens !== null && { max_tokens: rest.max_output_tokens }),
    ...(format !== undefined && {
      response_format: format.type === 'json_schema' ? { type: format.type, json_schema: format } : format,
    }),
  });
}

/** What is wrong with items by themselves, in the words of the responses API. */
function findItemProblem(items: readonly Item[]): string | null {
  const calls = new Set(items.flatMap((entry) => (isCall(entry) ? [entry.call_id] : [])));
  const outputs = new Set(items.flatMap((entry) => (isOutput(entry) ? [entry.call_id] : [])));
  const ids = new Set<unknown>();
  for (const [index, entry] of items.entries()) {
    if (isCall(entry) && !outputs.has(entry.call_id))
      return `No tool output found for function call ${entry.call_id}.`;
    if (isOutput(entry) && !calls.has(entry.call_id))
      return `No tool call found for function call output with call_id ${entry.call_id}.`;
    const id = entry['id'];
    if (typeof id === 'string' && ids.has(id))
      return `Duplicate item found with id ${id}. Remove duplicate items from your input and try again.`;
    ids.add(id);
    const next = items[index + 1];
    const leadsOn = next !== undefined && (isCall(next) || isReasoning(next) || isSaid(next));
    if (isReasoning(entry) && !leadsOn)
      return `Item '${entry.id}' of type 'reasoning' was provided without its required following item.`;
  }
  return null;
}

/** Items as messages: reasoning, text and calls that follow each other are one message of the assistant. */
function toMessages(items: readonly Item[]): WireMessage[] {
  const messages: WireMessage[] = [];
  let turn: { content?: unknown; tool_calls?: unknown[]; reasoning_details?: unknown[] } | null = null;
  const open = (): NonNullable<typeof turn> => {
    if (turn === null) {
      turn = {};
      messages.push(Object.assign(turn, { role: 'assistant' }));
    }
    return turn;
  };
  for (const entry of items) {
    if (isReasoning(entry)) (open().reasoning_details ??= []).push(...detailsOf(entry));
    else if (isCall(entry)) (open().tool_calls ??= []).push(toolCallOf(entry));
    else if (isMessage(entry) && entry.role === 'assistant') {
      // A second message is a second turn, unless nothing but thoughts came after the first.
      if (open().content !== undefined) turn = null;
      open().content = contentOf(entry.content);
    } else {
      turn = null;
      messages.push(
        isOutput(entry)
          ? { role: 'tool', tool_call_id: entry.call_id, content: contentOf(entry.output) }
          : { role: entry.role, content: contentOf(entry.content) },
      );
    }
  }
  for (const said of messages) if (said.role === 'assistant') said.content ??= null;
  return messages;
}

function toolCallOf({ call_id: id, name, arguments: args }: CallItem): unknown {
  return { id, type: 'function', function: { name, arguments: args } };
}

/** Parts of this API are `input_text` and `output_text`, which a chat request calls `text`. */
function contentOf(content: z.infer<typeof text>): unknown {
  if (typeof content === 'string') return content;
  return content.map((part) => (part.text === undefined ? part : { type: 'text', text: part.text }));
}

/** Thoughts as details, so that the rules for those hold here too. */
function detailsOf({ id, format, ...thought }: z.infer<typeof reasoning>): unknown[] {
  const signature = thought.signature ?? undefined;
  const content = (thought.content ?? []).map((part) => part.text).join('');
  const { encrypted_content: data } = thought;
  // The seal of an item stands for its text as well.
  const isShown = signature !== undefined || (content !== '' && !data);
  return [
    ...thought.summary.map((part) => ({ type: 'reasoning.summary', summary: part.text, format })),
    ...(!isShown ? [] : [{ type: 'reasoning.text', text: content, signature, format }]),
    ...(data ? [{ type: 'reasoning.encrypted', data, id, format }] : []),
  ];
}

const isCall = (entry: Item): entry is CallItem => entry.type === 'function_call';
const isOutput = (entry: Item): entry is z.infer<typeof output> => entry.type === 'function_call_output';
const isReasoning = (entry: Item): entry is z.infer<typeof reasoning> => entry.type === 'reasoning';
const isMessage = (entry: Item): entry is z.infer<typeof message> =>
  !isCall(entry) && !isOutput(entry) && !isReasoning(entry);
const isSaid = (entry: Item): boolean => isMessage(entry) && entry.role === 'assistant';
