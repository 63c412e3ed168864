import { createReconcileCost } from '../../src/activities/reconcile-cost.js';
import { AgentError } from '../../src/core/errors.js';
import type { CostReport } from '../../src/core/outcomes.js';
import type { Generation, ModelPort } from '../../src/ports/model.js';
import { environmentOf, FakeRun } from './support/activity-world.js';
import { endOf } from './support/endings.js';

function reconcile(generation: ModelPort['generation'], generationIds: string[]) {
  const model: ModelPort = {
    call: () => Promise.reject(new Error('Reconciling asks no model.')),
    describe: async () => undefined,
    checkKey: async () => ({ limitRemainingUsd: null }),
    generation,
  };
  const environment = environmentOf(new FakeRun());
  const beats: unknown[] = [];
  environment.on('heartbeat', (details) => beats.push(details));
  const activity = createReconcileCost({ model });
  const result = environment.run<[{ generationIds: string[] }], CostReport, typeof activity>(activity, {
    generationIds,
  });
  return { environment, beats, result };
}

const KNOWN: Record<string, Generation> = {
  paid: { costNanoUsd: 70, promptTokens: 3, completionTokens: 2 },
  free: { costNanoUsd: 0, promptTokens: 1, completionTokens: 0 },
};

it('reports what generations cost, also nothing, and leaves out those that the server does not know', async () => {
  const { result } = reconcile(async (id) => KNOWN[id] ?? null, ['paid', 'unknown', 'free']);
  expect(await result).toEqual({
    found: [
      { generationId: 'paid', costNanoUsd: 70, promptTokens: 3, completionTokens: 2 },
      { generationId: 'free', costNanoUsd: 0, promptTokens: 1, completionTokens: 0 },
    ],
  });
});

it('reports that nothing was found, which is no failure', async () => {
  expect(await reconcile(async () => null, ['unknown']).result).toEqual({ found: [] });
});

it('tells of which generations the server cannot be asked, as it has no such question', async () => {
  const { result } = reconcile(async (id) => (id === 'paid' ? KNOWN['paid'] : undefined), ['paid', 'odd']);
  expect(await result).toEqual({ found: [{ generationId: 'paid', ...KNOWN['paid'] }], refused: ['odd'] });
});

it('asks for each generation once', async () => {
  const asked: string[] = [];
  const { result } = reconcile(
    async (id) => {
      asked.push(id);
      return null;
    },
    ['a', 'b'],
  );
  await result;
  expect(asked.sort()).toEqual(['a', 'b']);
});

it.each<[string, Error, object]>([
  [
    'a server that is away',
    new AgentError('MODEL_UNREACHABLE', 'Nobody there.'),
    { code: 'MODEL_UNREACHABLE', retryable: true },
  ],
  ['a bug', new TypeError('x is undefined'), { message: 'x is undefined', retryable: true }],
  ['a refused key', new AgentError('MODEL_AUTH', 'No.'), { code: 'MODEL_AUTH', retryable: false }],
])('fails when it cannot know, which is not the same as not found: %s', async (_what, error, expected) => {
  const { result } = reconcile(() => Promise.reject(error), ['paid', 'other']);
  expect((await endOf(result)).outcome).toMatchObject({ kind: 'failed', ...expected });
});

it('gives what it learned, though another question failed', async () => {
  const { result } = reconcile(
    async (id) => (id === 'paid' ? (KNOWN['paid'] ?? null) : Promise.reject(new Error('No.'))),
    ['other', 'paid'],
  );
  expect(await result).toMatchObject({ found: [{ generationId: 'paid' }] });
});

it('says that it is alive as soon as it begins', async () => {
  const { beats, result } = reconcile(async () => null, ['paid']);
  await result;
  expect(beats).toEqual([{ attempt: 1 }]);
});

it('ends as cancelled when it is called off', async () => {
  const { environment, result } = reconcile(
    (_id, signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    ['paid'],
  );
  environment.cancel('CANCELLED');
  expect((await endOf(result)).outcome).toMatchObject({ kind: 'cancelled' });
});
