import { OUTAGE } from '../../core/behaviour.js';
import { ERROR_CODES, type ErrorCode } from '../../core/errors.js';
import { retryDelayMs, type HeaderReader } from './retry-after.js';

/**
 * How a call failed: `http` an answer with an error status; `body` an error inside an answer with status 200, also in mid-stream;
 * the others are seen on this side.
 */
export type FailureKind =
  | 'http'
  | 'body'
  | 'connection'
  | 'timeout'
  | 'stalled'
  | 'truncated'
  | 'garbage'
  | 'not_an_api'
  | 'too_large';

/** Everything known about a failed call. */
export interface Failure {
  kind: FailureKind;
  /** What was said, by the server where it said something. */
  message: string;
  status?: number | undefined;
  /** `error.code`: OpenRouter sends a number, its streaming page and other servers a word. */
  code?: number | string | undefined;
  /** `error.metadata.error_type`, OpenRouter's stable word. */
  errorType?: string | undefined;
  availability?:
    | {
        code?: string | undefined;
        retryable?: boolean | undefined;
        retryAfterSeconds?: number | undefined;
        /** Models that the server suggests instead. */
        fallbackModels?: string[] | undefined;
      }
    | undefined;
  headers?: HeaderReader | undefined;
  provider?: string | undefined;
  /** The generation that failed, where the failure itself names it. */
  generationId?: string | undefined;
  /** Whether it is certain that nothing was billed. */
  isUnbilled?: boolean;
}

/** What a failure means to a caller. `delayMs` only where the server said when to come back. */
export interface Verdict {
  code: ErrorCode;
  retryable: boolean;
  delayMs?: number;
}

const KINDS: Partial<Record<FailureKind, ErrorCode>> = {
  connection: 'MODEL_UNREACHABLE',
  timeout: 'MODEL_UNREACHABLE',
  stalled: 'MODEL_STALLED',
  truncated: 'MODEL_STREAM_TRUNCATED',
  garbage: 'MODEL_STREAM_TRUNCATED',
  not_an_api: 'MODEL_UNREACHABLE',
  too_large: 'MESSAGE_TOO_LARGE',
};

const words = (code: ErrorCode, names: string): [string, ErrorCode][] =>
  names.split(' ').map((name) => [name, code]);

// OpenRouter's `error_type` (docs, "Errors and debugging"), its `availability.code`, and the words that OpenAI-like servers put into `code`.
const NAMES = new Map<string, ErrorCode>([
  ...words('MODEL_AUTH', 'authentication authentication_error invalid_api_key'),
  ...words('MODEL_PAYMENT', 'payment_required insufficient_quota insufficient_credits'),
  // A body that is too large for the server is mended as a prompt that is too long for the model: by a shorter conversation.
  ...words('MODEL_CONTEXT_LENGTH', 'context_length_exceeded payload_too_large request_too_large'),
  ...words('MODEL_RATE_LIMITED', 'rate_limit_exceeded rate_limit_error capacity_exhausted'),
  ...words(
    'MODEL_UNAVAILABLE',
    'provider_unavailable provider_overloaded server server_error internal_error overloaded_error timeout vector_store_timeout temporarily_unavailable',
  ),
  ...words(
    'MODEL_BAD_REQUEST',
    'invalid_request invalid_request_error invalid_prompt max_tokens_exceeded token_limit_exceeded string_too_long',
  ),
  ...words(
    'MODEL_BAD_REQUEST',
    'content_policy_violation refusal invalid_image image_too_large image_too_small unsupported_image_format image_not_found image_download_failed',
  ),
  // What the responses API puts into `error.code` (ResponsesErrorField of OpenRouter's specification, in @openrouter/sdk 1.3).
  ...words(
    'MODEL_BAD_REQUEST',
    'bio_policy cyber_policy misalignment_policy_violation data_residency_mismatch image_content_policy_violation',
  ),
  ...words(
    'MODEL_BAD_REQUEST',
    'invalid_image_format invalid_base64_image invalid_image_url image_parse_error invalid_image_mode image_file_too_large unsupported_image_media_type empty_image_file failed_to_download_image image_file_not_found',
  ),
  ...words('MODEL_BAD_REQUEST', 'permission_denied not_found precondition_failed unprocessable'),
  ...words(
    'MODEL_BAD_REQUEST',
    'model_not_found wrong_endpoint no_endpoints model_deprecated model_unavailable_upstream',
  ),
  ...words(
    'MODEL_BAD_REQUEST',
    'region_restricted privacy_restricted constraint_filtered free_variant_ended',
  ),
]);

const STATUSES = new Map<number, ErrorCode>([
  [401, 'MODEL_AUTH'],
  [402, 'MODEL_PAYMENT'],
  [408, 'MODEL_UNAVAILABLE'],
  [409, 'MODEL_UNAVAILABLE'],
  [413, 'MODEL_CONTEXT_LENGTH'],
  [425, 'MODEL_UNAVAILABLE'],
  [429, 'MODEL_RATE_LIMITED'],
]);

const CONTEXT_WORDS =
  /context[ _](length|window)|maximum context|(prompt|input) is too long|too many (input |prompt )?tokens/i;
const VAGUE_TYPES = new Set([undefined, 'invalid_request', 'unmapped']);

// The type of what went wrong on a server in any way; a word in `code` says more.
const CATCH_ALL = 'server';

/**
 * Decides what a failed call means. `error_type` counts first, being stable over wire formats; then the word or number in `code`;
 * then the HTTP status. `availability.retryable` overrides whether to try again.
 */
export function classify(failure: Failure, nowMs: number): Verdict {
  const { availability } = failure;
  let code = KINDS[failure.kind] ?? serverCode(failure);
  if (code === 'MODEL_BAD_REQUEST' && availability?.retryable === true) code = 'MODEL_UNAVAILABLE';
  const retryable = availability?.retryable ?? ERROR_CODES[code].retryable;
  const delayMs = retryable
    ? retryDelayMs({
        headers: failure.headers,
        bodySeconds: availability?.retryAfterSeconds,
        nowMs,
        // The run decides: for another model, or for a wait as long as this.
        longestMs: OUTAGE.patienceMs,
      })
    : undefined;
  return { code, retryable, ...(delayMs !== undefined && { delayMs }) };
}

function serverCode(failure: Failure): ErrorCode {
  const { errorType = '' } = failure;
  const code =
    (errorType === CATCH_ALL ? undefined : NAMES.get(errorType)) ??
    NAMES.get(String(failure.code ?? '')) ??
    NAMES.get(errorType) ??
    NAMES.get(failure.availability?.code ?? '') ??
    statusCode(errorStatus(failure));
  const tooLong =
    code === 'MODEL_BAD_REQUEST' && VAGUE_TYPES.has(failure.errorType) && CONTEXT_WORDS.test(failure.message);
  return tooLong ? 'MODEL_CONTEXT_LENGTH' : code;
}

/** The number that stands for an HTTP status: that of the body where there is one, because a failure in mid-stream has status 200. */
export function errorStatus({ code, status }: Pick<Failure, 'code' | 'status'>): number | undefined {
  const named = Number(code);
  return Number.isInteger(named) && named >= 400 && named < 600 ? named : status;
}

function statusCode(status: number | undefined): ErrorCode {
  if (status === undefined) return 'MODEL_UNAVAILABLE';
  return STATUSES.get(status) ?? (status >= 400 && status < 500 ? 'MODEL_BAD_REQUEST' : 'MODEL_UNAVAILABLE');
}
