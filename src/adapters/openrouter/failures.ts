import { APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai';
import { AgentError, isAgentError } from '../../core/errors.js';
import type { JsonObject, JsonValue } from '../../core/json.js';
import { classify, errorStatus, type Failure } from './classify.js';
import { GENERATION_HEADER } from './http-client.js';
import { at, isObject, listAt, textAt } from './json-read.js';
import { isUnsent, systemCode, textOf } from './network-error.js';
import { wellFormed } from './well-formed.js';

const MAX_WORDS_CHARS = 500;
const MAX_READ_CHARS = 20_000;
const REDACTED = '[redacted]';
const MAX_FALLBACK_MODELS = 10;
const MAX_REASONS = 5;
/** What can be the name of a model. */
const MODEL_NAME = /^[\w~@][\w~@./:-]{0,127}$/;
/** Servers on the own machine take any key; a letter or two is no secret, and stands in every text. */
const SHORTEST_SECRET_CHARS = 6;
// What a gateway says when the server behind it did not answer, which may work, and bill, all the same (524: Cloudflare).
const GATEWAY_STATUSES = new Set([502, 504, 520, 524]);

/** Reads OpenRouter's error object (and the looser ones of other servers) into a {@link Failure}. */
export function readFailure(
  error: JsonValue | undefined,
  known: Partial<Failure> & Pick<Failure, 'kind'>,
): Failure {
  const code = at(error, 'code') ?? at(error, 'http_status');
  const retryable = at(error, 'availability', 'retryable');
  const retryAfter = at(error, 'availability', 'retry_after');
  const fallbackModels = textsAt(error, 'availability', 'fallback_models').filter((name) =>
    MODEL_NAME.test(name),
  );
  const said = [
    typeof error === 'string' ? error : textAt(error, 'message'),
    textAt(error, 'metadata', 'raw'),
    ...reasonsOf(error),
  ];
  return {
    ...known,
    message: said.filter((part) => part !== undefined).join(': ') || known.message || 'no reason given',
    ...((typeof code === 'number' || typeof code === 'string') && { code }),
    errorType: textAt(error, 'metadata', 'error_type') ?? textAt(error, 'error_type'),
    provider: textAt(error, 'metadata', 'provider_name') ?? known.provider,
    availability: {
      code: textAt(error, 'availability', 'code'),
      ...(typeof retryable === 'boolean' && { retryable }),
      ...(typeof retryAfter === 'number' && { retryAfterSeconds: retryAfter }),
      ...(fallbackModels.length > 0 && { fallbackModels: fallbackModels.slice(0, MAX_FALLBACK_MODELS) }),
    },
  };
}

/** Why moderation (`reasons`) or a guardrail (`patterns`) said no. */
function reasonsOf(error: JsonValue | undefined): string[] {
  const named = ['reasons', 'patterns'].flatMap((key) => textsAt(error, 'metadata', key));
  return named.length === 0 ? [] : [`because of ${named.slice(0, MAX_REASONS).join(', ')}`];
}

function textsAt(value: JsonValue | undefined, ...path: string[]): string[] {
  return listAt(value, ...path).filter((entry) => typeof entry === 'string');
}

/** Makes errors for callers out of failures, so that neither the key nor a request body is ever in them. */
export interface ErrorMaker {
  fromFailure(failure: Failure): AgentError;
  fromUnknown(error: unknown): AgentError;
}

/** Makes the {@link ErrorMaker} of one server and key. `generationId` names what the errors are about, as far as it is known by then. */
export function createErrorMaker(
  { apiKey, baseUrl }: { apiKey: string; baseUrl: string },
  generationId: () => string | null = () => null,
): ErrorMaker {
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).host : baseUrl;
  const fromFailure = (failure: Failure): AgentError =>
    toAgentError(
      { ...failure, generationId: failure.generationId ?? generationId() ?? undefined },
      { apiKey, host },
    );
  return {
    fromFailure,
    fromUnknown: (error) => (isAgentError(error) ? error : fromFailure(toFailure(error))),
  };
}

/** Whether an error is an answer with an error status. */
export function isStatusError(error: unknown): error is APIError<number> {
  return error instanceof APIError && typeof error.status === 'number';
}

function toFailure(error: unknown): Failure {
  if (error instanceof APIConnectionTimeoutError || error instanceof APIUserAbortError) {
    return { kind: 'timeout', message: 'it did not answer in time' };
  }
  if (isStatusError(error)) {
    // The client has parsed the body as JSON, and types it as an object of unknown shape.
    const body = error.error as JsonValue | undefined;
    return readFailure(body, {
      kind: 'http',
      status: error.status,
      headers: error.headers,
      message: error.message,
      generationId: error.headers?.get(GENERATION_HEADER) ?? undefined,
      isUnbilled: isObject(body) || !GATEWAY_STATUSES.has(error.status),
    });
  }
  const code = systemCode(error);
  const said = textOf(error, 'message') ?? 'the connection broke';
  const message = code === undefined ? said : `${said} (${code})`;
  return { kind: 'connection', message, isUnbilled: isUnsent(error) };
}

// No `cause`: the client's errors hold the response, and causes are written into history.
function toAgentError(failure: Failure, { apiKey, host }: { apiKey: string; host: string }): AgentError {
  const { code, retryable, delayMs } = classify(failure, Date.now());
  const status = errorStatus(failure);
  const affordable =
    code === 'MODEL_PAYMENT' ? /can only afford (\d{1,9})/.exec(failure.message)?.[1] : undefined;
  const fallbackModels = (failure.availability?.fallbackModels ?? []).map((name) => clean(name, apiKey));
  const details: JsonObject = {
    ...(status !== undefined && { status }),
    ...(failure.errorType !== undefined && { errorType: clean(failure.errorType, apiKey) }),
    ...(failure.availability?.code !== undefined && {
      availability: clean(failure.availability.code, apiKey),
    }),
    ...(fallbackModels.length > 0 && { fallbackModels }),
    ...(failure.provider !== undefined && { provider: clean(failure.provider, apiKey) }),
    ...(delayMs !== undefined && { delayMs }),
    ...(affordable !== undefined && { affordableTokens: Number(affordable) }),
    ...(failure.generationId !== undefined && { generationId: clean(failure.generationId, apiKey) }),
    ...(failure.isUnbilled === true && { unbilled: true }),
  };
  const who = ['The model API at', host, ...(status === undefined ? [] : [`answered ${status}`])].join(' ');
  const whose = failure.provider === undefined ? '' : ` (provider ${clean(failure.provider, apiKey)})`;
  const instead = fallbackModels.length === 0 ? '' : ` It suggests ${fallbackModels.join(', ')} instead.`;
  const message = `${who}${whose}: ${clean(failure.message, apiKey)}${instead}`;
  return new AgentError(code, message, { retryable, details });
}

/** The server's words without secrets, request echoes and markup, cut to 500 characters. */
function clean(text: string, apiKey: string): string {
  const safe = (apiKey.length < SHORTEST_SECRET_CHARS ? text : text.replaceAll(apiKey, REDACTED))
    // After the key, lest the cut goes through it; before the patterns, which need not see a whole page.
    .slice(0, MAX_READ_CHARS)
    .replace(/\b(bearer|basic)\s+[^\s"',}]+/gi, `$1 ${REDACTED}`)
    .replace(/\bsk-[\w-]{8,}/g, REDACTED)
    .replace(/\\?"messages\\?"\s*:[\s\S]*/, '[request left out]')
    .replace(/<(script|style)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return wellFormed(safe.slice(0, MAX_WORDS_CHARS));
}
