import type { Answer } from './answer.js';

/** A complete answer, kept for requests of the same key, model, stream mode and body. */
export interface CacheHit {
  answer: Answer;
  sourceId: string;
  ageSeconds: number;
  ttlSeconds: number;
}

/** How a request wants to be cached, from its `X-OpenRouter-Cache*` headers. */
export interface CacheWish {
  enabled: boolean;
  clear: boolean;
  ttlSeconds: number;
}

/** OpenRouter's figures (its response-caching page): seconds. */
const DEFAULT_TTL_SECONDS = 300;
const MAX_TTL_SECONDS = 86_400;
/** The oldest entries go first; OpenRouter promises no more either. */
const MAX_ENTRIES = 10_000;

/** Reads the cache headers of a request. */
export function cacheWishOf(headers: Readonly<Record<string, string | string[] | undefined>>): CacheWish {
  const ttlSeconds = Number(headers['x-openrouter-cache-ttl'] ?? DEFAULT_TTL_SECONDS);
  const valid = Number.isInteger(ttlSeconds) && ttlSeconds >= 1 && ttlSeconds <= MAX_TTL_SECONDS;
  return {
    enabled: headers['x-openrouter-cache'] === 'true',
    clear: headers['x-openrouter-cache-clear'] === 'true',
    ttlSeconds: valid ? ttlSeconds : DEFAULT_TTL_SECONDS,
  };
}

/** What two requests must have in common to share an answer. The body holds the model and the stream mode; headers but for the key do not count. */
export function cacheKey(apiKey: string, path: string, bodyHash: string): string {
  return JSON.stringify([apiKey, path, bodyHash]);
}

/** OpenRouter's response cache: whole answers only, no waiting for an answer that is under way. */
export class ResponseCache {
  readonly #entries = new Map<
    string,
    { answer: Answer; sourceId: string; storedAtMs: number; ttlSeconds: number }
  >();

  constructor(readonly now: () => number) {}

  get(key: string): CacheHit | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    const ageSeconds = Math.floor((this.now() - entry.storedAtMs) / 1000);
    if (ageSeconds >= entry.ttlSeconds) {
      this.#entries.delete(key);
      return null;
    }
    return { answer: entry.answer, sourceId: entry.sourceId, ageSeconds, ttlSeconds: entry.ttlSeconds };
  }

  set(key: string, entry: { answer: Answer; sourceId: string; ttlSeconds: number }): void {
    this.#entries.set(key, { ...entry, storedAtMs: this.now() });
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > MAX_ENTRIES && !oldest.done) this.#entries.delete(oldest.value);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
