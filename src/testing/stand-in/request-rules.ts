import { z } from 'zod';
import type { ChatRequest } from './script.js';

/** OpenRouter's bounds for `metadata` (its OpenAPI description of ChatRequest). */
const METADATA_PAIRS = 16;
const METADATA_KEY_CHARS = 64;
const METADATA_VALUE_CHARS = 512;

const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const positive = z.number().int().positive();
const price = z.union([z.number().min(0), z.string().regex(/^\d+(\.\d+)?$/)]).optional();

const message = z.looseObject({ role: z.string() });
const tool = z.object({
  type: z.literal('function'),
  function: z.looseObject({
    name: z.string().regex(TOOL_NAME, `Expected a string that matches the pattern '${TOOL_NAME.source}'.`),
    description: z.string().optional(),
    parameters: z
      .looseObject({ type: z.literal('object', 'schema must be a JSON Schema of \'type: "object"\'.') })
      .optional(),
  }),
});
const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) }),
]);

const chatRequest = z
  .looseObject({
    model: z.string().optional(),
    models: z.array(z.string()).optional(),
    messages: z.array(message),
    tools: z.array(tool).min(1, 'empty array. Expected an array with minimum length 1.').optional(),
    tool_choice: toolChoice.optional(),
    stream: z.boolean().optional(),
    max_tokens: positive.optional(),
    max_completion_tokens: positive.optional(),
    temperature: z.number().min(0).max(2).optional(),
    metadata: z.record(z.string().max(METADATA_KEY_CHARS), z.string().max(METADATA_VALUE_CHARS)).optional(),
    session_id: z.string().max(256).optional(),
    provider: z
      .looseObject({
        max_price: z.looseObject({ prompt: price, completion: price, request: price }).optional(),
      })
      .nullish(),
  })
  .superRefine(checkWhole);

/**
 * Checks the body of a chat request but for its transcript.
 * @returns the request, or what a provider would say about the first thing that is wrong with it
 */
export function readChatRequest(body: unknown): { request: ChatRequest } | { problem: string } {
  const result = chatRequest.safeParse(body);
  if (result.success) {
    const model = result.data.model ?? result.data.models?.[0] ?? '';
    // The schema above holds all that ChatRequest says; its loose objects only allow more.
    return { request: { ...result.data, model } as ChatRequest };
  }
  const [issue] = result.error.issues;
  const path = (issue?.path ?? [])
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('');
  return {
    problem:
      path === ''
        ? (issue?.message ?? 'Invalid request')
        : `Invalid '${path.replace(/^\./, '')}': ${issue?.message ?? ''}`,
  };
}

interface WholeRequest {
  model?: string | undefined;
  models?: string[] | undefined;
  tools?: { function: { name: string } }[] | undefined;
  tool_choice?: z.infer<typeof toolChoice> | undefined;
  metadata?: Record<string, string> | undefined;
}

function checkWhole(request: WholeRequest, context: z.RefinementCtx): void {
  const refuse = (text: string): void => context.addIssue({ code: 'custom', message: text });
  const names = (request.tools ?? []).map((entry) => entry.function.name);
  const choice = request.tool_choice;
  if (request.model === undefined && (request.models ?? []).length === 0) refuse('No models provided');
  if (new Set(names).size < names.length) refuse('tools: Tool names must be unique.');
  if (choice !== undefined && request.tools === undefined)
    refuse("Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.");
  if (typeof choice === 'object' && !names.includes(choice.function.name))
    refuse(`Tool choice '${choice.function.name}' not found in 'tools' parameter.`);
  if (Object.keys(request.metadata ?? {}).length > METADATA_PAIRS)
    refuse(
      `Invalid 'metadata': too many properties. Expected an object with at most ${METADATA_PAIRS} properties.`,
    );
}
