import { createHash } from 'node:crypto';
import { AgentError, isAgentError } from '../../core/errors.js';
import { canonicalJson } from '../../core/json.js';
import type { ModelPrice } from '../../core/money/price.js';
import type { ModelAnswer, ModelCost, ModelPort, ModelRequest, Wire } from '../../ports/model.js';
import { costOf } from './call-cost.js';
import { createCatalog, type Catalog } from './catalog.js';
import { CHAT_WIRE } from './chat-wire.js';
import { createErrorMaker, isStatusError, type ErrorMaker } from './failures.js';
import { readGeneration } from './generation.js';
import { createHttpClient, GENERATION_HEADER, type HttpClient } from './http-client.js';
import { at, isObject } from './json-read.js';
import { readAnswer } from './read-answer.js';
import { RESPONSES_WIRE } from './responses/responses-wire.js';
import { Watchdog, type Patience } from './watchdog.js';
import type { AnswerAccumulator, WireFormat } from './wire-format.js';

/** What the model adapter needs to know. */
export interface OpenRouterOptions {
  apiKey: string;
  /** For example `https://openrouter.ai/api/v1`; any server with OpenAI's chat completions, or responses, will do. */
  baseUrl: string;
  /**
   * Milliseconds without text, reasoning or call arguments after which an answer that has begun counts as stalled.
   * @defaultValue 120000
   */
  stallTimeoutMs?: number;
  /**
   * Milliseconds from the request to its first content.
   * @defaultValue 300000
   */
  firstContentTimeoutMs?: number;
  /**
   * The name under which OpenRouter lists the traffic.
   * @defaultValue `longhaul`
   */
  appTitle?: string;
  /** Prices by model id, in the place of those that the server lists. */
  prices?: Readonly<Record<string, ModelPrice>>;
}

interface Parts {
  http: HttpClient;
  /** The errors of a call, about the generation that it has a name for by then. */
  errorsOf(generationId?: () => string | null): ErrorMaker;
  catalog: Catalog;
  patience: Patience;
}

const WIRES: Readonly<Record<Wire, WireFormat>> = { chat: CHAT_WIRE, responses: RESPONSES_WIRE };

// Statuses by which a server says that it has no such question, or in the first case not what was asked for.
const NOT_FOUND = 404;
const NO_SUCH_QUESTION = new Set([NOT_FOUND, 405, 501]);

/** Makes a {@link ModelPort} over OpenRouter, or over any server that speaks chat completions or responses; each request chooses which. */
export function createOpenRouterModel(options: OpenRouterOptions): ModelPort {
  const patience = {
    stallTimeoutMs: options.stallTimeoutMs ?? 120_000,
    firstContentTimeoutMs: options.firstContentTimeoutMs ?? 300_000,
  };
  const errorsOf: Parts['errorsOf'] = (generationId) => createErrorMaker(options, generationId);
  const http = createHttpClient({
    apiKey: options.apiKey,
    baseUrl: options.baseUrl,
    appTitle: options.appTitle ?? 'longhaul',
    // The watchdog, which knows why, shall be first.
    headersTimeoutMs: patience.firstContentTimeoutMs + 60_000,
  });
  const question = (path: string, signal?: AbortSignal): ReturnType<typeof ask> =>
    ask({ http, errors: errorsOf() }, path, signal);
  const catalog = createCatalog({
    fetchList: async () => (await question('/models')) ?? undefined,
    prices: options.prices,
  });
  let knowsGenerations = false;
  const parts: Parts = { http, errorsOf, catalog, patience };
  return {
    call: (request, callOptions) => callModel(parts, request, callOptions),
    describe: (model) => catalog.find(model),
    async checkKey() {
      const key = at(await question('/key'), 'data');
      const remaining = at(key, 'limit_remaining');
      return {
        limitRemainingUsd: typeof remaining === 'number' ? remaining : null,
        ...(!isObject(key) && { unchecked: true }),
      };
    },
    async generation(id, signal) {
      const body = await question(`/generation?id=${encodeURIComponent(id)}`, signal);
      // A server that has answered once knows the question: what comes later is the page of something in front of it.
      knowsGenerations ||= body !== undefined;
      return knowsGenerations ? readGeneration(body) : undefined;
    },
  };
}

/** Asks a small question; `undefined` when the server does not know it, `null` when it does, but not what was asked for. */
async function ask(
  { http, errors }: { http: HttpClient; errors: ErrorMaker },
  path: string,
  signal?: AbortSignal,
): ReturnType<HttpClient['getJson']> {
  signal?.throwIfAborted();
  try {
    return await http.getJson(path, signal);
  } catch (error) {
    signal?.throwIfAborted();
    const failure = errors.fromUnknown(error);
    const status = failure.details['status'];
    if (typeof status === 'number' && NO_SUCH_QUESTION.has(status))
      return saysNotFound(error) ? null : undefined;
    // Here 403 can only be about the key, and whatever else went wrong, the server gave no answer.
    const code = status === 401 || status === 403 ? 'MODEL_AUTH' : 'MODEL_UNREACHABLE';
    throw new AgentError(code, failure.message, { details: { ...failure.details, unbilled: true } });
  }
}

/** Whether the 404 is OpenRouter's own, which has its status in the body too. Pages of other servers and of gateways do not. */
function saysNotFound(error: unknown): boolean {
  return isStatusError(error) && error.status === NOT_FOUND && Number(Object(error.error).code) === NOT_FOUND;
}

async function callModel(
  parts: Parts,
  request: ModelRequest,
  options: Parameters<ModelPort['call']>[1],
): Promise<ModelAnswer> {
  const { signal, listener = {} } = options;
  signal.throwIfAborted();
  const wire = WIRES[request.wire ?? 'chat'];
  const body = wire.toBody(request);
  const accumulator = wire.accumulator();
  const watchdog = new Watchdog(signal, parts.patience);
  let headers: Headers | undefined;
  const generationId = (): string | null => headers?.get(GENERATION_HEADER) || accumulator.generationId;
  const errors = parts.errorsOf(generationId);
  try {
    const response = await parts.http.openAnswer(wire.path, body, watchdog.signal);
    headers = response.headers;
    listener.onHeaders?.({ generationId: generationId() });
    // Some servers name the generation only in the stream.
    let told = generationId();
    const onChunk = (): void => {
      if (told !== null || generationId() === null) return;
      told = generationId();
      listener.onHeaders?.({ generationId: told });
    };
    await readAnswer({ response, accumulator, watchdog, errors, listener, onChunk });
  } catch (error) {
    signal.throwIfAborted();
    rethrow(error, { accumulator, watchdog, errors });
  } finally {
    watchdog.close();
  }
  signal.throwIfAborted();
  if (!accumulator.isComplete) throw errors.fromFailure(accumulator.truncation());
  const { tokens, usage, model, ...answer } = accumulator.answer(callIdPrefix(request), callIdsIn(request));
  const cached = headers?.get('x-openrouter-cache-status')?.toUpperCase() === 'HIT';
  const answeredBy = model ?? request.model;
  const cost: ModelCost = cached
    ? { kind: 'reported', nanoUsd: 0 }
    : await costOf({ usage, tokens, answeredBy }, request, parts.catalog);
  signal.throwIfAborted();
  return {
    ...answer,
    model: answeredBy,
    usage: tokens,
    cost,
    generationId: generationId(),
    cached,
    cacheSourceId: (cached && headers?.get('x-openrouter-cache-source-id')) || null,
  };
}

/** Turns what ended the reading into an error, unless the answer was complete before its connection broke. */
function rethrow(
  error: unknown,
  {
    accumulator,
    watchdog,
    errors,
  }: { accumulator: AnswerAccumulator; watchdog: Watchdog; errors: ErrorMaker },
): void {
  // A server that has said no is not silent, even when it does not come to an end.
  if (watchdog.stalledAfterMs !== null && !isStatusError(error)) {
    const message = `no text, reasoning or call arguments for ${watchdog.stalledAfterMs} ms`;
    throw errors.fromFailure({ kind: 'stalled', message });
  }
  if (isAgentError(error) || !accumulator.isComplete) throw errors.fromUnknown(error);
}

function callIdsIn({ items }: ModelRequest): string[] {
  return items.flatMap((item) => (item.role === 'assistant' ? (item.calls ?? []).map(({ id }) => id) : []));
}

/** Call ids made up by us: the same for every attempt at a step, and others for every step, as some providers want them unique in the whole transcript. */
function callIdPrefix({ metadata }: ModelRequest): string {
  return `call_${createHash('sha256').update(canonicalJson(metadata)).digest('hex').slice(0, 12)}`;
}
