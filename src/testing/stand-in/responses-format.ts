import type { Answer } from './answer.js';
import { errorTypeOf, innerError } from './errors.js';
import type { Fault } from './faults.js';
import { asText, reportedUsage, type Delivery, type Format, type Line } from './format.js';
import { eventsOf, itemsOf } from './response-items.js';

/** Answers as responses. */
export const RESPONSES_FORMAT: Format = {
  lines: linesOf,
  whole: responseOf,
  broken: failedResponse,
  failure: failureEvent,
  errorFrame: (code, index) => errorEvent(code, index),
};

function linesOf(delivery: Delivery): Line[] {
  const { answer, fault } = delivery;
  const begun = { ...envelope(delivery), status: 'in_progress', completed_at: null };
  const items = itemsOf(answer);
  const events: { type: string; fields: Record<string, unknown>; chars: number }[] = [
    { type: 'response.created', fields: { response: begun }, chars: 0 },
    { type: 'response.in_progress', fields: { response: begun }, chars: 0 },
    ...items.flatMap((item, index) => eventsOf(item, index, answer)),
    { type: `response.${statusOf(answer)}`, fields: { response: responseOf(delivery) }, chars: 0 },
  ];
  return events.map(({ type, fields, chars }, index) => ({
    text: () => asText({ type, ...fields, sequence_number: index }, fault),
    chars,
  }));
}

function responseOf(delivery: Delivery): Record<string, unknown> {
  const { answer } = delivery;
  const usage = reportedUsage(delivery);
  const reason = answer.finishReason === 'content_filter' ? 'content_filter' : 'max_output_tokens';
  return {
    ...envelope(delivery),
    status: statusOf(answer),
    incomplete_details: statusOf(answer) === 'incomplete' ? { reason } : null,
    output: itemsOf(answer),
    ...(answer.errorType !== undefined && { error_type: answer.errorType }),
    ...(usage !== undefined && { usage: inItsWords(usage) }),
  };
}

function statusOf({ finishReason }: Answer): string {
  if (finishReason === 'error') return 'failed';
  return finishReason === 'length' || finishReason === 'content_filter' ? 'incomplete' : 'completed';
}

function envelope({ meter, answer, createdSeconds, fault }: Delivery): Record<string, unknown> {
  return {
    id: meter.entry.id,
    object: 'response',
    created_at: createdSeconds,
    completed_at: createdSeconds,
    model: fault?.kind === 'other-name' ? fault.model : answer.model.id,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: null,
    frequency_penalty: 0,
    presence_penalty: 0,
    temperature: 1,
    top_p: 1,
    parallel_tool_calls: true,
    tool_choice: 'auto',
    tools: [],
    output: [],
    usage: null,
  };
}

/** OpenRouter's usage object of chat completions, in the words of this API. */
function inItsWords(usage: Record<string, unknown>): Record<string, unknown> {
  // Made by `usageOf`, which this is the other half of.
  const {
    prompt_tokens,
    completion_tokens,
    prompt_tokens_details,
    completion_tokens_details,
    cost_details,
    ...rest
  } = usage as Record<string, Record<string, unknown>>;
  return {
    input_tokens: prompt_tokens,
    input_tokens_details: {
      cached_tokens: prompt_tokens_details?.['cached_tokens'],
      cache_write_tokens: prompt_tokens_details?.['cache_write_tokens'],
    },
    output_tokens: completion_tokens,
    output_tokens_details: { reasoning_tokens: completion_tokens_details?.['reasoning_tokens'] },
    ...rest,
    cost_details: {
      upstream_inference_cost: cost_details?.['upstream_inference_cost'],
      upstream_inference_input_cost: cost_details?.['upstream_inference_prompt_cost'],
      upstream_inference_output_cost: cost_details?.['upstream_inference_completions_cost'],
    },
  };
}

function failedResponse(delivery: Delivery, code: number | string): Record<string, unknown> {
  return { ...envelope(delivery), status: 'failed', completed_at: null, ...errorFields(code) };
}

function failureEvent(
  { code, choices }: Extract<Fault, { kind: 'mid-stream-error' }>,
  delivery: Delivery,
  index: number,
): Record<string, unknown> {
  if (choices === 'empty') return errorEvent(code, index);
  if (choices === 'absent') return { type: 'response.error', ...errorFields(code), sequence_number: index };
  return { type: 'response.failed', response: failedResponse(delivery, code), sequence_number: index };
}

function errorEvent(code: number | string, index: number): Record<string, unknown> {
  const { error, error_type } = errorFields(code);
  return { type: 'error', ...error, param: null, error_type, sequence_number: index };
}

/** Few words stand for many errors; the stable type beside them is exact. */
function errorFields(code: number | string): {
  error: { code: string; message: string };
  error_type: string;
} {
  const words: Readonly<Record<number, string>> = { 400: 'invalid_prompt', 429: 'rate_limit_exceeded' };
  const word = typeof code === 'number' ? (words[code] ?? 'server_error') : code;
  return { error: { code: word, message: innerError(code).message }, error_type: errorTypeOf(code) };
}
