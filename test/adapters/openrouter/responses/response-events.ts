import type { JsonObject } from '../../../../src/core/json.js';

export const USAGE = {
  input_tokens: 10,
  input_tokens_details: { cached_tokens: 3 },
  output_tokens: 4,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 14,
  cost: 0.00014,
  is_byok: false,
};

export const response = (more: JsonObject = {}): JsonObject => ({
  id: 'gen-1',
  object: 'response',
  model: 'test/model',
  status: 'completed',
  error: null,
  incomplete_details: null,
  output: [],
  usage: USAGE,
  ...more,
});

export const CREATED: JsonObject = {
  type: 'response.created',
  response: response({ status: 'in_progress', usage: null }),
};

export const completed = (more: JsonObject = {}): JsonObject => ({
  type: 'response.completed',
  response: response(more),
});

export const added = (output_index: number, item: JsonObject): JsonObject => ({
  type: 'response.output_item.added',
  output_index,
  item,
});

export const done = (output_index: number, item: JsonObject): JsonObject => ({
  type: 'response.output_item.done',
  output_index,
  item,
});

export const textDelta = (delta: string, output_index = 0, content_index = 0): JsonObject => ({
  type: 'response.output_text.delta',
  item_id: `msg_${output_index}`,
  output_index,
  content_index,
  delta,
});

export const message = (text: string, more: JsonObject = {}): JsonObject => ({
  type: 'message',
  id: 'msg_0',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
  ...more,
});

export const functionCall = (args: string, more: JsonObject = {}): JsonObject => ({
  type: 'function_call',
  id: 'fc_1',
  call_id: 'call_1',
  name: 'f',
  arguments: args,
  ...more,
});

export const reasoning = (id: string, more: JsonObject = {}): JsonObject => ({
  type: 'reasoning',
  id,
  summary: [],
  encrypted_content: `sealed ${id}`,
  format: 'openai-responses-v1',
  ...more,
});
