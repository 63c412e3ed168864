import { AgentError } from '../../src/core/errors.js';
import type { JsonObject } from '../../src/core/json.js';
import type { Governor, PermitEnd } from '../../src/ports/governor.js';
import { ANSWER, callModel, event, type Answering } from './support/model-call.js';
import { endOf } from './support/endings.js';

/** Lets everyone through, and notes what became of it. */
function openGovernor(log: string[] = []) {
  const ends: PermitEnd[] = [];
  const governor: Governor = {
    admit: async (model) => {
      log.push(`admitted to ${model}`);
      return { end: (how) => ends.push(how) };
    },
  };
  return { governor, ends };
}

const untilAborted =
  (begin: () => void): Answering =>
  (_request, { signal }) =>
    new Promise((_, reject) => {
      begin();
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });

it('gets leave, then says that the request goes out, then calls', async () => {
  const log: string[] = [];
  const { governor } = openGovernor(log);
  const arrange: Parameters<typeof callModel>[1] = {
    governor,
    arrange: (run) => {
      run.hear = () => log.push('told');
    },
  };
  await callModel(async () => {
    log.push('called');
    return ANSWER;
  }, arrange).result;
  expect(log).toEqual(['admitted to maker/first', 'told', 'called']);
});

describe('the leave to call ends exactly once,', () => {
  it('well, when the answer is there', async () => {
    const { governor, ends } = openGovernor();
    await callModel(async () => ANSWER, { governor }).result;
    expect(ends).toEqual([{ kind: 'ok' }]);
  });

  it('well, also when what came could not be judged', async () => {
    const { governor, ends } = openGovernor();
    const answer = { ...ANSWER, calls: null as unknown as typeof ANSWER.calls }; // An answer that is none.
    await expect(callModel(async () => answer, { governor }).result).rejects.toThrow();
    expect(ends).toEqual([{ kind: 'ok' }]);
  });

  it.each<[string, unknown, PermitEnd]>([
    ['for a failure', new AgentError('MODEL_UNAVAILABLE', 'Down.'), { kind: 'failed' }],
    ['for a bug', new Error('broken'), { kind: 'failed' }],
    ['for a refused rate', limited({}), { kind: 'limited' }],
    [
      'for a refused rate with a time to come back',
      limited({ delayMs: 7_000 }),
      { kind: 'limited', retryAfterMs: 7_000 },
    ],
  ])('as the call did, %s', async (_what, error, expected) => {
    const { governor, ends } = openGovernor();
    const call = callModel(() => Promise.reject(error as Error), { governor }); // Anything can be thrown.
    await expect(call.result).rejects.toThrow();
    expect(ends).toEqual([expected]);
  });

  it.each(['CANCELLED', 'WORKER_SHUTDOWN'] as const)('as failed, when %s ends the call', async (reason) => {
    const { governor, ends } = openGovernor();
    const { happened, happen } = event();
    const { environment, result } = callModel(untilAborted(happen), { governor });
    await happened;
    expect(ends).toEqual([]);
    environment.cancel(reason);
    await expect(result).rejects.toThrow();
    expect(ends).toEqual([{ kind: 'failed' }]);
  });

  it('as failed, when the word that the request goes out is refused', async () => {
    const { governor, ends } = openGovernor();
    const call = callModel(async () => ANSWER, {
      governor,
      arrange: (run) => {
        run.hear = () => Promise.reject(new Error('refused'));
      },
    });
    await expect(call.result).rejects.toThrow();
    expect(ends).toEqual([{ kind: 'failed' }]);
    expect(call.sent).toHaveLength(0);
  });
});

it.each([
  ['CANCELLED', { kind: 'cancelled', details: { unsent: true } }],
  [
    'WORKER_SHUTDOWN',
    { code: 'MODEL_UNREACHABLE', retryable: true, details: { unsent: true, workerGone: true } },
  ],
] as const)('sends nothing when %s ends the wait for leave', async (reason, expected) => {
  const { happened: waiting, happen: wait } = event();
  const governor: Governor = {
    admit: (_model, signal) =>
      new Promise((_, reject) => {
        wait();
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  };
  const call = callModel(async () => ANSWER, { governor });
  await waiting;
  call.environment.cancel(reason);
  const { outcome, trace } = await endOf(call.result);
  expect(outcome).toMatchObject(expected);
  expect(trace).toEqual({ mayHaveCost: false });
  expect(call.sent).toHaveLength(0);
  expect(call.run.told).toEqual([]);
});

it('waits for nobody when it has no governor', async () => {
  const { result, sent } = callModel(async () => ANSWER);
  await result;
  expect(sent).toHaveLength(1);
});

function limited(details: JsonObject): AgentError {
  return new AgentError('MODEL_RATE_LIMITED', 'Slow down.', { details });
}
