import { checkPrices } from '../../src/activities/price-check.js';
import type { RunSettings } from '../../src/contract/queries.js';
import { ASSUMED_PRICE } from '../../src/core/behaviour.js';
import { AgentError } from '../../src/core/errors.js';
import type { ModelPrice } from '../../src/core/money/price.js';
import type { ModelFacts, UnpricedModels } from '../../src/core/run-input.js';
import type { ModelPort } from '../../src/ports/model.js';
import { ANSWER, callModel, event, type Answering } from './support/model-call.js';
import { endOf } from './support/endings.js';
import { PREPARED } from './support/activity-world.js';

const priceOf = (prompt: number, completion: number, more: Partial<ModelPrice> = {}): ModelPrice => ({
  promptNanoUsdPerMillion: prompt,
  completionNanoUsdPerMillion: completion,
  requestNanoUsd: 0,
  ...more,
});
const factsOf = (price: ModelPrice | null, more: Partial<ModelFacts> = {}): ModelFacts => ({
  price,
  maxOutputTokens: null,
  contextLength: null,
  ...more,
});
const lockAt = (prompt: number, completion: number, request = 0) => ({
  promptNanoUsdPerMillion: prompt,
  completionNanoUsdPerMillion: completion,
  requestNanoUsd: request,
});

const A = 'maker/first';
const B = 'maker/second';
const PRICE = priceOf(100, 200);
const DEARER = priceOf(100, 201);

type Known = Record<string, ModelFacts>;
type Listed = Record<string, ModelPrice | null | undefined>;

function describing(list: Listed): ModelPort['describe'] {
  return async (id) => {
    const price = list[id];
    return price === undefined ? undefined : { id, price, contextLength: null, maxOutputTokens: null };
  };
}

/** Checks models of a run that knows one thing at first, and another when it is asked again. */
async function check(
  known: Known | Known[],
  list: Listed | ModelPort['describe'],
  { asked = [A], unpricedModels = 'refuse' }: { asked?: string[]; unpricedModels?: UnpricedModels } = {},
) {
  const answers = [known].flat();
  const reads: boolean[] = [];
  const read = async ({ fresh }: { fresh: boolean }): Promise<RunSettings> => {
    reads.push(fresh);
    const modelFacts = answers[reads.length - 1] ?? answers.at(-1) ?? {};
    const prepared = { ...PREPARED, modelFacts, unpricedModels };
    return { runId: 'r', firstRunId: 'f', input: { goal: 'x' }, prepared };
  };
  const port: ModelPort = {
    call: () => Promise.reject(new Error('Checking asks no model.')),
    describe: typeof list === 'function' ? list : describing(list),
    checkKey: async () => ({ limitRemainingUsd: null }),
    generation: async () => null,
  };
  const maxPrice = await checkPrices(asked, read, port).catch((error: unknown) => error);
  return { maxPrice, reads };
}

describe('a price of today', () => {
  it('that is what the run knows is locked, without a second look at the run', async () => {
    expect(await check({ [A]: factsOf(PRICE) }, { [A]: PRICE })).toEqual({
      maxPrice: lockAt(100, 200),
      reads: [false],
    });
  });

  it('that is lower does not change what was reserved', async () => {
    const { maxPrice, reads } = await check({ [A]: factsOf(PRICE) }, { [A]: priceOf(1, 2) });
    expect(maxPrice).toEqual(lockAt(100, 200));
    expect(reads).toEqual([false]);
  });

  it('that is higher is told, after the run was asked once more', async () => {
    const { maxPrice, reads } = await check({ [A]: factsOf(PRICE) }, { [A]: DEARER });
    expect(maxPrice).toMatchObject({
      code: 'PRICE_CHANGED',
      retryable: true,
      details: { prices: { [A]: DEARER } },
    });
    expect(reads).toEqual([false, true]);
  });

  it.each<[string, ModelPrice]>([
    ['for a request', priceOf(100, 200, { requestNanoUsd: 1 })],
    ['from some size of the prompt on', priceOf(100, 200, { tiers: [{ ...DEARER, minPromptTokens: 9 }] })],
    ['for what goes into the cache', priceOf(100, 200, { cacheWriteNanoUsdPerMillion: 101 })],
  ])('that is higher only %s is told too', async (_what, price) => {
    const { maxPrice } = await check({ [A]: factsOf(PRICE) }, { [A]: price });
    expect(maxPrice).toMatchObject({ code: 'PRICE_CHANGED', details: { prices: { [A]: price } } });
  });

  it('that the run has learned meanwhile is locked', async () => {
    const known = [{ [A]: factsOf(PRICE) }, { [A]: factsOf(DEARER) }];
    expect(await check(known, { [A]: DEARER })).toEqual({ maxPrice: lockAt(100, 201), reads: [false, true] });
  });

  it.each<[string, Known]>([
    ['of a model that nothing is known of', {}],
    ['of a model without a price', { [A]: factsOf(null) }],
  ])('is told when it is the first one (%s)', async (_what, known) => {
    const { maxPrice } = await check(known, { [A]: PRICE });
    expect(maxPrice).toMatchObject({ code: 'PRICE_CHANGED', details: { prices: { [A]: PRICE } } });
  });

  it('is told of those models only that became dearer', async () => {
    const known = { [A]: factsOf(PRICE), [B]: factsOf(PRICE) };
    const { maxPrice } = await check(known, { [A]: PRICE, [B]: DEARER }, { asked: [A, B] });
    expect(maxPrice).toMatchObject({ details: { prices: { [B]: DEARER } } });
    expect(maxPrice).not.toMatchObject({ details: { prices: { [A]: expect.anything() } } });
  });
});

describe('a list of prices that', () => {
  const known = { [A]: factsOf(PRICE) };

  it.each<[string, ModelPort['describe']]>([
    ['cannot be had', () => Promise.reject(new AgentError('MODEL_UNREACHABLE', 'Nobody there.'))],
    ['is not there', async () => undefined],
    ['has lost the model', async () => null],
    ['names no price', describing({ [A]: null })],
  ])('%s now changes nothing', async (_what, describe) => {
    expect(await check(known, describe)).toEqual({ maxPrice: lockAt(100, 200), reads: [false] });
  });
});

describe('no price is locked in a run that allows for assumed ones', () => {
  const unpricedModels = 'estimate';

  it.each<[string, Known, Listed]>([
    ['that is assumed', { [A]: factsOf(ASSUMED_PRICE, { assumed: true }) }, {}],
    [
      'that is assumed and above that of the list',
      { [A]: factsOf(DEARER, { assumed: true }) },
      { [A]: PRICE },
    ],
    ['when the run knows none', { [A]: factsOf(null) }, { [A]: null }],
    ['when the run knows nothing of the model', {}, {}],
  ])('%s', async (_what, known, list) => {
    expect((await check(known, list, { unpricedModels })).maxPrice).toBeUndefined();
  });

  it.each<[string, ModelFacts | undefined]>([
    ['is assumed', factsOf(DEARER, { assumed: true })],
    ['is not known', factsOf(null)],
    ['is missing', undefined],
  ])('when that of one of several models %s', async (_what, other) => {
    const known = { [A]: factsOf(PRICE), ...(other && { [B]: other }) };
    expect((await check(known, {}, { asked: [A, B], unpricedModels })).maxPrice).toBeUndefined();
  });
});

describe('a run that takes no assumed price', () => {
  const FREE = priceOf(0, 0);
  const away = () => Promise.reject(new AgentError('MODEL_UNREACHABLE', 'Nobody there.'));
  const lacking: [string, ModelFacts | undefined][] = [
    ['an assumed price', factsOf(FREE, { assumed: true })],
    ['a high assumed price', factsOf(ASSUMED_PRICE, { assumed: true })],
    ['no price', factsOf(null)],
    ['nothing', undefined],
  ];
  const problems: [string, ModelPort['describe'], object][] = [
    ['cannot be read', away, { code: 'MODEL_UNREACHABLE', retryable: true, message: 'Nobody there.' }],
    ['lacks the model', async () => null, { code: 'MODEL_BAD_REQUEST', retryable: false }],
    ['names no price', describing({ [A]: null }), { code: 'PRICE_UNKNOWN', retryable: false }],
    ['is not there', async () => undefined, { code: 'PRICE_UNKNOWN', retryable: false }],
    [
      'is refused',
      () => Promise.reject(new AgentError('MODEL_AUTH', 'No.')),
      { code: 'MODEL_AUTH', retryable: false },
    ],
  ];
  const cases = lacking.flatMap(([what, facts]) =>
    problems.map(([problem, list, error]) => ({ what, problem, facts, list, error })),
  );

  it.each(cases)('and knows $what does not go on while the list $problem', async ({ facts, list, error }) => {
    const { maxPrice, reads } = await check(facts ? { [A]: facts } : {}, list);
    expect(maxPrice).toBeInstanceOf(AgentError);
    expect(maxPrice).toMatchObject(error);
    expect(reads).toEqual([false, true]);
  });

  it.each(lacking)('and knows %s is told any price, be it none at all', async (_what, facts) => {
    for (const price of [FREE, PRICE]) {
      const { maxPrice } = await check(facts ? { [A]: facts } : {}, { [A]: price });
      expect(maxPrice).toMatchObject({ code: 'PRICE_CHANGED', details: { prices: { [A]: price } } });
    }
  });

  it('does not go on for want of the price of a single model', async () => {
    const known = { [A]: factsOf(PRICE), [B]: factsOf(FREE, { assumed: true }) };
    const { maxPrice } = await check(known, { [A]: DEARER, [B]: null }, { asked: [A, B] });
    expect(maxPrice).toMatchObject({ code: 'PRICE_UNKNOWN', message: expect.stringContaining(B) });
  });

  it('goes on at a price that it has learned meanwhile, though the list is away', async () => {
    const known = [{ [A]: factsOf(FREE, { assumed: true }) }, { [A]: factsOf(PRICE) }];
    expect((await check(known, away)).maxPrice).toEqual(lockAt(100, 200));
  });
});

describe('the locked price is the highest', () => {
  it('of each kind among all models that may answer', async () => {
    const known = {
      [A]: factsOf(priceOf(100, 200, { requestNanoUsd: 7 })),
      [B]: factsOf(priceOf(50, 900)),
    };
    expect((await check(known, {}, { asked: [A, B] })).maxPrice).toEqual(lockAt(100, 900, 7));
  });

  it('of all sizes of the prompt', async () => {
    const tiers = [
      { ...priceOf(100, 400), minPromptTokens: 1_000 },
      { ...priceOf(300, 250), minPromptTokens: 2_000 },
    ];
    const known = { [A]: factsOf(priceOf(100, 200, { tiers })), [B]: factsOf(priceOf(150, 100)) };
    expect((await check(known, {}, { asked: [A, B] })).maxPrice).toEqual(lockAt(300, 400));
  });

  it('also where a larger prompt is cheaper', async () => {
    const tiers = [{ ...priceOf(10, 20), minPromptTokens: 1_000 }];
    expect((await check({ [A]: factsOf(priceOf(100, 200, { tiers })) }, {})).maxPrice).toEqual(
      lockAt(100, 200),
    );
  });
});

describe('the model activity', () => {
  const RESERVED = { attempt: 1, maxOutputTokens: 500, reservedNanoUsd: 1_000 };
  const bothAt = (price: ModelPrice, more: Partial<ModelFacts> = {}) => ({
    [A]: factsOf(price, more),
    [B]: factsOf(price, more),
  });
  const filtered: Answering = () =>
    Promise.reject(
      new AgentError('MODEL_BAD_REQUEST', 'None that fits.', {
        details: { availability: 'constraint_filtered', status: 404, unbilled: true },
      }),
    );

  function metered(
    answering: Answering,
    options: { facts?: Known; list?: Listed | ModelPort['describe']; input?: object } = {},
  ) {
    const { facts = bothAt(PRICE), list = {}, input = RESERVED } = options;
    return callModel(answering, {
      input,
      describe: typeof list === 'function' ? list : describing(list),
      arrange: (run) => {
        run.current = { ...run.current, prepared: { ...PREPARED, models: [B], modelFacts: facts } };
      },
    });
  }

  it('sends the lock with a call that was reserved for', async () => {
    const { result, sent } = metered(async () => ANSWER, {
      facts: { [A]: factsOf(PRICE), [B]: factsOf(DEARER) },
    });
    await result;
    expect(sent[0]).toMatchObject({ model: A, models: [B], maxPrice: lockAt(100, 201) });
  });

  it('asks only about the model that it calls, when that is a fallback', async () => {
    const facts = { [A]: factsOf(null), [B]: factsOf(PRICE) };
    const { result, sent } = metered(async () => ANSWER, { facts, input: { ...RESERVED, model: B } });
    await result;
    expect(sent[0]).toMatchObject({ model: B, maxPrice: lockAt(100, 200) });
    expect(sent[0]).not.toHaveProperty('models');
  });

  it('does not look at prices when nothing was reserved', async () => {
    const { result, sent } = metered(async () => ANSWER, { list: { [A]: DEARER }, input: {} });
    await result;
    expect(sent[0]).not.toHaveProperty('maxPrice');
  });

  it('sends nothing when a model became dearer, and names the prices', async () => {
    const call = metered(async () => ANSWER, { list: { [A]: PRICE, [B]: DEARER } });
    const { outcome, trace } = await endOf(call.result);
    expect(outcome).toEqual({
      kind: 'failed',
      code: 'PRICE_CHANGED',
      message: expect.stringContaining(B),
      retryable: true,
      details: { unsent: true, prices: { [B]: DEARER } },
    });
    expect(trace).toEqual({ mayHaveCost: false });
    expect(call.sent).toHaveLength(0);
    expect(call.run.told).toEqual([]);
    expect(call.run.asked.filter((question) => question === 'settings')).toHaveLength(2);
  });

  it('sends nothing at an assumed price while the list is away', async () => {
    const call = metered(async () => ANSWER, {
      facts: bothAt(PRICE, { assumed: true }),
      list: () =>
        Promise.reject(new AgentError('MODEL_UNREACHABLE', 'Nobody there.', { details: { delayMs: 9 } })),
    });
    const { outcome, trace } = await endOf(call.result);
    expect(outcome).toEqual({
      kind: 'failed',
      code: 'MODEL_UNREACHABLE',
      message: 'Nobody there.',
      retryable: true,
      details: { unsent: true, delayMs: 9 },
    });
    expect(trace).toEqual({ mayHaveCost: false });
    expect(call.sent).toHaveLength(0);
  });

  it('can be called off while the list does not come', async () => {
    const asked = event();
    const call = metered(async () => ANSWER, {
      list: () => {
        asked.happen();
        return new Promise(() => undefined);
      },
    });
    await asked.happened;
    call.environment.cancel('CANCELLED');
    const { outcome, trace } = await endOf(call.result);
    expect([outcome.kind, trace]).toEqual(['cancelled', { mayHaveCost: false }]);
    expect(call.sent).toHaveLength(0);
  });

  it('tries again when nobody answers at the locked price', async () => {
    const { outcome, trace } = await endOf(metered(filtered).result);
    expect(outcome).toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      message: 'None that fits.',
      retryable: true,
      details: { availability: 'constraint_filtered', status: 404 },
    });
    expect(trace).toEqual({ mayHaveCost: false });
  });

  it('fails for good when nobody answers, whatever the price', async () => {
    const { outcome } = await endOf(metered(filtered, { input: {} }).result);
    expect(outcome).toMatchObject({ code: 'MODEL_BAD_REQUEST', retryable: false });
  });
});
