import OpenAI from 'openai';
import type { RequestInit } from 'undici';
import type { JsonValue } from '../../core/json.js';
import { withErrorWords } from './error-body.js';
import { parseJson } from './json-read.js';
import { isUnsent, unsentError } from './network-error.js';
import { withPlainBodies } from './plain-body.js';

// Questions about key and models are small; a server that takes longer is as good as gone.
const QUESTION_TIMEOUT_MS = 10_000;
const CACHE_TTL_SECONDS = 3_600;

/** The response header that names a generation. */
export const GENERATION_HEADER = 'x-generation-id';

/** Where and as whom to ask. */
export interface HttpOptions {
  apiKey: string;
  baseUrl: string;
  appTitle: string;
  /** The longest wait for response headers. */
  headersTimeoutMs: number;
}

/** The few requests this adapter makes. They reject with the errors of `openai`. */
export interface HttpClient {
  /** Asks for a streamed answer; resolves with the headers in and the body unread. */
  openAnswer(path: string, body: string, signal: AbortSignal): Promise<Response>;
  /** Asks for a small JSON document; `undefined` when the answer is not JSON. */
  getJson(path: string, signal?: AbortSignal): Promise<JsonValue | undefined>;
}

/**
 * Loaded when it is needed: a configuration in TypeScript that imports this package gets copies of all that the package loads, in a
 * process that has it already, and a second copy of undici does not even begin.
 */
async function openDispatcher() {
  const { Agent, fetch: undiciFetch } = await import('undici');
  // Node's own fetch cuts a body after 5 silent minutes; how long silence may last is the watchdog's decision.
  return { undiciFetch, dispatcher: new Agent({ headersTimeout: 0, bodyTimeout: 0 }) };
}

/** Makes an {@link HttpClient} that never retries, never logs, and sets no time limit on a body. */
export function createHttpClient({ apiKey, baseUrl, appTitle, headersTimeoutMs }: HttpOptions): HttpClient {
  let opened: ReturnType<typeof openDispatcher> | undefined;
  const fetchWithoutLimits = async (url: unknown, init: unknown): Promise<unknown> => {
    opened ??= openDispatcher();
    const { undiciFetch, dispatcher } = await opened;
    try {
      return await undiciFetch(String(url), { ...(init as RequestInit), dispatcher }); // The client hands over what fetch takes.
    } catch (error) {
      throw isUnsent(error) ? unsentError(error) : error;
    }
  };
  const client = new OpenAI({
    // The client refuses to exist without a key; servers on the own machine need none.
    apiKey: apiKey || 'none',
    baseURL: baseUrl,
    maxRetries: 0,
    logLevel: 'off',
    timeout: headersTimeoutMs,
    // undici's fetch is the platform's, but its types are not.
    fetch: withPlainBodies(withErrorWords(fetchWithoutLimits as typeof fetch), baseUrl),
    defaultHeaders: { 'X-OpenRouter-Title': appTitle },
    // Otherwise read from variables that belong to another service.
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
  });
  return {
    openAnswer: (path, body, signal) =>
      client
        .post(path, {
          body,
          signal,
          headers: {
            'Content-Type': 'application/json',
            'X-OpenRouter-Cache': 'true',
            'X-OpenRouter-Cache-TTL': String(CACHE_TTL_SECONDS),
          },
        })
        .asResponse(),
    async getJson(path, signal) {
      const timeout = AbortSignal.timeout(QUESTION_TIMEOUT_MS);
      const response = await client
        .get(path, { signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) })
        .asResponse();
      return parseJson(await response.text());
    },
  };
}
