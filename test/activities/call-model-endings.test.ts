import { CancelledFailure, TimeoutFailure } from '@temporalio/common';
import { ActivityCancelledError, ActivityCompletionError, ActivityNotFoundError } from '@temporalio/client';
import { toOutcome } from '../../src/contract/failure.js';
import { AgentError } from '../../src/core/errors.js';
import type { JsonObject } from '../../src/core/json.js';
import { traceOf } from '../../src/core/outcomes.js';
import { ANSWER, callModel, event, type Answering, type CallOptions } from './support/model-call.js';
import { endOf, throughHistory } from './support/endings.js';

const FREE = { mayHaveCost: false };
const named = (generationId: string) => ({ mayHaveCost: true, generationId });

const failing =
  (error: unknown, generationId?: string): Answering =>
  (_request, { listener }) => {
    if (generationId !== undefined) listener.onHeaders?.({ generationId });
    return Promise.reject(error as Error); // Anything can be thrown.
  };

/** Begins a call that goes on until it is aborted, as the adapter does it: with the reason of the signal. */
async function underWay(generationId: string | null, options?: CallOptions) {
  const { happened, happen } = event();
  const call = callModel((_request, { signal, listener }) => {
    if (generationId !== null) listener.onHeaders?.({ generationId });
    happen();
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  }, options);
  await happened;
  return call;
}

describe('the word that the request goes out', () => {
  it('is on record before the server of models hears of the call', async () => {
    const before: unknown[] = [];
    const call = callModel(async () => {
      before.push(...call.run.told);
      return ANSWER;
    });
    await call.result;
    expect(before).toEqual([{ attempt: 1, sent: true }]);
  });

  it('is waited for', async () => {
    const { happened: recorded, happen: record } = event();
    const { happened: heard, happen: hear } = event();
    const call = callModel(async () => ANSWER, {
      arrange: (run) => {
        run.hear = () => (hear(), recorded);
      },
    });
    await heard;
    await new Promise((resolve) => setImmediate(resolve));
    expect(call.sent).toHaveLength(0);
    record();
    await call.result;
    expect(call.sent).toHaveLength(1);
  });

  it.each([
    ['another attempt has taken its place', new ActivityNotFoundError('Not found')],
    ['it cannot be put on record', new ActivityCompletionError('Unavailable')],
  ])('keeps the request from going out when %s', async (_what, refusal) => {
    const call = callModel(async () => ANSWER, {
      arrange: (run) => {
        run.hear = () => Promise.reject(refusal);
      },
    });
    const { outcome, trace } = await endOf(call.result);
    expect(outcome).toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      retryable: true,
      details: { unsent: true },
    });
    expect(trace).toEqual(FREE);
    expect(call.sent).toHaveLength(0);
  });

  it('keeps the request from going out when the run has called the attempt off', async () => {
    const call = callModel(async () => ANSWER, {
      arrange: (run) => {
        run.hear = () => Promise.reject(new ActivityCancelledError('Cancelled'));
      },
    });
    // The SDK hears of it in answer to a heartbeat of its own.
    call.environment.on('heartbeat', () => call.environment.cancel('CANCELLED'));
    const { outcome, trace } = await endOf(call.result);
    expect(outcome).toEqual({ kind: 'cancelled', details: { unsent: true } });
    expect(trace).toEqual(FREE);
    expect(call.sent).toHaveLength(0);
  });

  it.each([
    ['CANCELLED', { kind: 'cancelled', details: { unsent: true } }],
    [
      'WORKER_SHUTDOWN',
      { code: 'MODEL_UNREACHABLE', retryable: true, details: { unsent: true, workerGone: true } },
    ],
  ] as const)('is the last thing before a request that %s overtakes', async (reason, expected) => {
    const call = callModel(async () => ANSWER, {
      arrange: (run) => {
        run.hear = () => call.environment.cancel(reason);
      },
    });
    const { outcome, trace } = await endOf(call.result);
    expect(outcome).toMatchObject(expected);
    expect(trace).toEqual(FREE);
    expect(call.sent).toHaveLength(0);
  });
});

it('tells the id of the generation in the moment in which it is known', async () => {
  const call = callModel(async (_request, { listener }) => {
    expect(call.tails).toEqual([]);
    listener.onHeaders?.({ generationId: 'gen-9' });
    expect(call.tails).toEqual([{ attempt: 1, sent: true, generationId: 'gen-9' }]);
    return ANSWER;
  });
  await call.result;
});

describe('a call that fails before the request goes out costs nothing:', () => {
  it('its run cannot be read', async () => {
    const call = callModel(async () => ANSWER, { input: { hash: 'other' } });
    const { outcome, trace } = await endOf(call.result);
    expect(outcome).toMatchObject({ code: 'MODEL_UNAVAILABLE', details: { unsent: true } });
    expect(trace).toEqual(FREE);
    expect(call.run.told).toEqual([]);
  });

  it('the worker has a bug', async () => {
    const arrange: CallOptions['arrange'] = (run) => {
      run.settings = () => Promise.reject(new TypeError('x is undefined'));
    };
    const { outcome, trace } = await endOf(callModel(async () => ANSWER, { arrange }).result);
    expect(outcome).toEqual({
      kind: 'failed',
      code: 'MODEL_UNAVAILABLE',
      message: 'The worker failed: x is undefined',
      retryable: true,
      details: { unsent: true },
    });
    expect(trace).toEqual(FREE);
  });

  it.each([
    ['CANCELLED', { kind: 'cancelled', details: { unsent: true } }],
    [
      'WORKER_SHUTDOWN',
      { code: 'MODEL_UNREACHABLE', retryable: true, details: { unsent: true, workerGone: true } },
    ],
  ] as const)('%s cuts it off while it reads its run', async (reason, expected) => {
    // A question under way is broken off by the abort, with an error of its own.
    const call = callModel(async () => ANSWER, {
      arrange: (run) => {
        run.transcript = async () => {
          call.environment.cancel(reason);
          throw new Error('1 CANCELLED: Call cancelled');
        };
      },
    });
    const { outcome, trace } = await endOf(call.result);
    expect(outcome).toMatchObject(expected);
    expect(trace).toEqual(FREE);
    expect(call.sent).toHaveLength(0);
  });
});

describe('a call that fails after the request went out', () => {
  it('keeps what the adapter says of it', async () => {
    const details: JsonObject = { generationId: 'gen-2', delayMs: 7_000, affordableTokens: 100, status: 429 };
    const error = new AgentError('MODEL_RATE_LIMITED', 'Slow down.', { details });
    const { outcome, trace } = await endOf(callModel(failing(error, 'gen-1')).result);
    expect(outcome).toEqual({
      kind: 'failed',
      code: 'MODEL_RATE_LIMITED',
      message: 'Slow down.',
      retryable: true,
      details: { sent: true, ...details },
    });
    expect(trace).toEqual(named('gen-2'));
  });

  it('keeps whether it may be tried again', async () => {
    const error = new AgentError('MODEL_UNAVAILABLE', 'Gone for good.', { retryable: false });
    const { outcome } = await endOf(callModel(failing(error)).result);
    expect(outcome).toMatchObject({ code: 'MODEL_UNAVAILABLE', retryable: false });
  });

  it.each<[string, JsonObject, string | undefined, object]>([
    ['may have cost something', {}, undefined, { mayHaveCost: true }],
    ['may have cost something under the id it got', {}, 'gen-1', named('gen-1')],
    ['has cost nothing when the adapter is sure of it', { unbilled: true }, undefined, FREE],
    [
      'has cost nothing when the adapter is sure of it, whatever the id',
      { unbilled: true },
      'gen-1',
      { mayHaveCost: false, generationId: 'gen-1' },
    ],
  ])('%s', async (_what, details, generationId, expected) => {
    const error = new AgentError('MODEL_STREAM_TRUNCATED', 'Half an answer.', { details });
    const { trace } = await endOf(callModel(failing(error, generationId)).result);
    expect(trace).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ['The worker failed: broken', new Error('broken')],
    ['The worker failed: broken', 'broken'],
  ])('by a bug may have cost something too (%s)', async (message, error) => {
    const { outcome, trace } = await endOf(callModel(failing(error, 'gen-1')).result);
    expect(outcome).toMatchObject({ code: 'MODEL_UNAVAILABLE', message, retryable: true });
    expect(trace).toEqual(named('gen-1'));
  });

  it('has cost something also when its answer came and could not be judged', async () => {
    const calls = [{ id: 'call_a', name: 'look', args: '{}' }];
    const call = callModel(async (_request, { listener }) => {
      listener.onHeaders?.({ generationId: 'gen-1' });
      // An answer that is none.
      return { ...ANSWER, calls: null as unknown as typeof calls };
    });
    const { outcome, trace } = await endOf(call.result);
    expect(outcome).toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    expect(trace).toEqual(named('gen-1'));
  });
});

describe('a call that is told to end after the request went out', () => {
  it.each([
    ['without an id', null, { sent: true }, { mayHaveCost: true }],
    ['with its id', 'gen-1', { sent: true, generationId: 'gen-1' }, named('gen-1')],
  ])('by the run, leaves what it may have cost (%s)', async (_what, id, details, expected) => {
    const { environment, result } = await underWay(id);
    environment.cancel('CANCELLED');
    const error: unknown = await result.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CancelledFailure);
    expect(error).toMatchObject({ message: 'CANCELLED', details: [details] });
    const { outcome, trace } = await endOf(Promise.reject(error as Error));
    expect(outcome).toEqual({ kind: 'cancelled', details });
    expect(trace).toEqual(expected);
  });

  it.each(['WORKER_SHUTDOWN', 'PAUSED', 'RESET'] as const)(
    'by %s, says that the model has done nothing wrong',
    async (reason) => {
      const { environment, result } = await underWay('gen-1');
      environment.cancel(reason);
      const { outcome, trace } = await endOf(result);
      expect(outcome).toMatchObject({
        kind: 'failed',
        code: 'MODEL_UNREACHABLE',
        retryable: true,
        details: { sent: true, generationId: 'gen-1', workerGone: true },
      });
      expect(trace).toEqual(named('gen-1'));
    },
  );

  it('counts as going away, not as a bug, whatever the port throws then', async () => {
    const { happened, happen } = event();
    const { environment, result } = callModel((_request, { signal }) => {
      happen();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('closed'))));
    });
    await happened;
    environment.cancel('WORKER_SHUTDOWN');
    expect((await endOf(result)).outcome).toMatchObject({ details: { workerGone: true } });
  });
});

describe('a worker that dies without a word', () => {
  /** What the server hands the run: the last details it was told. */
  const lostWith = (details: unknown) =>
    traceOf(toOutcome(throughHistory(new TimeoutFailure('lost', details, 'HEARTBEAT'))));

  it('before it told anything, has spent nothing', () => {
    expect(lostWith(undefined)).toEqual(FREE);
  });

  it('after it told that it is alive, has spent nothing', () => {
    expect(lostWith({ attempt: 1 })).toEqual(FREE);
  });

  it('after it told that the request goes out, may have spent something', async () => {
    const call = await underWay(null);
    expect(lostWith(call.run.told.at(-1))).toEqual({ mayHaveCost: true });
    call.environment.cancel('WORKER_SHUTDOWN');
    await expect(call.result).rejects.toThrow();
  });

  it('after it told the id, can be asked for by it', async () => {
    const call = await underWay('gen-1');
    expect(lostWith(call.tails.at(-1))).toEqual(named('gen-1'));
    call.environment.cancel('WORKER_SHUTDOWN');
    await expect(call.result).rejects.toThrow();
  });
});
