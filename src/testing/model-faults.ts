import { ATTEMPTS, BACKOFF, LONGEST_POLITE_WAIT_MS, OUTAGE } from '../core/behaviour.js';
import type { ErrorCode } from '../core/errors.js';

/** What a run does about a failed call, or about an odd answer. In words: {@link REACTIONS}. */
export type Reaction = 'again' | 'next model' | 'shorten' | 'pause' | 'fail' | 'go on' | 'tell the model';

/** How long it waits before the next attempt: as long as the server asks, a time that doubles, or not at all. */
export type Wait = 'asked' | 'backoff' | 'none';

/** One thing that a model server, or the way to it, can do wrong. */
export interface ModelFault<Id extends string = string> {
  /** Stable. */
  id: Id;
  /** What the server does, in words. */
  what: string;
  /** What the adapter makes of it. */
  becomes: ErrorCode | 'an answer';
  reaction: Reaction;
  wait: Wait;
}

const rows = <Id extends string>(
  made: Pick<ModelFault, 'becomes' | 'reaction'> & { wait?: Wait },
  table: Readonly<Record<Id, string>>,
): ModelFault<Id>[] =>
  // The keys of a record are its own.
  (Object.entries(table) as [Id, string][]).map(([id, what]) => ({ wait: 'none', ...made, id, what }));

const again = (becomes: ErrorCode, wait: Wait = 'backoff') => ({ becomes, reaction: 'again', wait }) as const;
const final = (becomes: ErrorCode) => ({ becomes, reaction: 'next model' }) as const;
const fine = { becomes: 'an answer', reaction: 'go on' } as const;
const told = { becomes: 'an answer', reaction: 'tell the model' } as const;

/** Every fault of a model server that longhaul is tested against, and what becomes of it. `docs/errors.md` shows it. */
export const MODEL_FAULTS = [
  ...rows(final('MODEL_BAD_REQUEST'), {
    'http-400': 'HTTP 400',
    'http-403': 'HTTP 403, of moderation or a guardrail',
    'http-404': 'HTTP 404, as for a model that is gone',
    'http-412': 'HTTP 412',
    'http-422': 'HTTP 422',
    'availability-model-not-found': 'HTTP 400 with `availability` `model_not_found`',
    'availability-fallbacks': 'HTTP 404 with `availability`, which suggests other models',
  }),
  ...rows({ becomes: 'MODEL_AUTH', reaction: 'fail' }, { 'http-401': 'HTTP 401' }),
  ...rows(
    { becomes: 'MODEL_PAYMENT', reaction: 'pause' },
    { 'http-402': 'HTTP 402', 'http-402-affordable': 'HTTP 402, naming the tokens that can be afforded' },
  ),
  ...rows(
    { becomes: 'MODEL_CONTEXT_LENGTH', reaction: 'shorten' },
    {
      'http-413': 'HTTP 413',
      'http-400-context': 'HTTP 400 with error_type `context_length_exceeded`',
      'http-500-context':
        'HTTP 500 with error_type `context_length_exceeded`, which counts more than the status',
    },
  ),
  ...rows(again('MODEL_UNAVAILABLE'), {
    'http-408': 'HTTP 408',
    'http-409': 'HTTP 409',
    'http-500': 'HTTP 500',
    'http-502': 'HTTP 502',
    'http-503': 'HTTP 503',
    'http-504': 'HTTP 504',
    'http-524': 'HTTP 524',
    'http-529': 'HTTP 529',
    'error-body-hangs': 'HTTP 503 whose body never ends',
    'gateway-page': 'HTTP 502 with a web page; the server behind it may work on, and bill',
    'availability-again': 'HTTP 404 with `availability.retryable` true',
  }),
  ...rows(final('MODEL_UNAVAILABLE'), {
    'availability-final': 'HTTP 503 with `availability.retryable` false',
  }),
  ...rows(again('MODEL_RATE_LIMITED'), {
    'http-429': 'HTTP 429 without Retry-After',
    'retry-after-garbage':
      'HTTP 429 with a Retry-After that is none (`later`, `-5`, `0`, `7x`, `1e999`, a date in the past)',
    'http-400-rate': 'HTTP 400 with error_type `rate_limit_exceeded`, which counts more than the status',
  }),
  ...rows(again('MODEL_RATE_LIMITED', 'asked'), {
    'retry-after-seconds': 'HTTP 429 with Retry-After in seconds',
    'retry-after-ms': 'HTTP 429 with `retry-after-ms`',
    'retry-after-date': 'HTTP 429 with Retry-After as an HTTP date',
    'retry-after-reset': 'HTTP 429 with an exhausted `X-RateLimit-Reset`',
    'retry-after-hour': 'HTTP 429 with Retry-After of an hour',
  }),
  ...rows(again('MODEL_UNAVAILABLE', 'asked'), {
    'retry-after-503': 'HTTP 503 with Retry-After',
    'availability-retry-after': 'HTTP 503 with `availability.retry_after`',
  }),
  ...rows(again('MODEL_UNREACHABLE'), {
    refused: 'the connection is refused',
    'reset-before-headers': 'the connection is reset before the headers',
    'reset-mid-body': 'the connection is reset in the middle of the answer',
    'reset-when-written':
      'the connection is reset when the answer is written and billed; the next attempt gets it from the response cache',
    'ok-html': 'HTTP 200 with a web page',
  }),
  ...rows(again('MODEL_STALLED'), {
    'hang-before-headers': 'nothing comes, not even headers',
    'hang-mid-body': 'the answer stops flowing, the connection stays open',
    'comments-only': 'nothing but keep-alive comments comes',
  }),
  ...rows(again('MODEL_STREAM_TRUNCATED'), {
    truncated: 'the answer ends cleanly without finish reason, usage and `[DONE]`',
    'truncated-after-finish': 'the answer ends after its finish reason, without usage and `[DONE]`',
    'empty-body': 'HTTP 200 with nothing in it',
    'cut-json': 'the answer ends inside of a JSON line',
    'garbage-line': 'a line of the stream is no JSON',
    'ok-empty-choices': 'HTTP 200 with a JSON document whose `choices` (`output` of a response) are empty',
    'ok-no-message': 'HTTP 200 with a JSON document whose choice has no message (a response no `output`)',
  }),
  ...rows(again('MODEL_UNAVAILABLE'), {
    'error-chunk-number': 'an error chunk in mid-stream, its code a number',
    'error-chunk-word': 'an error chunk in mid-stream, its code a word',
    'error-chunk-no-choice': 'an error chunk in mid-stream with empty `choices`',
    'error-chunk-without-choices': 'an error chunk in mid-stream without `choices`',
    'error-choice': 'finish reason `error` and an error inside of the choice',
    'ok-with-error': 'HTTP 200 with `{"error"}` instead of the answer',
  }),
  ...rows(again('MODEL_RATE_LIMITED'), { 'error-event': 'an SSE frame `event: error`' }),
  ...rows(final('MODEL_BAD_REQUEST'), {
    'error-chunk-final': 'an error chunk in mid-stream with error_type `content_policy_violation`',
  }),
  ...rows(final('MESSAGE_TOO_LARGE'), {
    'text-20mb': 'an answer of 20 MB of text',
    'thoughts-20mb': 'an answer of 20 MB of reasoning',
    'calls-1500': '1,500 calls in parallel',
    'endless-line': 'an event that does not end',
  }),
  ...rows(told, {
    'args-5mb': 'a call with 5 MB of arguments: they are not kept, the rest of the answer is',
    'length-cut-args': 'finish reason `length` in the middle of the arguments of a call',
    'args-invalid': 'arguments that are no JSON',
    'args-no-object': 'arguments that are JSON, but no object',
    'args-wrong-type': 'arguments of the wrong types',
    'unknown-tool': 'a call of a tool that there is not',
  }),
  ...rows(fine, {
    'args-empty': 'arguments that are the empty text: no arguments',
    'args-missing': 'a call without arguments: no arguments',
    'args-proto': '`__proto__` in arguments: a key like any other',
    'calls-200': '200 calls in parallel',
    'id-missing': 'calls without ids: ids are made up',
    'id-empty': 'calls with empty ids: ids are made up',
    'id-duplicate': 'calls with the same id: all but the first get another one',
    'id-of-earlier-step': 'a call with the id of an earlier call: it gets another one',
    'index-gaps': 'calls with gaps between their indexes',
    'content-null': '`content` null beside calls',
    'finish-missing': 'calls without a finish reason',
    'lone-surrogates': 'halves of surrogate pairs in text and arguments: replaced by U+FFFD',
    'usage-missing': 'no usage: the cost is asked for by generation id',
    'cost-missing': 'usage without a cost: estimated from tokens, and asked for',
    'cost-negative': 'a negative cost: estimated from tokens, and asked for',
    'cost-nan': 'a cost of a bare `NaN`: estimated from tokens, and asked for',
    'single-bytes': 'a body in chunks of one byte',
    'no-done': 'no `[DONE]` after the usage',
    'held-open': '`[DONE]`, and the connection stays open',
    'no-final-blank-line': 'a last event without its blank line',
    'whole-document': 'the whole answer as one JSON document instead of a stream, with usage or without',
    'other-name': 'an answer from a model of another name',
    'cache-hit': 'an answer of the response cache, with no usage: it costs nothing',
  }),
];

/** The ids of {@link MODEL_FAULTS}. */
export type ModelFaultId = (typeof MODEL_FAULTS)[number]['id'];

const minutes = (ms: number): number => ms / 60_000;

/** What a run does, with the bounds that the code has. */
export const REACTIONS: Readonly<Record<Reaction, string>> = {
  again: `asks the same model again, ${ATTEMPTS.step} times in all (${ATTEMPTS.landing} for a closing answer), then the next model. When all fail, it waits ${minutes(OUTAGE.firstWaitMs)} to ${minutes(OUTAGE.longestWaitMs)} minutes at a time, shown as \`waiting\` and without spending, for up to ${minutes(OUTAGE.patienceMs) / 60} hours, then lands.`,
  'next model':
    'asks the next model at once. When there is none, and none that may recover, the run ends `failed`.',
  shorten:
    'shortens the conversation, where that is possible, and asks again, once for a step; else as `next model`.',
  pause:
    'asks once for as many tokens as can be paid for, where the server names a number; else pauses until it is resumed.',
  fail: 'ends `failed`: no model can be asked with this key.',
  'go on': 'goes on with the answer.',
  'tell the model':
    'goes on; the result of the call says what is wrong with it, and the model may call again.',
};

/** How long a run waits before the next attempt, with the bounds that the code has. */
export const WAITS: Readonly<Record<Wait, string>> = {
  asked: `as long as the server asks; for more than ${minutes(LONGEST_POLITE_WAIT_MS)} minutes the next model is asked instead, where there is one`,
  backoff: `${BACKOFF.firstMs / 1000} s, doubled each time up to ${BACKOFF.longestMs / 1000} s, a quarter more or less`,
  none: 'none',
};
