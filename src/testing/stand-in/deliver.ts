import { nativeFinishReason, usageOf, type Answer } from './answer.js';
import { choiceOf, messageOf, piecesOf } from './chunks.js';
import { innerError } from './errors.js';
import { strikesAt, type Fault } from './faults.js';
import type { Meter } from './meter.js';
import { providerOf } from './models.js';
import { PROCESSING_COMMENT, type Outlet } from './wire.js';

/** An answer on its way out. */
export interface Delivery {
  outlet: Outlet;
  answer: Answer;
  meter: Meter;
  fault: Fault | undefined;
  /** Headers beside the content type. */
  headers: Record<string, string>;
  createdSeconds: number;
  delayMs: number;
  usageChunk: 'one-choice' | 'no-choices';
}

const DONE = 'data: [DONE]\n\n';
const STALL_COMMENT_EVERY_MS = 100;
const DEFAULT_ERROR_CODE = 502;

/** Sends an answer, streamed or whole, with its fault, and settles its bill. */
export async function deliver(delivery: Delivery): Promise<void> {
  const { outlet, meter, fault, headers } = delivery;
  switch (fault?.kind) {
    case 'hang-before-headers':
      await outlet.holdOpen();
      return meter.left();
    case 'ok-with-error':
      outlet.json(
        200,
        { error: innerError(fault.code ?? DEFAULT_ERROR_CODE), user_id: 'user_stand_in' },
        headers,
      );
      return meter.failed();
    case 'html':
      outlet.head(200, { 'content-type': 'text/html', ...headers });
      await outlet.end('<!doctype html><title>Gateway</title><p>Please wait.</p>');
      return meter.failed();
    default:
      return meter.entry.streamed ? sendStream(delivery) : sendWhole(delivery);
  }
}

async function sendStream(delivery: Delivery): Promise<void> {
  const { outlet, meter, headers } = delivery;
  const fault: Fault | undefined =
    delivery.fault?.kind === 'choice-error'
      ? { kind: 'mid-stream-error', code: delivery.fault.code ?? DEFAULT_ERROR_CODE }
      : delivery.fault;
  const lines = linesOf(delivery);
  const strikeAt = fault === undefined ? null : strikesAt(fault, lines.length);
  outlet.head(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', ...headers });
  await outlet.write(PROCESSING_COMMENT);
  for (const [index, line] of lines.entries()) {
    if (
      fault !== undefined &&
      index === strikeAt &&
      (await strike(fault, { ...delivery, line: line.text() }))
    )
      return;
    await outlet.pause(delivery.delayMs);
    // A provider that wrote its last token is done, whether or not anybody hears that it is.
    if (outlet.gone.aborted) return meter.sentAll && fault === undefined ? meter.complete() : meter.left();
    const isLast = index === lines.length - 1;
    await outlet.write(
      `data: ${line.text()}${isLast && fault?.kind === 'no-final-blank-line' ? '' : '\n\n'}`,
    );
    meter.sent(line.chars);
  }
  meter.complete();
  if (fault?.kind === 'hold-open-after-done') {
    await outlet.write(DONE);
    return outlet.holdOpen();
  }
  await outlet.end(fault?.kind === 'no-done' || fault?.kind === 'no-final-blank-line' ? '' : DONE);
}

/** Lets a fault strike between two chunks. Returns whether the stream ends there. */
async function strike(fault: Fault, delivery: Delivery & { line: string }): Promise<boolean> {
  const { outlet, meter, line } = delivery;
  switch (fault.kind) {
    case 'garbage-line':
      await outlet.write('data: {"choices":[{"delta":\n\n');
      return false;
    case 'stall':
      await outlet.holdOpen(fault.comments ? STALL_COMMENT_EVERY_MS : null);
      meter.left();
      return true;
    case 'mid-stream-error':
      meter.failed();
      await outlet.write(`data: ${JSON.stringify(errorChunk(fault, delivery))}\n\n`);
      await outlet.end(fault.withDone ? DONE : '');
      return true;
    case 'event-error':
      meter.failed();
      await outlet.end(`event: error\ndata: ${JSON.stringify({ error: innerError(429) })}\n\n`);
      return true;
    case 'reset':
      meter.brokenOff();
      await outlet.reset();
      return true;
    default:
      meter.brokenOff();
      await outlet.end(fault.kind === 'cut-json' ? `data: ${line.slice(0, line.length / 2)}` : '');
      return true;
  }
}

async function sendWhole(delivery: Delivery): Promise<void> {
  const { outlet, meter, headers, fault } = delivery;
  const failed = fault?.kind === 'choice-error' || fault?.kind === 'mid-stream-error';
  const text = asText(
    failed ? brokenCompletion(delivery, fault.code ?? DEFAULT_ERROR_CODE) : completionOf(delivery),
    fault,
  );
  await outlet.pause(delivery.delayMs);
  if (outlet.gone.aborted) return meter.left();
  outlet.head(200, { 'content-type': 'application/json', ...headers });
  if (failed) meter.failed();
  else if (fault === undefined || strikesAt(fault, 1) === null) meter.complete();
  else return breakWhole(delivery, text.slice(0, text.length / 2));
  await outlet.end(text);
}

async function breakWhole({ outlet, meter, fault }: Delivery, half: string): Promise<void> {
  await outlet.write(half);
  if (fault?.kind === 'stall') {
    await outlet.holdOpen();
    return meter.left();
  }
  // Written to the end before any of it was sent, so paid in full.
  meter.sent(Infinity);
  meter.brokenOff();
  await (fault?.kind === 'reset' ? outlet.reset() : outlet.end());
}

/** A chunk that becomes text when its turn comes: an answer may have a million of them. */
interface Line {
  text(): string;
  chars: number;
}

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

function envelope({ meter, answer, createdSeconds }: Delivery): Record<string, unknown> {
  return {
    id: meter.entry.id,
    provider: providerOf(answer.model),
    model: answer.model.id,
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

function reportedUsage({ answer, meter, fault }: Delivery): Record<string, unknown> | undefined {
  if (fault?.kind === 'no-usage') return undefined;
  const usage = usageOf(answer, { cached: meter.entry.cached });
  if (fault?.kind !== 'cost') return usage;
  const { cost: _billed, ...rest } = usage;
  return fault.value === undefined ? rest : { ...rest, cost: fault.value };
}

/** JSON text; a cost that JSON cannot say is written bare, as sloppy servers do. */
function asText(value: unknown, fault: Fault | undefined): string {
  const text = JSON.stringify(value);
  const cost = fault?.kind === 'cost' ? fault.value : undefined;
  return typeof cost === 'number' && !Number.isFinite(cost)
    ? text.replace('"cost":null', `"cost":${cost}`)
    : text;
}
