import type { JsonObject, JsonValue } from '../../src/core/json.js';
import type { Wire } from '../../src/ports/model.js';
import type { ModelFaultId } from '../../src/testing/model-faults.js';
import type { Fault } from '../../src/testing/stand-in/faults.js';
import type { Reply } from '../../src/testing/stand-in/script.js';

/** What the stand-in does to act a fault out on an answer that would have been well, on a wire. */
export type Way = (well: Reply, wire: Wire) => Reply;

/** Some faults have several ways. */
export type Act = readonly [way: Way, ...others: Way[]];

/** Faults that no answer of the stand-in is: nobody listens; an answer that was given before. */
export type OtherFaultId = 'refused' | 'cache-hit';

/** A tool that the answers call, and what it takes. */
export const COUNT = 'count';

const MB = 1024 * 1024;

const by = (fault: Fault) => (well: Reply) => ({ ...well, fault });
const http = (status: number, headers: Record<string, string> = {}) => by({ kind: 'http', status, headers });
const refuses = (status: number, error: JsonObject) =>
  by({ kind: 'http', status, body: { error: { code: status, message: 'No.', ...error } } });
const calls =
  (...toolCalls: NonNullable<Reply['toolCalls']>) =>
  (well: Reply) => ({ ...well, toolCalls });
const args = (rawArguments: string | null) => calls({ name: COUNT, rawArguments });
const instead =
  (bodies: Record<Wire, JsonValue>): Way =>
  (well, wire) =>
    by({ kind: 'instead', text: JSON.stringify(bodies[wire]) })(well);
/** So that no limit on tokens cuts it. */
const WRITTEN: Reply = { chunkChars: 65_536, usage: { completionTokens: 100 } };

const RESPONSE = { id: 'gen-x', object: 'response', status: 'completed', error: null };
const NO_MESSAGE = { index: 0, finish_reason: 'stop' };
const USAGE: Record<Wire, JsonObject> = {
  chat: { prompt_tokens: 1, completion_tokens: 1, cost: 0 },
  responses: { input_tokens: 1, output_tokens: 1, cost: 0 },
};

/** One act for each fault of the table. Delays that are asked for are short, so that whole runs can be struck. */
export const FAULT_ACTS: Readonly<Record<Exclude<ModelFaultId, OtherFaultId>, Act>> = {
  'http-400': [http(400)],
  'http-401': [http(401)],
  'http-402': [http(402)],
  'http-402-affordable': [
    refuses(402, { message: 'You requested up to 8192 tokens, but can only afford 700.' }),
  ],
  'http-403': [
    refuses(403, {
      message: 'Flagged',
      metadata: { error_type: 'permission_denied', reasons: ['violence'], flagged_input: 'Tidy up.' },
    }),
    refuses(403, { metadata: { error_type: 'permission_denied', patterns: ['credit_card'] } }),
  ],
  'http-404': [http(404)],
  'http-408': [http(408)],
  'http-409': [http(409)],
  'http-412': [http(412)],
  'http-413': [http(413), by({ kind: 'http', status: 413, body: 'Request Entity Too Large' })],
  'http-422': [http(422)],
  'http-429': [http(429)],
  'http-500': [http(500)],
  'http-502': [http(502)],
  'http-503': [http(503)],
  'http-504': [http(504)],
  'http-524': [http(524)],
  'http-529': [http(529)],
  'http-400-context': [refuses(400, { metadata: { error_type: 'context_length_exceeded' } })],
  'http-500-context': [refuses(500, { metadata: { error_type: 'context_length_exceeded' } })],
  'http-400-rate': [refuses(400, { metadata: { error_type: 'rate_limit_exceeded' } })],
  'gateway-page': [
    by({ kind: 'instead', status: 502, contentType: 'text/html', text: '<html>Bad gateway</html>' }),
    by({ kind: 'instead', status: 524, contentType: 'text/html', text: '<html>A timeout occurred</html>' }),
  ],
  'availability-model-not-found': [
    refuses(400, { availability: { code: 'model_not_found', retryable: false } }),
  ],
  'availability-fallbacks': [
    refuses(404, {
      availability: {
        code: 'model_deprecated',
        retryable: false,
        fallback_models: ['stand-in/free', 'maker/other', 'no name at all', 7],
      },
    }),
  ],
  'availability-again': [
    refuses(404, { availability: { code: 'model_unavailable_upstream', retryable: true } }),
  ],
  'availability-final': [
    refuses(503, { availability: { code: 'temporarily_unavailable', retryable: false } }),
  ],
  'availability-retry-after': [
    refuses(503, { availability: { code: 'temporarily_unavailable', retryable: true, retry_after: 1 } }),
  ],
  'retry-after-seconds': [http(429, { 'retry-after': '1' })],
  'retry-after-ms': [http(429, { 'retry-after-ms': '150', 'retry-after': '7' })],
  'retry-after-date': [(well) => http(429, { 'retry-after': inSeconds(2).toUTCString() })(well)],
  'retry-after-reset': [
    (well) =>
      http(429, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(inSeconds(1).getTime()) })(well),
  ],
  'retry-after-hour': [http(429, { 'retry-after': '3600' })],
  'retry-after-503': [http(503, { 'retry-after': '1' })],
  'retry-after-garbage': [
    http(429, { 'retry-after': 'later' }),
    http(429, { 'retry-after': '-5' }),
    http(429, { 'retry-after': '0' }),
    http(429, { 'retry-after': '7x' }),
    http(429, { 'retry-after': '1e999' }),
    http(429, { 'retry-after': 'Sat, 31 Oct 2015 00:00:00 GMT' }),
    http(429, { 'retry-after-ms': 'soon' }),
  ],
  'reset-before-headers': [by({ kind: 'reset-before-headers' })],
  'reset-mid-body': [by({ kind: 'reset', afterChunks: 2 })],
  'reset-when-written': [by({ kind: 'reset-when-written' })],
  'ok-html': [by({ kind: 'html' })],
  'hang-before-headers': [by({ kind: 'hang-before-headers' })],
  'hang-mid-body': [
    by({ kind: 'stall', afterChunks: 2 }),
    by({ kind: 'stall', afterChunks: 2, comments: true }),
  ],
  'comments-only': [by({ kind: 'stall', afterChunks: 0, comments: true })],
  'error-body-hangs': [by({ kind: 'instead', status: 503, text: '{"error":', hold: true })],
  truncated: [by({ kind: 'truncate', afterChunks: 2 })],
  'truncated-after-finish': [by({ kind: 'truncate', afterChunks: -1 })],
  'empty-body': [by({ kind: 'instead', contentType: 'text/event-stream', text: '' })],
  'cut-json': [by({ kind: 'cut-json' })],
  'garbage-line': [by({ kind: 'garbage-line' })],
  'ok-empty-choices': [
    instead({
      chat: { id: 'gen-x', choices: [], usage: USAGE.chat },
      responses: { ...RESPONSE, output: [], usage: USAGE.responses },
    }),
  ],
  'ok-no-message': [
    instead({ chat: { id: 'gen-x', choices: [NO_MESSAGE] }, responses: RESPONSE }),
    instead({
      chat: { id: 'gen-x', choices: [NO_MESSAGE], usage: USAGE.chat },
      responses: { ...RESPONSE, usage: USAGE.responses },
    }),
  ],
  'error-chunk-number': [
    by({ kind: 'mid-stream-error', code: 502 }),
    by({ kind: 'mid-stream-error', code: 502, withDone: true }),
  ],
  'error-chunk-word': [by({ kind: 'mid-stream-error', code: 'server_error' })],
  'error-chunk-no-choice': [by({ kind: 'mid-stream-error', code: 502, choices: 'empty' })],
  'error-chunk-without-choices': [by({ kind: 'mid-stream-error', code: 502, choices: 'absent' })],
  'error-choice': [by({ kind: 'choice-error', code: 502 })],
  'error-event': [by({ kind: 'event-error' })],
  'error-chunk-final': [by({ kind: 'mid-stream-error', code: 'content_policy_violation' })],
  'ok-with-error': [by({ kind: 'ok-with-error', code: 502 })],
  'text-20mb': [(well) => ({ ...well, ...WRITTEN, text: 'x'.repeat(20 * MB) })],
  'thoughts-20mb': [(well) => ({ ...well, ...WRITTEN, reasoning: 'x'.repeat(20 * MB) })],
  'calls-1500': [
    (well) => ({ ...calls(...Array.from({ length: 1_500 }, () => ({ name: COUNT })))(well), ...WRITTEN }),
  ],
  'args-5mb': [(well) => ({ ...args(JSON.stringify({ n: 1, pad: 'x'.repeat(5 * MB) }))(well), ...WRITTEN })],
  'endless-line': [
    by({
      kind: 'instead',
      contentType: 'text/event-stream',
      text: `data: ${'x'.repeat(34 * MB)}`,
      hold: true,
    }),
  ],
  'length-cut-args': [
    (well) => ({ ...args('{"n": 1, "note": "to be contin')(well), finishReason: 'length' }),
  ],
  'args-invalid': [args('{n: one}'), args('null'), args('NaN')],
  'args-no-object': [args('[1]'), args('"one"'), args('7')],
  'args-wrong-type': [args('{"n":"many"}'), args('{"n":[]}')],
  'unknown-tool': [calls({ name: 'no_such_tool', args: { n: 1 } }), calls({ name: 'constructor', args: {} })],
  'args-empty': [args(''), args('  ')],
  'args-missing': [args(null)],
  'args-proto': [args('{"n":1,"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')],
  'calls-200': [
    calls(...Array.from({ length: 200 }, (_, index) => ({ name: COUNT, args: { n: 1_000 + index } }))),
  ],
  'id-missing': [calls({ name: COUNT, id: null, args: { n: 1 } }, { name: COUNT, id: null, args: { n: 2 } })],
  'id-empty': [calls({ name: COUNT, id: '', args: { n: 1 } }, { name: COUNT, id: '', args: { n: 2 } })],
  'id-duplicate': [
    calls({ name: COUNT, id: 'call_1', args: { n: 1 } }, { name: COUNT, id: 'call_1', args: { n: 2 } }),
  ],
  'id-of-earlier-step': [calls({ name: COUNT, id: 'call_1', args: { n: 3 } })],
  'index-gaps': [
    calls({ name: COUNT, index: 0, args: { n: 1 } }, { name: COUNT, index: 7, args: { n: 2 } }),
    calls({ name: COUNT, index: 7, args: { n: 1 } }, { name: COUNT, index: 1_000_000, args: { n: 2 } }),
  ],
  'content-null': [(well) => ({ ...well, text: '' })],
  'finish-missing': [(well) => ({ ...well, finishReason: null })],
  'lone-surrogates': [
    (well) => ({ ...args('{"n":1,"note":"\\udc00"}')(well), text: 'Half a turtle: \ud83d' }),
    (well) => ({ ...args('{"n":1,"note":"\udc00"}')(well), text: '\udc22' }),
  ],
  'usage-missing': [by({ kind: 'no-usage' })],
  'cost-missing': [by({ kind: 'cost' })],
  'cost-negative': [by({ kind: 'cost', value: -1 })],
  'cost-nan': [by({ kind: 'cost', value: NaN }), by({ kind: 'cost', value: Infinity })],
  'single-bytes': [by({ kind: 'single-bytes' })],
  'no-done': [by({ kind: 'no-done' })],
  'held-open': [by({ kind: 'hold-open-after-done' })],
  'no-final-blank-line': [by({ kind: 'no-final-blank-line' })],
  'whole-document': [by({ kind: 'unstreamed' }), by({ kind: 'unstreamed', withoutUsage: true })],
  'other-name': [by({ kind: 'other-name', model: 'other/model-of-another-name' })],
};

function inSeconds(seconds: number): Date {
  return new Date(Date.now() + seconds * 1_000);
}
