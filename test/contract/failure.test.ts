import { ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import fc from 'fast-check';
import { toApplicationFailure, toOutcome } from '../../src/contract/failure.js';
import { AgentError, ERROR_CODES, type ErrorCode } from '../../src/core/errors.js';
import type { JsonObject } from '../../src/core/json.js';
import { traceOf } from '../../src/core/outcomes.js';
import { throughHistory } from '../activities/support/endings.js';

/** As the run reads it, out of history. */
const read = (error: unknown) => toOutcome(throughHistory(error));

const codes = fc.constantFrom(...(Object.keys(ERROR_CODES) as ErrorCode[])); // The keys of the table are the codes.
const detailsOf = fc.dictionary(
  fc.string().filter((key) => key !== '__proto__'),
  fc.jsonValue(),
);

it('carries an error through history with its code, message, details, and whether to try again', () => {
  fc.assert(
    fc.property(codes, fc.string(), fc.boolean(), detailsOf, (code, message, retryable, details) => {
      // What comes out of JSON goes into it again.
      const json = JSON.parse(JSON.stringify(details)) as JsonObject;
      expect(read(toApplicationFailure(new AgentError(code, message, { retryable, details: json })))).toEqual(
        {
          kind: 'failed',
          code,
          message,
          retryable,
          details: json,
        },
      );
    }),
  );
});

it('tells Temporal when to try again, if the error says so', () => {
  const asked = new AgentError('MODEL_RATE_LIMITED', 'Slow down.', { details: { delayMs: 7_000 } });
  expect(toApplicationFailure(asked).nextRetryDelay).toBe(7_000);
  const silent = new AgentError('MODEL_RATE_LIMITED', 'Slow down.', { details: { delayMs: 'soon' } });
  expect(toApplicationFailure(silent).nextRetryDelay).toBeUndefined();
});

it('keeps the cause of an error out of history', () => {
  const error = new AgentError('MODEL_UNAVAILABLE', 'Broken.', { cause: new Error('secret') });
  expect(toApplicationFailure(error).cause).toBeUndefined();
  expect(throughHistory(toApplicationFailure(error)).cause).toBeUndefined();
});

describe('reads', () => {
  it.each<[string, unknown, object]>([
    ['a cancellation', new CancelledFailure('CANCELLED'), { kind: 'cancelled' }],
    [
      'a cancellation with what it left behind',
      new CancelledFailure('CANCELLED', [{ sent: true }]),
      { kind: 'cancelled', details: { sent: true } },
    ],
    ['a time-out', new TimeoutFailure('late', undefined, 'HEARTBEAT'), { kind: 'timed_out' }],
    [
      'a time-out with the last word',
      new TimeoutFailure('late', { attempt: 1, sent: true }, 'START_TO_CLOSE'),
      { kind: 'timed_out', details: { attempt: 1, sent: true } },
    ],
    [
      'a failure without a type or details',
      ApplicationFailure.create({ message: 'm' }),
      { kind: 'failed', code: 'Error', message: 'm', retryable: true, details: {} },
    ],
    [
      'any other error',
      new TypeError('m'),
      { kind: 'failed', code: 'Error', message: 'm', retryable: true, details: {} },
    ],
  ])('%s', (_what, error, expected) => {
    expect(read(error)).toEqual(expected);
  });

  it.each(['text', 7, null, ['list']])('details that are no object as none (%j)', (details) => {
    expect(read(new CancelledFailure('CANCELLED', [details]))).toEqual({ kind: 'cancelled' });
    expect(read(new TimeoutFailure('late', details, 'HEARTBEAT'))).toEqual({ kind: 'timed_out' });
    expect(read(ApplicationFailure.create({ type: 'X', details: [details] }))).toMatchObject({ details: {} });
  });

  it('what is no failure at all as one that may be tried again', () => {
    expect(toOutcome('broken')).toEqual({
      kind: 'failed',
      code: 'Error',
      message: 'broken',
      retryable: true,
      details: {},
    });
  });
});

describe('what an attempt may have cost, read out of history:', () => {
  const failed = (details: JsonObject) =>
    toApplicationFailure(new AgentError('MODEL_STALLED', 'Quiet.', { details }));
  const cancelled = (details?: JsonObject) => new CancelledFailure('CANCELLED', details && [details]);
  const lost = (details?: JsonObject) => new TimeoutFailure('lost', details, 'HEARTBEAT');

  it.each<[string, unknown, boolean]>([
    ['a failure that says nothing counts as sent', failed({}), true],
    ['a failure that was sent', failed({ sent: true }), true],
    ['a failure before sending', failed({ unsent: true }), false],
    ['a failure that the server did not bill', failed({ sent: true, unbilled: true }), false],
    ['a failure of somebody else, which says nothing', new Error('broken'), true],
    ['a cancellation that says nothing counts as not sent', cancelled(), false],
    ['a cancellation after sending', cancelled({ sent: true }), true],
    ['a cancellation before sending', cancelled({ unsent: true }), false],
    ['a loss without a word counts as not sent', lost(), false],
    ['a loss after a sign of life', lost({ attempt: 2 }), false],
    ['a loss after sending', lost({ attempt: 2, sent: true }), true],
    ['a word that is not quite it', lost({ sent: 'true' }), false],
  ])('%s', (_what, error, mayHaveCost) => {
    expect(traceOf(read(error))).toEqual({ mayHaveCost });
  });

  it.each([failed, cancelled, lost])('the id of the generation is found in each (%#)', (make) => {
    const details = { sent: true, generationId: 'gen-1' };
    expect(traceOf(read(make(details)))).toEqual({ mayHaveCost: true, generationId: 'gen-1' });
    expect(traceOf(read(make({ ...details, generationId: 7 })))).toEqual({ mayHaveCost: true });
  });
});
