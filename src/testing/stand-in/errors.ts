import type { JsonObject, JsonValue } from '../../core/json.js';

/** An HTTP answer that is an error, in OpenRouter's envelope. */
export interface HttpError {
  status: number;
  headers?: Record<string, string>;
  body: JsonValue;
}

const USER_ID = 'user_stand_in';

/** OpenRouter's canonical `error_type` by HTTP status (its errors-and-debugging page). */
const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request',
  401: 'authentication',
  402: 'payment_required',
  403: 'permission_denied',
  404: 'not_found',
  408: 'timeout',
  412: 'precondition_failed',
  413: 'payload_too_large',
  422: 'unprocessable',
  429: 'rate_limit_exceeded',
  500: 'server',
  502: 'provider_unavailable',
  503: 'provider_overloaded',
  504: 'timeout',
  529: 'provider_overloaded',
};

/** The canonical type of an error; `unmapped` where OpenRouter names none. */
export function errorTypeOf(code: number | string): string {
  return typeof code === 'number' ? (ERROR_TYPES[code] ?? 'unmapped') : 'server';
}

/** The canonical type that an error says it is of. */
export function errorTypeIn({ body }: HttpError): string | undefined {
  return /"error_type":"(\w+)"/.exec(JSON.stringify(body))?.[1];
}

/** OpenRouter's error envelope: the code is the HTTP status, `metadata.error_type` the canonical type unless given. */
export function httpError(status: number, message: string, metadata: JsonObject = {}): HttpError {
  return {
    status,
    body: {
      error: { code: status, message, metadata: { error_type: errorTypeOf(status), ...metadata } },
      user_id: USER_ID,
    },
  };
}

/** The refusal of a request above the rate limit of the platform. */
export function tooMany(limit: { perSecond: number; resetMs: number; retryAfterSeconds: number }): HttpError {
  const headers = {
    'retry-after': String(limit.retryAfterSeconds),
    'x-ratelimit-limit': String(limit.perSecond),
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': String(limit.resetMs),
  };
  return { ...httpError(429, `Rate limit exceeded: ${limit.perSecond} requests per second`), headers };
}

/** A refusal by the provider behind the model, in its own words. */
export function providerRefusal(message: string, providerName: string): HttpError {
  const raw = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: null } });
  return httpError(400, message, { provider_name: providerName, raw });
}

/** OpenRouter's envelope for models that cannot be had, with `availability`. */
export function unavailable(
  status: number,
  code: string,
  detail: { message: string; requested: readonly string[]; retryAfterSeconds?: number; constraint?: string },
): HttpError {
  const retryable = status === 429 || status === 503;
  const error = {
    code: status,
    message: detail.message,
    error_type: errorTypeOf(status),
    http_status: status,
    metadata: { error_type: errorTypeOf(status) },
    availability: {
      code,
      retryable,
      ...(detail.retryAfterSeconds === undefined ? {} : { retry_after: detail.retryAfterSeconds }),
      requested_models: [...detail.requested],
      ...(detail.constraint === undefined ? {} : { constraint: detail.constraint }),
      docs_url: 'https://openrouter.ai/docs/api-reference/errors',
    },
  };
  const headers =
    detail.retryAfterSeconds === undefined ? {} : { 'retry-after': String(detail.retryAfterSeconds) };
  return { status, headers, body: { error, user_id: USER_ID } };
}

/** The inner error of an answer whose HTTP status is 200. */
export function innerError(code: number | string): {
  code: number | string;
  message: string;
  metadata?: JsonObject;
} {
  const message = 'Provider disconnected';
  return typeof code === 'number'
    ? { code, message, metadata: { error_type: errorTypeOf(code) } }
    : { code, message };
}
