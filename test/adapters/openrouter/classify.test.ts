import { classify, type Failure } from '../../../src/adapters/openrouter/classify.js';
import { OUTAGE } from '../../../src/core/behaviour.js';

const NOW_MS = Date.parse('2026-11-01T00:00:00Z');
const HTTP: Failure = { kind: 'http', message: 'no' };
const BODY: Failure = { kind: 'body', message: 'no', status: 200 };

const verdict = (failure: Failure): string => {
  const { code, retryable } = classify(failure, NOW_MS);
  return `${code} ${retryable ? 'retry' : 'final'}`;
};

describe('classify', () => {
  it.each([
    [400, 'MODEL_BAD_REQUEST final'],
    [401, 'MODEL_AUTH final'],
    [402, 'MODEL_PAYMENT final'],
    [403, 'MODEL_BAD_REQUEST final'],
    [404, 'MODEL_BAD_REQUEST final'],
    [408, 'MODEL_UNAVAILABLE retry'],
    [409, 'MODEL_UNAVAILABLE retry'],
    [412, 'MODEL_BAD_REQUEST final'],
    [413, 'MODEL_CONTEXT_LENGTH final'],
    [422, 'MODEL_BAD_REQUEST final'],
    [429, 'MODEL_RATE_LIMITED retry'],
    [500, 'MODEL_UNAVAILABLE retry'],
    [502, 'MODEL_UNAVAILABLE retry'],
    [503, 'MODEL_UNAVAILABLE retry'],
    [504, 'MODEL_UNAVAILABLE retry'],
    [524, 'MODEL_UNAVAILABLE retry'],
    [529, 'MODEL_UNAVAILABLE retry'],
  ])('takes HTTP %d, and the same number in mid-stream, for %s', (status, expected) => {
    expect(verdict({ ...HTTP, status })).toBe(expected);
    expect(verdict({ ...BODY, code: status })).toBe(expected);
    expect(verdict({ ...BODY, code: String(status) })).toBe(expected);
  });

  it.each([
    ['invalid_request', 'MODEL_BAD_REQUEST final'],
    ['invalid_prompt', 'MODEL_BAD_REQUEST final'],
    ['context_length_exceeded', 'MODEL_CONTEXT_LENGTH final'],
    ['max_tokens_exceeded', 'MODEL_BAD_REQUEST final'],
    ['token_limit_exceeded', 'MODEL_BAD_REQUEST final'],
    ['string_too_long', 'MODEL_BAD_REQUEST final'],
    ['content_policy_violation', 'MODEL_BAD_REQUEST final'],
    ['refusal', 'MODEL_BAD_REQUEST final'],
    ['image_too_large', 'MODEL_BAD_REQUEST final'],
    ['authentication', 'MODEL_AUTH final'],
    ['payment_required', 'MODEL_PAYMENT final'],
    ['permission_denied', 'MODEL_BAD_REQUEST final'],
    ['not_found', 'MODEL_BAD_REQUEST final'],
    ['precondition_failed', 'MODEL_BAD_REQUEST final'],
    ['payload_too_large', 'MODEL_CONTEXT_LENGTH final'],
    ['unprocessable', 'MODEL_BAD_REQUEST final'],
    ['rate_limit_exceeded', 'MODEL_RATE_LIMITED retry'],
    ['server', 'MODEL_UNAVAILABLE retry'],
    ['provider_unavailable', 'MODEL_UNAVAILABLE retry'],
    ['provider_overloaded', 'MODEL_UNAVAILABLE retry'],
    ['timeout', 'MODEL_UNAVAILABLE retry'],
  ])('takes error_type %s for %s, whatever the status', (errorType, expected) => {
    expect(verdict({ ...BODY, errorType })).toBe(expected);
    expect(verdict({ ...HTTP, status: 418, errorType })).toBe(expected);
  });

  it.each([
    ['server_error', 'MODEL_UNAVAILABLE retry'],
    ['rate_limit_exceeded', 'MODEL_RATE_LIMITED retry'],
    ['insufficient_quota', 'MODEL_PAYMENT final'],
    ['invalid_api_key', 'MODEL_AUTH final'],
    ['invalid_prompt', 'MODEL_BAD_REQUEST final'],
    ['context_length_exceeded', 'MODEL_CONTEXT_LENGTH final'],
    ['never_heard_of', 'MODEL_UNAVAILABLE retry'],
  ])('takes the word %s in mid-stream for %s', (code, expected) => {
    expect(verdict({ ...BODY, code })).toBe(expected);
  });

  it.each([
    'bio_policy',
    'cyber_policy',
    'misalignment_policy_violation',
    'data_residency_mismatch',
    'image_content_policy_violation',
    'invalid_base64_image',
    'failed_to_download_image',
  ])('takes the word %s of the responses API as final, also beside a type that says less', (code) => {
    for (const errorType of [undefined, 'unmapped', 'server'])
      expect(verdict({ ...BODY, code, errorType })).toBe('MODEL_BAD_REQUEST final');
    expect(verdict({ ...BODY, code, errorType: 'rate_limit_exceeded' })).toBe('MODEL_RATE_LIMITED retry');
  });

  it('takes the type of a fault of the server before the status', () => {
    expect(verdict({ ...HTTP, status: 418, errorType: 'server' })).toBe('MODEL_UNAVAILABLE retry');
    expect(verdict({ ...BODY, code: 'vector_store_timeout' })).toBe('MODEL_UNAVAILABLE retry');
  });

  it('falls back on the status for types it does not know', () => {
    expect(verdict({ ...HTTP, status: 400, errorType: 'brand_new' })).toBe('MODEL_BAD_REQUEST final');
    expect(verdict({ ...HTTP, status: 500, errorType: 'unmapped' })).toBe('MODEL_UNAVAILABLE retry');
    expect(verdict({ ...BODY })).toBe('MODEL_UNAVAILABLE retry');
  });

  it.each([
    "This endpoint's maximum context length is 8192 tokens. However, you requested about 9000.",
    'prompt is too long: 210000 tokens > 200000 maximum',
    'Your input exceeds the context window of this model',
  ])('recognises a full context by its words: %s', (message) => {
    expect(verdict({ ...HTTP, status: 400, message })).toBe('MODEL_CONTEXT_LENGTH final');
    expect(verdict({ ...HTTP, status: 400, errorType: 'refusal', message })).toBe('MODEL_BAD_REQUEST final');
    expect(verdict({ ...HTTP, status: 500, message })).toBe('MODEL_UNAVAILABLE retry');
  });

  it.each([
    ['model_not_found', 400, false, 'MODEL_BAD_REQUEST final'],
    ['wrong_endpoint', 400, false, 'MODEL_BAD_REQUEST final'],
    ['no_endpoints', 404, false, 'MODEL_BAD_REQUEST final'],
    ['model_deprecated', 404, false, 'MODEL_BAD_REQUEST final'],
    ['model_unavailable_upstream', 404, true, 'MODEL_UNAVAILABLE retry'],
    ['capacity_exhausted', 429, true, 'MODEL_RATE_LIMITED retry'],
    ['temporarily_unavailable', 503, true, 'MODEL_UNAVAILABLE retry'],
    ['temporarily_unavailable', 503, false, 'MODEL_UNAVAILABLE final'],
    ['region_restricted', 403, false, 'MODEL_BAD_REQUEST final'],
    ['privacy_restricted', 404, false, 'MODEL_BAD_REQUEST final'],
    ['constraint_filtered', 404, false, 'MODEL_BAD_REQUEST final'],
    ['free_variant_ended', 404, false, 'MODEL_BAD_REQUEST final'],
  ])('obeys availability %s (%d, retryable %s): %s', (code, status, retryable, expected) => {
    expect(verdict({ ...HTTP, status, availability: { code, retryable } })).toBe(expected);
    expect(verdict({ ...BODY, availability: { code, retryable } })).toBe(expected);
  });

  it.each([
    ['connection', 'MODEL_UNREACHABLE retry'],
    ['timeout', 'MODEL_UNREACHABLE retry'],
    ['not_an_api', 'MODEL_UNREACHABLE retry'],
    ['stalled', 'MODEL_STALLED retry'],
    ['truncated', 'MODEL_STREAM_TRUNCATED retry'],
    ['garbage', 'MODEL_STREAM_TRUNCATED retry'],
    ['too_large', 'MESSAGE_TOO_LARGE final'],
  ] as const)('takes a failure seen on this side, %s, for %s', (kind, expected) => {
    expect(verdict({ kind, message: 'no' })).toBe(expected);
  });
});

describe('the delay of a retry', () => {
  const delay = (headers: Record<string, string>, failure: Partial<Failure> = {}): number | undefined =>
    classify({ ...HTTP, status: 429, headers: new Headers(headers), ...failure }, NOW_MS).delayMs;

  it.each([
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['parts of a second', { 'retry-after': '1.5' }, 1_500],
    ['milliseconds', { 'retry-after-ms': '250' }, 250],
    ['milliseconds before seconds', { 'retry-after-ms': '250', 'retry-after': '7' }, 250],
    ['seconds after unreadable milliseconds', { 'retry-after-ms': 'soon', 'retry-after': '7' }, 7_000],
    ['an HTTP date', { 'retry-after': 'Sun, 01 Nov 2026 00:00:30 GMT' }, 30_000],
    ['a date in the past', { 'retry-after': 'Sat, 31 Oct 2026 00:00:00 GMT' }, undefined],
    ['an hour', { 'retry-after': '3600' }, 3_600_000],
    ['a distant date, capped', { 'retry-after': 'Fri, 01 Jan 2027 00:00:00 GMT' }, OUTAGE.patienceMs],
    ['zero', { 'retry-after': '0' }, undefined],
    ['a negative number', { 'retry-after': '-5' }, undefined],
    ['garbage', { 'retry-after': 'later' }, undefined],
    ['a number with garbage', { 'retry-after': '7x' }, undefined],
    ['infinity', { 'retry-after': '1e999' }, undefined],
    ['nothing', {}, undefined],
    [
      'the reset of an exhausted limit',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW_MS + 9_000) },
      9_000,
    ],
    [
      'no reset while some is left',
      { 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': String(NOW_MS + 9_000) },
      undefined,
    ],
  ])('is read from %s', (_name, headers, expected) => {
    expect(delay(headers)).toBe(expected);
  });

  it('is read from the body after the headers', () => {
    const availability = { retryable: true, retryAfterSeconds: 12 };
    expect(delay({}, { availability })).toBe(12_000);
    expect(delay({ 'retry-after': '3' }, { availability })).toBe(3_000);
  });

  it('is left out when trying again cannot help', () => {
    expect(delay({ 'retry-after': '7' }, { status: 400 })).toBeUndefined();
    expect(delay({ 'retry-after': '7' }, { availability: { retryable: false } })).toBeUndefined();
  });
});
