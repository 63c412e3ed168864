import fc from 'fast-check';
import { createOpenRouterModel } from '../../../src/adapters/openrouter/model.js';
import { listNanoUsd, worstCaseNanoUsd } from '../../../src/core/money/price.js';
import type { ModelPort, ModelRequest } from '../../../src/ports/model.js';
import { priceOf, type StandInModel } from '../../../src/testing/stand-in/models.js';
import type { Reply } from '../../../src/testing/stand-in/script.js';
import { startStandIn, type StandIn, type StandInOptions } from '../../../src/testing/stand-in/stand-in.js';

const DEAR: StandInModel = {
  id: 'stand-in/dear',
  promptNanoUsd: 300,
  completionNanoUsd: 2_500,
  requestNanoUsd: 1_000,
  cacheReadNanoUsd: 30,
  cacheWriteNanoUsd: 375,
  tiers: [{ abovePromptTokens: 1_000, promptNanoUsd: 600, cacheReadNanoUsd: 60 }],
};
const CHEAP: StandInModel = { id: 'stand-in/cheap', promptNanoUsd: 1, completionNanoUsd: 2 };
const REQUEST: ModelRequest = {
  model: DEAR.id,
  items: [{ role: 'user', content: 'go' }],
  tools: [],
  toolChoice: 'auto',
  maxOutputTokens: 1000,
  metadata: { longhaul_step: '0' },
  sessionId: 'r',
};

const started: StandIn[] = [];
afterEach(() => Promise.all(started.splice(0).map((server) => server.stop())));

async function pair(
  reply: Reply,
  options: Partial<StandInOptions> = {},
): Promise<{ server: StandIn; model: ModelPort }> {
  const server = await startStandIn({ script: () => reply, models: [DEAR, CHEAP], ...options });
  started.push(server);
  return { server, model: createOpenRouterModel({ apiKey: 'sk-or-v1-test', baseUrl: server.url }) };
}

const call = (model: ModelPort, more: Partial<ModelRequest> = {}) =>
  model.call({ ...REQUEST, ...more }, { signal: new AbortController().signal });

test('the price of a model is what it bills, and never lower, whatever the tokens', async () => {
  const { model } = await pair({});
  const price = (await model.describe(DEAR.id))?.price;
  if (!price) throw new Error('no price');
  const tokens = fc
    .record({
      promptTokens: fc.integer({ min: 0, max: 3_000 }),
      completionTokens: fc.integer({ min: 0, max: 3_000 }),
      cachedShare: fc.double({ min: 0, max: 1, noNaN: true }),
      writtenShare: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ promptTokens, completionTokens, cachedShare, writtenShare }) => {
      const cachedTokens = Math.floor(promptTokens * cachedShare);
      const cacheWriteTokens = Math.floor((promptTokens - cachedTokens) * writtenShare);
      return { promptTokens, completionTokens, cachedTokens, cacheWriteTokens };
    });
  fc.assert(
    fc.property(tokens, (used) => {
      const billed = priceOf(DEAR, used);
      expect(listNanoUsd(price, used)).toBeGreaterThanOrEqual(billed);
      const worst = { promptTokens: used.promptTokens, maxOutputTokens: used.completionTokens };
      expect(worstCaseNanoUsd(price, worst)).toBeGreaterThanOrEqual(billed);
    }),
  );
});

test.each([
  ['reported', undefined],
  ['estimated', { kind: 'cost' } as const],
])('a cost that is %s is what was billed', async (kind, fault) => {
  const { server, model } = await pair(
    { text: 'x'.repeat(50), ...(fault && { fault }) },
    { models: [CHEAP] },
  );
  const { cost } = await call(model, { model: CHEAP.id });
  expect(cost).toEqual({ kind, nanoUsd: server.ledger[0]?.costNanoUsd });
});

test('a hit costs nothing and names its source, whose bill can be asked for', async () => {
  const { server, model } = await pair({ text: 'x' }, { generationMisses: 0 });
  const first = await call(model);
  const again = await call(model);
  expect(first).toMatchObject({ cached: false, cacheSourceId: null });
  expect(again).toMatchObject({
    cached: true,
    cacheSourceId: first.generationId,
    cost: { kind: 'reported', nanoUsd: 0 },
    usage: { promptTokens: 0, completionTokens: 0, cachedTokens: 0 },
  });
  const { signal } = new AbortController();
  const [bill] = server.ledger;
  expect(await model.generation(first.generationId ?? '', signal)).toEqual({
    costNanoUsd: bill?.costNanoUsd,
    promptTokens: bill?.promptTokens,
    completionTokens: bill?.completionTokens,
  });
  expect(await model.generation(again.generationId ?? '', signal)).toMatchObject({ costNanoUsd: 0 });
});

test('a generation is not known at first, and then with what a broken call cost', async () => {
  const models = [{ ...DEAR, byok: true }];
  const { server, model } = await pair(
    { text: 'x'.repeat(64), fault: { kind: 'reset', afterChunks: 3 } },
    { models, generationMisses: 1 },
  );
  const error: unknown = await call(model).catch((thrown: unknown) => thrown);
  await server.idle();
  const [bill] = server.ledger;
  expect(error).toMatchObject({ code: 'MODEL_UNREACHABLE', details: { generationId: bill?.id } });
  const { signal } = new AbortController();
  expect(await model.generation(bill?.id ?? '', signal)).toBeNull();
  expect(await model.generation(bill?.id ?? '', signal)).toMatchObject({ costNanoUsd: bill?.costNanoUsd });
  expect(bill?.costNanoUsd).toBeGreaterThan(0);
});

describe('the highest price', () => {
  const maxPriceOf = async (model: ModelPort): Promise<NonNullable<ModelRequest['maxPrice']>> => {
    const price = (await model.describe(DEAR.id))?.price;
    if (!price) throw new Error('no price');
    const { promptNanoUsdPerMillion, completionNanoUsdPerMillion, requestNanoUsd } = price;
    return { promptNanoUsdPerMillion, completionNanoUsdPerMillion, requestNanoUsd };
  };

  test('that is read from the list lets a model answer', async () => {
    const { model } = await pair({ text: 'x' });
    expect(await call(model, { maxPrice: await maxPriceOf(model) })).toMatchObject({ text: 'x' });
  });

  test.each(['promptNanoUsdPerMillion', 'completionNanoUsdPerMillion', 'requestNanoUsd'] as const)(
    'keeps a model from answering when its %s went up, and nothing is billed',
    async (name) => {
      const { server, model } = await pair({ text: 'x' });
      const maxPrice = await maxPriceOf(model);
      await expect(
        call(model, { maxPrice: { ...maxPrice, [name]: maxPrice[name] - 1 } }),
      ).rejects.toMatchObject({
        code: 'MODEL_BAD_REQUEST',
        retryable: false,
        details: { status: 404, availability: 'constraint_filtered', unbilled: true },
      });
      expect(server.ledger).toEqual([]);
    },
  );

  test('leaves the cheaper of two to answer', async () => {
    const { model } = await pair({ text: 'x' });
    const maxPrice = { promptNanoUsdPerMillion: 1e6, completionNanoUsdPerMillion: 2e6, requestNanoUsd: 0 };
    expect(await call(model, { models: [CHEAP.id], maxPrice })).toMatchObject({ model: CHEAP.id });
  });
});

test('a refusal for too many requests says when to come back, and that it cost nothing', async () => {
  const { model } = await pair({ text: 'x' }, { rateLimit: { perSecond: 0, retryAfterSeconds: 9 } });
  await expect(call(model)).rejects.toMatchObject({
    code: 'MODEL_RATE_LIMITED',
    retryable: true,
    details: { status: 429, delayMs: 9_000, unbilled: true },
  });
});
