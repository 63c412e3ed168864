import type { ModelListener } from '../../ports/model.js';
import type { ErrorMaker } from './failures.js';
import { at, parseLooseJson } from './json-read.js';
import { SseDecoder, type SseEvent } from './sse.js';
import type { Watchdog } from './watchdog.js';
import type { AnswerAccumulator, ChunkNews } from './wire-format.js';

/** An answer on its way in, and who is told of it. */
export interface Reading {
  response: Response;
  accumulator: AnswerAccumulator;
  watchdog: Watchdog;
  errors: ErrorMaker;
  listener: ModelListener;
  onChunk(): void;
}

/**
 * Reads a body to its end, or to where it is complete.
 * @throws AgentError for what the server sent in the place of an answer; whatever broke the connection, as it is.
 */
export async function readAnswer(reading: Reading): Promise<void> {
  const decoder = new SseDecoder();
  let eventCount = 0;
  const take = (events: SseEvent[], isLast: boolean): void => {
    eventCount += events.length;
    for (const event of events) takeEvent(event, { ...reading, isLast });
    reading.onChunk();
  };
  // A fetch response body yields bytes; its type comes without an iterator.
  const body = reading.response.body as AsyncIterable<Uint8Array> | null;
  for await (const bytes of body ?? []) take(decoder.push(bytes), false);
  take(decoder.end(), true);
  if (eventCount === 0 && decoder.stray !== '') takeUnstreamed(decoder.stray, reading);
}

function takeEvent({ event, data }: SseEvent, reading: Reading & { isLast: boolean }): void {
  const { accumulator, watchdog, errors } = reading;
  if (data.startsWith('[DONE]')) {
    accumulator.done();
  } else {
    const chunk = parseLooseJson(data);
    // The last event of a body that was cut off is half an event: the missing end is what is wrong, if it is missing.
    if (chunk === undefined && (reading.isLast || accumulator.isComplete)) return;
    if (chunk === undefined)
      throw errors.fromFailure({ kind: 'garbage', message: 'the stream holds an event that is not JSON' });
    hear(
      accumulator.add(event === 'error' && at(chunk, 'error') === undefined ? { error: chunk } : chunk),
      reading,
    );
  }
  if (accumulator.isComplete) watchdog.complete({ sawDone: data.startsWith('[DONE]') });
}

/** Some servers answer a request for a stream with one JSON document: an error, or the whole answer. */
function takeUnstreamed(text: string, reading: Reading): void {
  const document = parseLooseJson(text);
  if (document === undefined)
    throw reading.errors.fromFailure({ kind: 'not_an_api', message: `it sent no event stream but: ${text}` });
  hear(reading.accumulator.add(document), reading);
  reading.accumulator.whole();
}

function hear(news: ChunkNews, { watchdog, errors, listener }: Reading): void {
  if (news.failure !== undefined) throw errors.fromFailure(news.failure);
  if (news.isProgress) watchdog.progress();
  if (news.reasoning !== '') listener.onReasoning?.(news.reasoning);
  if (news.text !== '') listener.onText?.(news.text);
  for (const piece of news.calls) listener.onToolArgs?.(piece);
}
