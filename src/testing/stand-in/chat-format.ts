import { nativeFinishReason } from './answer.js';
import { choiceOf, messageOf, piecesOf } from './chunks.js';
import { innerError } from './errors.js';
import type { Fault } from './faults.js';
import { asText, reportedUsage, type Delivery, type Format, type Line } from './format.js';
import { providerOf } from './models.js';

/** Answers as chat completions. */
export const CHAT_FORMAT: Format = {
  lines: linesOf,
  whole: completionOf,
  broken: brokenCompletion,
  failure: errorChunk,
  errorFrame: (code) => ({ error: innerError(code) }),
};

function linesOf(delivery: Delivery): Line[] {
  const { answer, fault } = delivery;
  const lines: Line[] = piecesOf(answer).map((piece) => ({
    text: () => JSON.stringify({ ...envelope(delivery), choices: [choiceOf(answer, piece)] }),
    chars: piece.chars,
  }));
  const usage = reportedUsage(delivery);
  if (usage === undefined) return lines;
  const choices =
    delivery.usageChunk === 'no-choices'
      ? []
      : [choiceOf(answer, { delta: { role: 'assistant', content: '' }, chars: 0 })];
  return [...lines, { text: () => asText({ ...envelope(delivery), choices, usage }, fault), chars: 0 }];
}

function envelope({ meter, answer, createdSeconds, fault }: Delivery): Record<string, unknown> {
  return {
    id: meter.entry.id,
    provider: providerOf(answer.model),
    model: fault?.kind === 'other-name' ? fault.model : answer.model.id,
    object: 'chat.completion.chunk',
    created: createdSeconds,
  };
}

function completionOf(delivery: Delivery): Record<string, unknown> {
  const { answer } = delivery;
  const finishReason = answer.finishReason;
  const choice = {
    index: 0,
    logprobs: null,
    finish_reason: finishReason,
    native_finish_reason: nativeFinishReason(answer.model, finishReason),
    message: messageOf(answer),
  };
  const usage = reportedUsage(delivery);
  return {
    ...envelope(delivery),
    object: 'chat.completion',
    system_fingerprint: null,
    choices: [choice],
    ...(usage === undefined ? {} : { usage }),
    service_tier: null,
  };
}

function brokenCompletion(delivery: Delivery, code: number | string): Record<string, unknown> {
  const { answer } = delivery;
  const message = { role: 'assistant', content: answer.text.slice(0, answer.text.length / 2) };
  const choice = {
    index: 0,
    finish_reason: 'error',
    native_finish_reason: 'error',
    message,
    error: innerError(code),
  };
  return { ...envelope(delivery), object: 'chat.completion', system_fingerprint: null, choices: [choice] };
}

function errorChunk(
  fault: Extract<Fault, { kind: 'mid-stream-error' }>,
  delivery: Delivery,
): Record<string, unknown> {
  const error = innerError(fault.code);
  if (fault.choices === 'absent') return { ...envelope(delivery), error };
  const piece = { delta: { role: 'assistant', content: '' }, finishReason: 'error', chars: 0 };
  return {
    ...envelope(delivery),
    choices: fault.choices === 'empty' ? [] : [choiceOf(delivery.answer, piece)],
    error,
  };
}
