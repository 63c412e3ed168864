import { innerError } from './errors.js';
import { strikesAt, type Fault } from './faults.js';
import { asText, type Delivery } from './format.js';
import { PROCESSING_COMMENT } from './wire.js';

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
    case 'reset-before-headers':
      meter.complete();
      return outlet.reset();
    case 'reset-when-written':
      return loseHalf(delivery);
    case 'instead':
      outlet.head(fault.status ?? 200, {
        'content-type': fault.contentType ?? 'application/json',
        ...headers,
      });
      meter.failed();
      await outlet.write(fault.text);
      return fault.hold ? outlet.holdOpen() : outlet.end();
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
      return meter.entry.streamed && fault?.kind !== 'unstreamed'
        ? sendStream(delivery)
        : sendWhole(delivery);
  }
}

async function sendStream(delivery: Delivery): Promise<void> {
  const { outlet, meter, headers } = delivery;
  const fault: Fault | undefined =
    delivery.fault?.kind === 'choice-error'
      ? { kind: 'mid-stream-error', code: delivery.fault.code ?? DEFAULT_ERROR_CODE }
      : delivery.fault;
  const lines = delivery.format.lines(delivery);
  const strikeAt = fault === undefined ? null : strikesAt(fault, lines.length);
  outlet.head(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', ...headers });
  await outlet.write(PROCESSING_COMMENT);
  for (const [index, line] of lines.entries()) {
    if (
      fault !== undefined &&
      index === strikeAt &&
      (await strike(fault, { ...delivery, line: line.text(), index }))
    )
      return;
    await outlet.pause(delivery.delayMs);
    // A provider that wrote its last token is done, whether or not anybody hears that it is.
    if (outlet.gone.aborted) return meter.sentAll && fault === undefined ? meter.complete() : meter.left();
    const isLast = index === lines.length - 1;
    const event = `data: ${line.text()}${isLast && fault?.kind === 'no-final-blank-line' ? '' : '\n\n'}`;
    if (fault?.kind === 'single-bytes')
      for (const byte of Buffer.from(event)) outlet.response.write(Uint8Array.of(byte));
    else await outlet.write(event);
    meter.sent(line.chars);
  }
  meter.complete();
  if (fault?.kind === 'hold-open-after-done') {
    await outlet.write(DONE);
    return outlet.holdOpen();
  }
  await outlet.end(fault?.kind === 'no-done' || fault?.kind === 'no-final-blank-line' ? '' : DONE);
}

async function loseHalf(delivery: Delivery): Promise<void> {
  const { outlet, meter, headers } = delivery;
  const lines = delivery.format.lines(delivery);
  meter.complete();
  outlet.head(200, { 'content-type': 'text/event-stream', ...headers });
  for (const line of lines.slice(0, lines.length / 2)) await outlet.write(`data: ${line.text()}\n\n`);
  await outlet.reset();
}

/** Lets a fault strike between two chunks. Returns whether the stream ends there. */
async function strike(fault: Fault, delivery: Delivery & { line: string; index: number }): Promise<boolean> {
  const { outlet, meter, format, line, index } = delivery;
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
      await outlet.write(`data: ${JSON.stringify(format.failure(fault, delivery, index))}\n\n`);
      await outlet.end(fault.withDone ? DONE : '');
      return true;
    case 'event-error':
      meter.failed();
      await outlet.end(`event: error\ndata: ${JSON.stringify(format.errorFrame(429, index))}\n\n`);
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
  const { outlet, format, meter, headers, fault } = delivery;
  const failed = fault?.kind === 'choice-error' || fault?.kind === 'mid-stream-error';
  const text = asText(
    failed ? format.broken(delivery, fault.code ?? DEFAULT_ERROR_CODE) : format.whole(delivery),
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
