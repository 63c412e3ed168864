import type { JsonValue } from '../../core/json.js';
import { isObject, listAt, parseJson, textAt } from './json-read.js';

type Fetch = typeof fetch;

/** How much is read of what a server says with an error status, 64 KiB. */
export const MAX_ERROR_BODY_BYTES = 65_536;
/** How long that may take. Status and headers are in by then: what is missing are words. */
export const ERROR_BODY_TIMEOUT_MS = 5_000;

// The greatest status that a Response can be made with.
const MAX_STATUS = 599;

/**
 * A `fetch` that gives answers with an error status with their body read, as much as there is within {@link MAX_ERROR_BODY_BYTES} and
 * {@link ERROR_BODY_TIMEOUT_MS}: the client reads such a body to its end, however far that is. What other servers put into other
 * places than OpenAI's `error` is put there, where the client looks for it.
 */
export function withErrorWords(send: Fetch): Fetch {
  return async (url, init) => {
    const response = await send(url, init);
    if (response.ok || response.body === null) return response;
    const { status, statusText, headers } = response;
    const words = inItsPlace(await readSome(response.body));
    return new Response(words, { status: Math.min(status, MAX_STATUS), statusText, headers });
  };
}

async function readSome(body: ReadableStream<Uint8Array>): Promise<string> {
  const reader = body.getReader();
  const utf8 = new TextDecoder();
  const stop = (): void => void reader.cancel().catch(() => undefined);
  const timer = setTimeout(stop, ERROR_BODY_TIMEOUT_MS);
  let text = '';
  let sizeBytes = 0;
  try {
    while (sizeBytes < MAX_ERROR_BODY_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      text += utf8.decode(value.subarray(0, MAX_ERROR_BODY_BYTES - sizeBytes), { stream: true });
      sizeBytes += value.byteLength;
    }
  } catch {
    // It broke off, or the call was ended: the status says enough.
  } finally {
    clearTimeout(timer);
    stop();
  }
  return text;
}

/** An error body as OpenAI has it. */
function inItsPlace(text: string): string {
  const said = parseJson(text);
  // Google's OpenAI-compatible API gives a list of one.
  const body = Array.isArray(said) ? said[0] : said;
  if (body === undefined || body === null || body === '') return text;
  if (isObject(body) && (body['error'] ?? null) !== null) return body === said ? text : JSON.stringify(body);
  const words = wordsOf(body) ?? text;
  // A gateway says no more than a few words, and then it is open whether the server behind it works on: those do not become an object.
  const isOfApi = isObject(body) && 'code' in body;
  return JSON.stringify({ error: isOfApi ? { ...body, message: words } : words });
}

/** `detail` is FastAPI's, a text or a list of what is wrong where; the `input` that stands there too is an echo of the request. */
function wordsOf(body: JsonValue): string | undefined {
  if (typeof body === 'string') return body;
  const details = listAt(body, 'detail').map((detail) => {
    const place = listAt(detail, 'loc')
      .filter((part) => typeof part === 'string' || typeof part === 'number')
      .join('.');
    const message = typeof detail === 'string' ? detail : textAt(detail, 'msg');
    return [place, message].filter(Boolean).join(': ');
  });
  if (details.length > 0) return details.join('; ');
  return textAt(body, 'detail') ?? textAt(body, 'detail', 'message') ?? textAt(body, 'message');
}
