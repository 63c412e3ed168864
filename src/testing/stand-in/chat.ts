import { randomBytes } from 'node:crypto';
import { familyDetails, toAnswer, type Answer } from './answer.js';
import { cacheKey, cacheWishOf, type CacheWish } from './cache.js';
import { deliver } from './deliver.js';
import { errorTypeIn, httpError, tooMany, unavailable, type HttpError } from './errors.js';
import { isWhole, type Fault } from './faults.js';
import type { Format } from './format.js';
import { Meter } from './meter.js';
import { familyOf, promptPriceOf, providerOf, type StandInModel } from './models.js';
import { findRefusal } from './refusals.js';
import type { LoggedRequest } from './request-log.js';
import type { ChatRequest, Reply, ScriptContext } from './script.js';
import type { StandInState } from './state.js';
import { sha256, type Outlet } from './wire.js';

/** An API at which models answer. */
export interface ModelApi {
  /** Reads the body of a request into the words of chat completions, or says what is wrong with it. */
  read(body: unknown): { request: ChatRequest } | { problem: string };
  format: Format;
  /** What is too long for the model gets an empty answer that ended for its length, in the place of an error. */
  endsForLength: boolean;
}

/** A request for an answer with what is known about it. */
export interface ModelCall {
  api: ModelApi;
  outlet: Outlet;
  apiKey: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  rawBody: string;
  logged: LoggedRequest;
}

interface Turn extends ModelCall {
  request: ChatRequest;
  bodyHash: string;
  at: string;
  attempt: number;
  cacheKey: string;
  wish: CacheWish;
}

type Served = { answer: Answer; reply: Reply; fault: Fault | undefined };

/** `POST /chat/completions` and `POST /responses`. */
export async function handleModelCall(call: ModelCall, state: StandInState): Promise<void> {
  const tooSoon = refuseByRate(state);
  if (tooSoon !== null) return call.outlet.error(tooSoon);
  const read = readTurn(call, state);
  if ('error' in read) return call.outlet.error(read.error);
  const { turn } = read;
  const hit = turn.wish.enabled ? state.cache.get(turn.cacheKey) : null;
  if (hit !== null) {
    const extra = {
      'X-OpenRouter-Cache-Status': 'HIT',
      'X-OpenRouter-Cache-Age': String(hit.ageSeconds),
      'X-OpenRouter-Cache-TTL': String(hit.ttlSeconds),
      'X-OpenRouter-Cache-Source-Id': hit.sourceId,
    };
    await send(
      { answer: hit.answer, reply: {}, fault: undefined },
      { turn, state, extraHeaders: extra, cacheSourceId: hit.sourceId },
    );
    return;
  }
  const served = inItsWay(await askModels(turn, state), turn, state);
  if ('status' in served) return call.outlet.error(served);
  const extra = turn.wish.enabled
    ? { 'X-OpenRouter-Cache-Status': 'MISS', 'X-OpenRouter-Cache-TTL': String(turn.wish.ttlSeconds) }
    : {};
  await send(served, { turn, state, extraHeaders: extra, cacheSourceId: null });
}

/** Counts the request into the running second, refused or not. */
function refuseByRate(state: StandInState): HttpError | null {
  if (state.rateLimit === null) return null;
  const { perSecond, retryAfterSeconds = 1 } = state.rateLimit;
  const { window } = state;
  const nowMs = state.now();
  if (nowMs - window.startedAtMs >= 1000) Object.assign(window, { startedAtMs: nowMs, count: 0 });
  window.count += 1;
  const resetMs = window.startedAtMs + 1000;
  return window.count > perSecond ? tooMany({ perSecond, resetMs, retryAfterSeconds }) : null;
}

function readTurn(call: ModelCall, state: StandInState): { turn: Turn } | { error: HttpError } {
  state.callCount += 1;
  let body: unknown;
  try {
    body = JSON.parse(call.rawBody);
  } catch {
    return { error: httpError(400, 'The request body is not valid JSON.') };
  }
  const bodyHash = sha256(JSON.stringify(body));
  call.logged.bodyHash = bodyHash;
  const read = call.api.read(body);
  if ('problem' in read) {
    call.logged.problem = read.problem;
    return { error: httpError(400, read.problem) };
  }
  const { request } = read;
  call.logged.maxTokens = request.max_tokens ?? request.max_completion_tokens ?? null;
  const wish = cacheWishOf(call.headers);
  const key = cacheKey(call.apiKey, call.logged.path, bodyHash);
  if (wish.clear) state.cache.delete(key);
  const turn = {
    ...call,
    request,
    bodyHash,
    at: new Date(state.now()).toISOString(),
    attempt: countAttempt(request, bodyHash, state),
    cacheKey: key,
    wish,
  };
  return { turn };
}

function countAttempt(request: ChatRequest, bodyHash: string, state: StandInState): number {
  const { longhaul_run: run, longhaul_step: step, longhaul_purpose: purpose } = request.metadata ?? {};
  const key = step === undefined ? bodyHash : JSON.stringify([run, step, purpose]);
  const attempt = (state.attempts.get(key) ?? 0) + 1;
  state.attempts.set(key, attempt);
  return attempt;
}

/** Asks the models in order: any error brings the next one, and the last error is the answer. */
async function askModels(turn: Turn, state: StandInState): Promise<Served | HttpError> {
  const wanted = [...new Set([turn.request.model, ...(turn.request.models ?? [])])];
  const unknown = wanted.find((id) => !state.models.has(id));
  if (unknown !== undefined) {
    turn.logged.problem = `${unknown} is not a valid model ID`;
    return unavailable(400, 'model_not_found', { message: turn.logged.problem, requested: wanted });
  }
  let result: Served | HttpError = httpError(503, 'No model was asked.');
  for (const id of wanted) {
    const model = state.models.get(id);
    if (model === undefined) continue;
    result = await askModel(model, turn, state);
    if (!('status' in result)) return result;
  }
  return result;
}

/** OpenRouter's "Error code transformations" of the responses API. */
function inItsWay(
  served: Served | HttpError,
  { api, request, bodyHash }: Turn,
  state: StandInState,
): Served | HttpError {
  const model = state.models.get(request.model);
  if (!('status' in served) || !api.endsForLength || model === undefined) return served;
  const errorType = errorTypeIn(served);
  if (errorType !== 'context_length_exceeded') return served;
  const nothing = { finishReason: 'length', usage: { promptTokens: 0, completionTokens: 0 }, costNanoUsd: 0 };
  return {
    answer: { ...toAnswer(nothing, { request, model, bodyHash }), errorType },
    reply: {},
    fault: undefined,
  };
}

async function askModel(model: StandInModel, turn: Turn, state: StandInState): Promise<Served | HttpError> {
  const { request } = turn;
  if (model.down)
    return unavailable(503, 'temporarily_unavailable', {
      message: `${model.id} is temporarily unavailable`,
      requested: [model.id],
      retryAfterSeconds: 1,
    });
  const refusal = findRefusal(model, turn, state);
  if (refusal !== null) return refusal;
  const context: ScriptContext = {
    metadata: request.metadata ?? {},
    model: model.id,
    stepIndex: request.messages.filter(({ role }) => role === 'assistant').length,
    callCount: state.callCount,
    attempt: turn.attempt,
  };
  const reply = await state.script(request, context);
  const fault = reply.fault ?? state.faults?.(request, context);
  if (fault?.kind === 'http') {
    const standard = httpError(fault.status, 'Provider returned error', { provider_name: providerOf(model) });
    return { status: fault.status, headers: fault.headers ?? {}, body: fault.body ?? standard.body };
  }
  return { answer: toAnswer(reply, { request, model, bodyHash: turn.bodyHash }), reply, fault };
}

interface Sending {
  turn: Turn;
  state: StandInState;
  extraHeaders: Record<string, string>;
  cacheSourceId: string | null;
}

async function send(
  { answer, reply, fault }: Served,
  { turn, state, extraHeaders, cacheSourceId }: Sending,
): Promise<void> {
  const { api, outlet, request, wish } = turn;
  const createdSeconds = Math.floor(state.now() / 1000);
  const cached = cacheSourceId !== null;
  const promptTokens = cached ? 0 : answer.tokens.promptTokens;
  const entry = state.ledger.open(turn.apiKey, {
    id: `gen-${createdSeconds}-${randomBytes(9).toString('hex')}`,
    at: turn.at,
    bodyHash: turn.bodyHash,
    model: answer.model.id,
    metadata: request.metadata ?? {},
    promptTokens,
    costNanoUsd: cached ? 0 : Math.min(answer.costNanoUsd, promptPriceOf(answer.model, answer.tokens)),
    cached,
    cacheSourceId,
    attempt: turn.attempt,
    streamed: request.stream === true,
  });
  turn.logged.generationId = entry.id;
  rememberReasoning(answer, state);
  const headers = { 'X-Generation-Id': entry.id, ...extraHeaders };
  const delayMs = reply.chunkDelayMs ?? state.latencyMs;
  const meter = new Meter(entry, answer, () => {
    if (isWhole(fault) && wish.enabled && !cached)
      state.cache.set(turn.cacheKey, { answer, sourceId: entry.id, ttlSeconds: wish.ttlSeconds });
  });
  await deliver({
    outlet,
    format: api.format,
    answer,
    meter,
    fault,
    headers,
    createdSeconds,
    delayMs,
    usageChunk: reply.usageChunk ?? 'one-choice',
  });
}

function rememberReasoning(answer: Answer, state: StandInState): void {
  const details = answer.reasoningDetails ?? familyDetails(answer);
  if (familyOf(answer.model) !== 'google' || details.length === 0) return;
  for (const { id } of answer.calls) if (id) state.reasoningCallIds.add(id);
}
