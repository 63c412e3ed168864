import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { JsonValue } from '../../core/json.js';
import { creditsBody, generationBody, keyBody } from './account.js';
import { ResponseCache } from './cache.js';
import { CHAT_FORMAT } from './chat-format.js';
import { handleModelCall, type ModelApi } from './chat.js';
import { httpError } from './errors.js';
import { Ledger, type LedgerEntry } from './ledger.js';
import { defaultModels, modelList, type StandInModel } from './models.js';
import { loggableHeaders, RequestLog, type LoggedRequest } from './request-log.js';
import { readChatRequest } from './request-rules.js';
import { RESPONSES_FORMAT } from './responses-format.js';
import { readResponsesRequest } from './responses-request.js';
import type { FaultPlan, Script } from './script.js';
import type { RateLimit, StandInState } from './state.js';
import { Outlet, readBody } from './wire.js';

/** How the stand-in behaves. Only the script is needed. */
export interface StandInOptions {
  script: Script;
  /** Default: any free one. */
  port?: number;
  /** The keys that are accepted; default: any. Without one the answer is 401 in either case. */
  apiKeys?: readonly string[];
  /** Default: {@link defaultModels}. */
  models?: readonly StandInModel[];
  /** Wait before each chunk; default 0. */
  latencyMs?: number;
  /** Faults for answers whose script names none. */
  faults?: FaultPlan;
  /** What each key may spend; a request whose worst case does not fit is refused with 402. Default: `null`, no limit. */
  creditLimitNanoUsd?: number | null;
  /** Chat requests above it, all keys together, are refused with 429 and stand in the log like any other. Default: none. */
  rateLimit?: RateLimit;
  /** How often `GET /generation` answers 404 for a finished generation before its data appear; default 1, as they appear late in earnest. */
  generationMisses?: number;
  /** The clock, in milliseconds; default `Date.now`. */
  now?: () => number;
}

/** A running stand-in. */
export interface StandIn {
  /** Base URL of the API, ending in `/api/v1`. */
  readonly url: string;
  readonly port: number;
  /** A copy of the bills so far: what was really spent. */
  readonly ledger: readonly LedgerEntry[];
  /** The newest requests (as many as 32 Mi characters of bodies), without their credentials. */
  readonly requests: readonly LoggedRequest[];
  /** Resolves once no request is being answered: then every bill is final, those of clients that hung up too. */
  idle(): Promise<void>;
  /** Closes the server and all its connections. */
  stop(): Promise<void>;
}

const API = '/api/v1';
const CHAT: ModelApi = { read: readChatRequest, format: CHAT_FORMAT, endsForLength: false };
const RESPONSES: ModelApi = { read: readResponsesRequest, format: RESPONSES_FORMAT, endsForLength: true };
const HOST = '127.0.0.1';

/**
 * Starts a local OpenRouter on loopback: chat completions and responses (streamed or not), response cache, models, generations, key and credits,
 * answered by a script and held to the rules real providers hold requests to. It keeps the true bill of every generation.
 * For other processes the same is served at `GET /__stand-in/ledger` and `GET /__stand-in/requests`.
 * @throws Error when the port is taken
 */
export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  const state = initialState(options);
  const underWay = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const answering = serve({ request, response }, state)
      .catch(() => response.destroy())
      .then(() => void underWay.delete(answering));
    underWay.add(answering);
  });
  const port = await listen(server, options.port ?? 0);
  return {
    url: `http://${HOST}:${port}${API}`,
    port,
    get ledger() {
      return state.ledger.list();
    },
    get requests() {
      return state.log.list();
    },
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    stop: () => close(server),
  };
}

function initialState(options: StandInOptions): StandInState {
  const now = options.now ?? Date.now;
  return {
    script: options.script,
    faults: options.faults,
    models: new Map((options.models ?? defaultModels).map((model) => [model.id, model])),
    apiKeys: options.apiKeys === undefined ? null : new Set(options.apiKeys),
    latencyMs: options.latencyMs ?? 0,
    creditLimitNanoUsd: options.creditLimitNanoUsd ?? null,
    generationMisses: options.generationMisses ?? 1,
    rateLimit: options.rateLimit ?? null,
    window: { startedAtMs: -Infinity, count: 0 },
    now,
    ledger: new Ledger(),
    cache: new ResponseCache(now),
    log: new RequestLog(),
    callCount: 0,
    attempts: new Map(),
    lookups: new Map(),
    reasoningCallIds: new Set(),
  };
}

async function serve(
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  state: StandInState,
): Promise<void> {
  const url = new URL(request.url ?? '/', `http://${HOST}`);
  if (url.pathname.startsWith('/__stand-in/')) return inspect(url.pathname, new Outlet(response), state);
  let rawBody: string;
  try {
    rawBody = await readBody(request);
  } catch {
    // Hung up while asking: nobody is left to answer.
    return;
  }
  const logged = logRequest(request, rawBody, state);
  const outlet = new Outlet(response, (status) => (logged.status = status));
  try {
    await answer({ request, url, outlet, rawBody, logged }, state);
  } catch (error) {
    // A client that left has no use for an error; one that is still there shall see why its script failed.
    const message = `The stand-in failed: ${error instanceof Error ? error.message : String(error)}`;
    if (response.headersSent) response.destroy();
    else if (!outlet.gone.aborted) outlet.error(httpError(500, message));
  }
}

interface Call {
  request: IncomingMessage;
  url: URL;
  outlet: Outlet;
  rawBody: string;
  logged: LoggedRequest;
}

async function answer({ request, url, outlet, rawBody, logged }: Call, state: StandInState): Promise<void> {
  const apiKey = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const isOpen = url.pathname === `${API}/models` || (apiKey !== '' && state.apiKeys?.has(apiKey) !== false);
  if (!isOpen)
    return outlet.error(httpError(401, apiKey === '' ? 'No auth credentials found' : 'User not found.'));
  const ask = (api: ModelApi): Promise<void> =>
    handleModelCall({ api, outlet, apiKey, headers: request.headers, rawBody, logged }, state);
  const spent = (): number => state.ledger.spentNanoUsd(apiKey);
  switch (`${request.method} ${url.pathname}`) {
    case `POST ${API}/chat/completions`:
      return ask(CHAT);
    case `POST ${API}/responses`:
      return ask(RESPONSES);
    case `GET ${API}/models`:
      return outlet.json(200, modelList([...state.models.values()], Math.floor(state.now() / 1000)));
    case `GET ${API}/generation`:
      return lookUp(url.searchParams.get('id') ?? '', outlet, state);
    case `GET ${API}/key`:
      return outlet.json(200, keyBody(spent(), state.creditLimitNanoUsd));
    case `GET ${API}/credits`:
      return outlet.json(200, creditsBody(spent(), state.creditLimitNanoUsd));
    default:
      return outlet.error(httpError(404, 'Not Found'));
  }
}

function lookUp(id: string, outlet: Outlet, state: StandInState): void {
  const entry = state.ledger.get(id);
  const model = state.models.get(entry?.model ?? '');
  const lookups = entry === undefined || entry.open ? 0 : (state.lookups.get(id) ?? 0) + 1;
  state.lookups.set(id, lookups);
  if (entry === undefined || model === undefined || lookups <= state.generationMisses)
    return outlet.error(httpError(404, `Generation ${id} not found`));
  outlet.json(200, generationBody(entry, model));
}

function inspect(pathname: string, outlet: Outlet, state: StandInState): void {
  if (pathname === '/__stand-in/ledger') return outlet.json(200, state.ledger.list());
  if (pathname === '/__stand-in/requests') return outlet.json(200, state.log.list());
  outlet.error(httpError(404, 'Not Found'));
}

function logRequest(request: IncomingMessage, rawBody: string, state: StandInState): LoggedRequest {
  const logged: LoggedRequest = {
    at: new Date(state.now()).toISOString(),
    method: request.method ?? '',
    path: request.url ?? '',
    headers: loggableHeaders(request.headers),
    body: jsonOrText(rawBody),
    bodyHash: null,
    maxTokens: null,
    generationId: null,
    status: null,
    problem: null,
  };
  state.log.add(logged, rawBody.length);
  return logged;
}

function jsonOrText(text: string): JsonValue {
  try {
    // JSON.parse yields nothing but JSON values.
    return text === '' ? null : (JSON.parse(text) as JsonValue);
  } catch {
    return text;
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
