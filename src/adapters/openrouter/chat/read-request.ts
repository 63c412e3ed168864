import { z } from 'zod';
import { AgentError } from '../../../core/errors.js';
import type { JsonObject } from '../../../core/json.js';
import { notRun } from '../../../core/calls/results.js';
import type { TranscriptCall } from '../../../core/transcript.js';
import { isObject, parseJson } from '../json-read.js';

const DEFAULT_MAX_TOKENS = 4096;
const DEFAULT_TEMPERATURE = 0;

/** Checks with the schema that `pick` finds for the value, so that what is wrong is said of the shape that was meant. */
function oneOf<Schema extends z.ZodType>(pick: (value: unknown) => Schema) {
  return z.unknown().transform((value, context): z.output<Schema> => {
    const result = pick(value).safeParse(value);
    if (result.success) return result.data;
    for (const { path, message } of result.error.issues) context.addIssue({ code: 'custom', path, message });
    return z.NEVER;
  });
}

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A copy by way of JSON: what a program hands over may hold more than JSON can say. */
const jsonObject = z
  .custom<object>(isRecord, 'must be a JSON object')
  .transform((value, context): JsonObject => {
    try {
      const copy: JsonObject = JSON.parse(JSON.stringify(value));
      return copy;
    } catch {
      context.addIssue('must be a JSON object');
      return z.NEVER;
    }
  });

const id = z.string().min(1, 'must not be empty');
const textPart = z.strictObject({ type: z.literal('text'), text: z.string() });

const asString = z.string().transform((text) => [{ type: 'text' as const, text }]);

/** A string, or a list of such parts. It is read as a list in either case. */
function parts<Part extends z.ZodType>(part: Part, names: string) {
  const error = `must be a string or a list of parts of type ${names}`;
  const list = z.array(part, { error }).min(1, 'must not be empty');
  return oneOf((value) => (typeof value === 'string' ? asString : list));
}

const partOf = <Options extends readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]]>(
  options: Options,
  names: string,
) => z.discriminatedUnion('type', options, { error: `must be ${names}: nothing else can be sent` });

const text = parts(partOf([textPart], 'text'), 'text').transform(joinTexts);

/** Puts text parts together, with line feeds between. */
export function joinTexts(list: readonly { text: string }[]): string {
  return list.map((part) => part.text).join('\n');
}

const toolResultPart = z
  .strictObject({
    type: z.literal('tool_result'),
    tool_use_id: id,
    content: text.nullish().transform((content) => content ?? ''),
    is_error: z.boolean().nullish(),
  })
  .transform(({ type, tool_use_id: callId, content, is_error: isError }) => ({
    type,
    callId,
    content: isError === true ? notRun('failed', content).content : content,
  }));

const toCall = ({ id: callId, name, input }: { id: string; name: string; input: JsonObject }) => ({
  id: callId,
  name,
  args: JSON.stringify(input),
});
const callFields = { id, name: z.string(), input: jsonObject.nullish().transform((input) => input ?? {}) };
const toolUsePart = z
  .strictObject({ type: z.literal('tool_use'), ...callFields })
  .transform(({ type, ...call }) => ({ type, call: toCall(call) }));
const plainCall = z.strictObject(callFields).transform(toCall);
const functionCall = z
  .strictObject({
    id,
    type: z.literal('function').optional(),
    function: z.strictObject({
      name: z.string(),
      arguments: z
        .string()
        .transform((args) => args || '{}')
        .refine((args) => isObject(parseJson(args)), 'must be the JSON text of an object'),
    }),
  })
  .transform(({ id: callId, function: { name, arguments: args } }): TranscriptCall => ({
    id: callId,
    name,
    args,
  }));

const message = z.discriminatedUnion(
  'role',
  [
    z.strictObject({ role: z.literal('system'), content: text }),
    z.strictObject({
      role: z.literal('user'),
      content: parts(partOf([textPart, toolResultPart], 'text or tool_result'), 'text or tool_result'),
    }),
    z
      .strictObject({
        role: z.literal('assistant'),
        content: parts(partOf([textPart, toolUsePart], 'text or tool_use'), 'text or tool_use').nullish(),
        tool_calls: z
          .array(oneOf((value) => (isRecord(value) && 'function' in value ? functionCall : plainCall)))
          .nullish(),
      })
      .refine(({ content, tool_calls: calls }) => content || calls?.length, 'needs content or tool_calls'),
    z.strictObject({ role: z.literal('tool'), tool_call_id: id, content: text }),
  ],
  { error: 'must be a message whose role is system, user, assistant or tool' },
);

const tool = z
  .strictObject({
    name: z.string().regex(/^[\w-]{1,64}$/, 'must be 1 to 64 of the characters A-Z a-z 0-9 _ -'),
    description: z.string().nullish(),
    input_schema: jsonObject.nullish(),
  })
  .transform(({ name, description, input_schema: parameters }) => ({
    name,
    description: description ?? '',
    parameters: parameters ?? { type: 'object', properties: {} },
  }));

const request = z.strictObject({
  model: z.string().refine((name) => name.trim() !== '', 'must not be empty'),
  messages: z.array(message).min(1, 'must not be empty'),
  tools: z
    .array(tool)
    .refine(
      (tools) => new Set(tools.map(({ name }) => name)).size === tools.length,
      'must have different names',
    )
    .nullish()
    .transform((tools) => tools ?? []),
  max_tokens: z
    .int()
    .min(1)
    .max(1_000_000)
    .nullish()
    .transform((maxTokens) => maxTokens ?? DEFAULT_MAX_TOKENS),
  temperature: z
    .number()
    .min(0)
    .max(2)
    .nullish()
    .transform((temperature) => temperature ?? DEFAULT_TEMPERATURE),
  system: text.nullish().transform((system) => system ?? ''),
});

/** A chat request that is in order, its texts joined and its defaults filled in. */
export type ReadChatRequest = z.output<typeof request>;

/** A message of it. */
export type ReadChatMessage = ReadChatRequest['messages'][number];

/**
 * Checks a chat request. Unknown fields and parts are refused, so that nothing is left out of the request unsaid.
 * @throws AgentError `INPUT_INVALID`, one for all problems, naming each field and what fits.
 */
export function readChatRequest(body: unknown): ReadChatRequest {
  const result = request.safeParse(body);
  if (!result.success) throw invalidChat(result.error.issues.map(describe));
  return result.data;
}

/** The error for a chat request with these problems. */
export function invalidChat(problems: readonly string[]): AgentError {
  return new AgentError('INPUT_INVALID', `Correct the chat request: ${problems.join('; ')}.`);
}

function describe({ path, message: words }: Pick<z.core.$ZodIssue, 'path' | 'message'>): string {
  const field = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return `${field.replace(/^\./, '') || 'it'}: ${words.replace(/^Invalid input: /, '')}`;
}
