import type { JsonValue } from '../../core/json.js';

/** One request that the server got. Credentials are left out. */
export interface LoggedRequest {
  /** When it came in, ISO. */
  at: string;
  method: string;
  /** With the query. */
  path: string;
  headers: Record<string, string>;
  /** The JSON body; text that is no JSON stands as a string. */
  body: JsonValue;
  /** SHA-256 of the body without insignificant whitespace, in hex. */
  bodyHash: string | null;
  /** `max_tokens` or `max_completion_tokens` of a chat request; `null` when it named neither, which OpenRouter checks against the balance as the model's own maximum. */
  maxTokens: number | null;
  generationId: string | null;
  /** HTTP status of the answer; `null` while none was sent. */
  status: number | null;
  /** What a provider found invalid about the request, in its words. */
  problem: string | null;
}

const SECRET_HEADERS = new Set(['authorization', 'cookie', 'proxy-authorization', 'x-api-key']);

/** Headers as one string each, without those that carry secrets. */
export function loggableHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const shown = Object.entries(headers).filter(([name]) => !SECRET_HEADERS.has(name));
  return Object.fromEntries(
    shown.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}

/** Conversations grow, and each request carries all of its own: only so much of them is kept. */
const MAX_BODY_CHARS = 32 * 1024 * 1024;

/** The newest requests, as many as fit. */
export class RequestLog {
  readonly #entries: { logged: LoggedRequest; bodyChars: number }[] = [];
  #totalChars = 0;

  constructor(readonly maxBodyChars = MAX_BODY_CHARS) {}

  /** Adds a request; the oldest ones make room. The newest one always stays. */
  add(logged: LoggedRequest, bodyChars: number): void {
    this.#entries.push({ logged, bodyChars });
    this.#totalChars += bodyChars;
    while (this.#totalChars > this.maxBodyChars && this.#entries.length > 1)
      this.#totalChars -= this.#entries.shift()?.bodyChars ?? 0;
  }

  list(): LoggedRequest[] {
    return this.#entries.map(({ logged }) => ({ ...logged }));
  }
}
