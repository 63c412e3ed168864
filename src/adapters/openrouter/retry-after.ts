/** What reads a response header by its name. */
export interface HeaderReader {
  get(name: string): string | null;
}

/** Where a server may say when to come back. `bodySeconds` is the body's own word. */
export interface RetryHints {
  headers?: HeaderReader | undefined;
  bodySeconds?: number | undefined;
  nowMs: number;
  /**
   * Whoever asks for more is heard as asking for this.
   * @defaultValue {@link MAX_RETRY_DELAY_MS}
   */
  longestMs?: number;
}

/** The longest wait that a server can impose on an attempt that sits still, 5 minutes. */
export const MAX_RETRY_DELAY_MS = 300_000;

/**
 * When to come back, as the server says it: `retry-after-ms`, `Retry-After` in seconds or as an HTTP date, the body's own
 * seconds, or the reset time (`X-RateLimit-Reset`, epoch milliseconds) of an exhausted rate limit. The first that makes sense counts.
 * @returns Whole milliseconds from 1 to `longestMs`; `undefined` for nothing, garbage, zero and the past.
 */
export function retryDelayMs({
  headers,
  bodySeconds,
  nowMs,
  longestMs = MAX_RETRY_DELAY_MS,
}: RetryHints): number | undefined {
  const header = (name: string): string => headers?.get(name)?.trim() ?? '';
  const exhausted = header('x-ratelimit-remaining') === '0';
  const candidates = [
    plainNumber(header('retry-after-ms')),
    plainNumber(header('retry-after')) * 1000,
    httpDateMs(header('retry-after')) - nowMs,
    (bodySeconds ?? NaN) * 1000,
    exhausted ? plainNumber(header('x-ratelimit-reset')) - nowMs : NaN,
  ];
  const delayMs = candidates.find((candidate) => candidate > 0);
  return delayMs === undefined ? undefined : Math.min(Math.ceil(delayMs), longestMs);
}

function plainNumber(text: string): number {
  return /^\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : NaN;
}

function httpDateMs(text: string): number {
  // Date.parse takes much that is no date ("7x", "-5"); an HTTP date starts with a weekday and ends in GMT.
  return /^[A-Z][a-z]+,? .*\d\d:\d\d:\d\d GMT$/.test(text) ? Date.parse(text) : NaN;
}
