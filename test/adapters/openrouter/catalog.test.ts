import { createCatalog } from '../../../src/adapters/openrouter/catalog.js';
import type { JsonValue } from '../../../src/core/json.js';

const MODEL = {
  id: 'openai/gpt-4',
  canonical_slug: 'openai/gpt-4-0613',
  context_length: 8192,
  pricing: { prompt: '0.00003', completion: '0.0000000125', request: '0' },
  top_provider: { max_completion_tokens: 4096 },
};

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

function catalogOf(...bodies: (JsonValue | undefined | Error)[]) {
  const state = { asked: 0, nowMs: 0 };
  const catalog = createCatalog({
    fetchList: async () => {
      const body = bodies[Math.min(state.asked++, bodies.length - 1)];
      if (body instanceof Error) throw body;
      return body;
    },
    nowMs: () => state.nowMs,
  });
  return { catalog, state };
}

const find = (body: JsonValue | undefined, model: string) => catalogOf(body).catalog.find(model);

describe('the catalog', () => {
  it('knows length, limit and price of a model', async () => {
    expect(await find({ data: [MODEL] }, 'openai/gpt-4')).toEqual({
      id: 'openai/gpt-4',
      contextLength: 8192,
      maxOutputTokens: 4096,
      price: {
        promptNanoUsdPerMillion: 30_000_000_000,
        completionNanoUsdPerMillion: 12_500_000,
        requestNanoUsd: 0,
      },
    });
  });

  it.each(['openai/gpt-4-0613', 'openai/gpt-4:nitro'])('finds a model under %s', async (name) => {
    expect((await find({ data: [MODEL] }, name))?.id).toBe('openai/gpt-4');
  });

  it('prefers a variant that is listed', async () => {
    const free = { ...MODEL, id: 'openai/gpt-4:free', pricing: { prompt: '0', completion: '0' } };
    expect((await find({ data: [free, MODEL] }, 'openai/gpt-4:free'))?.price).toMatchObject({
      promptNanoUsdPerMillion: 0,
    });
  });

  it.each([0, 1])(
    'takes a shared slug for the plain model, wherever its variant is listed (%d)',
    async (place) => {
      const data: JsonValue[] = [MODEL];
      data.splice(place, 0, { ...MODEL, id: 'openai/gpt-4:free' });
      expect((await find({ data }, 'openai/gpt-4-0613'))?.id).toBe('openai/gpt-4');
    },
  );

  it('tells a model that is not listed from a server without a list', async () => {
    expect(await find({ data: [MODEL] }, 'openai/gpt-5')).toBeNull();
    expect(await find(undefined, 'openai/gpt-4')).toBeUndefined();
    expect(await find({ message: 'hello' }, 'openai/gpt-4')).toBeUndefined();
  });

  it('reads the lists of other servers', async () => {
    const vllm = { object: 'list', data: [{ id: 'my/model', object: 'model', max_model_len: 32_768 }] };
    expect(await find(vllm, 'my/model')).toEqual({
      id: 'my/model',
      contextLength: 32_768,
      maxOutputTokens: null,
      price: null,
    });
    const ollama = { object: 'list', data: [{ id: 'llama3.2:latest', object: 'model' }] };
    expect(await find(ollama, 'llama3.2')).toMatchObject({ id: 'llama3.2:latest' });
    expect(await find(ollama, 'llama3')).toBeNull();
  });

  it.each([
    ['no pricing', { id: 'm' }],
    ['a router', { id: 'm', pricing: { prompt: '-1', completion: '-1' } }],
    ['half a price', { id: 'm', pricing: { prompt: '1' } }],
  ])('knows no price with %s', async (_name, model) => {
    expect(await find({ data: [model] }, 'm')).toEqual({
      id: 'm',
      contextLength: null,
      maxOutputTokens: null,
      price: null,
    });
  });

  it('asks once for all that ask at the same time, and again after 10 minutes', async () => {
    const { catalog, state } = catalogOf({ data: [MODEL] });
    await Promise.all([catalog.find('openai/gpt-4'), catalog.find('b'), catalog.find('c')]);
    state.nowMs = 10 * MINUTE_MS - 1;
    await catalog.find('openai/gpt-4');
    expect(state.asked).toBe(1);
    state.nowMs = 10 * MINUTE_MS;
    await catalog.find('openai/gpt-4');
    expect(state.asked).toBe(2);
  });

  it('does not keep a failure', async () => {
    const { catalog } = catalogOf(new Error('down'), { data: [MODEL] });
    await expect(catalog.find('openai/gpt-4')).rejects.toThrow('down');
    expect((await catalog.find('openai/gpt-4'))?.contextLength).toBe(8192);
  });

  it.each([
    ['fails', new Error('down')],
    ['brings no list', '<html>'],
  ])('uses the old list for a day when a refresh %s, and asks again every minute', async (_name, trouble) => {
    const { catalog, state } = catalogOf({ data: [MODEL] }, trouble, trouble, { data: [] });
    await catalog.find('openai/gpt-4');
    state.nowMs = 10 * MINUTE_MS;
    expect(await catalog.price('openai/gpt-4')).toMatchObject({ requestNanoUsd: 0 });
    state.nowMs = 11 * MINUTE_MS - 1;
    await catalog.find('openai/gpt-4');
    expect(state.asked).toBe(2);
    state.nowMs = DAY_MS - 1;
    expect(await catalog.find('openai/gpt-4')).toMatchObject({ contextLength: 8192 });
    expect(state.asked).toBe(3);
    state.nowMs = DAY_MS + MINUTE_MS;
    expect(await catalog.find('openai/gpt-4')).toBeNull();
  });

  it('knows nothing any more once the old list is a day old', async () => {
    const { catalog, state } = catalogOf({ data: [MODEL] }, new Error('down'));
    await catalog.find('openai/gpt-4');
    state.nowMs = DAY_MS;
    await expect(catalog.find('openai/gpt-4')).rejects.toThrow('down');
    expect(await catalog.price('openai/gpt-4')).toBeNull();
  });

  it('knows no price of a variant that searches the web, which is billed apart', async () => {
    const { catalog } = catalogOf({ data: [MODEL] });
    expect(await catalog.find('openai/gpt-4:online')).toMatchObject({ contextLength: 8192, price: null });
  });
});

describe('a model that the list lacks', () => {
  const NEW = { ...MODEL, id: 'openai/gpt-5', canonical_slug: 'openai/gpt-5-1' };

  it('is found as soon as the server lists it, unless the list was read right before', async () => {
    const { catalog, state } = catalogOf({ data: [MODEL] }, { data: [MODEL, NEW] });
    expect(await catalog.find('openai/gpt-5')).toBeNull();
    state.nowMs = 9_999;
    expect(await catalog.find('openai/gpt-5')).toBeNull();
    expect(state.asked).toBe(1);
    state.nowMs = 10_000;
    expect(await catalog.find('openai/gpt-5')).toMatchObject({ id: 'openai/gpt-5' });
    expect(state.asked).toBe(2);
  });

  it('costs no request for each asker and name', async () => {
    const { catalog, state } = catalogOf({ data: [MODEL] });
    await catalog.find('openai/gpt-4');
    state.nowMs = MINUTE_MS;
    const found = await Promise.all(['a', 'a', 'b'].map((name) => catalog.find(name)));
    state.nowMs += 9_999;
    expect([...found, await catalog.find('c')]).toEqual([null, null, null, null]);
    expect(state.asked).toBe(2);
  });

  it('is asked about no more for its price than any other', async () => {
    const { catalog, state } = catalogOf({ data: [MODEL] }, { data: [MODEL, NEW] });
    expect(await catalog.price('openai/gpt-5')).toBeNull();
    state.nowMs = MINUTE_MS;
    expect(await catalog.price('openai/gpt-5')).toBeNull();
    expect(state.asked).toBe(1);
  });

  it('does not count as missing while the list cannot be read anew; what it has stays known', async () => {
    const { catalog, state } = catalogOf({ data: [MODEL] }, new Error('down'), { data: [MODEL, NEW] });
    await catalog.find('openai/gpt-4');
    state.nowMs = MINUTE_MS;
    await expect(catalog.find('openai/gpt-5')).rejects.toThrow('down');
    await expect(catalog.find('openai/gpt-5')).rejects.toThrow('down');
    expect(await catalog.find('openai/gpt-4')).toMatchObject({ contextLength: 8192 });
    expect(state.asked).toBe(2);
    state.nowMs += 10_000;
    expect(await catalog.find('openai/gpt-5')).toMatchObject({ id: 'openai/gpt-5' });
  });

  it('is not told from others when the server has stopped to list any', async () => {
    const { catalog, state } = catalogOf({ data: [MODEL] }, undefined);
    await catalog.find('openai/gpt-4');
    state.nowMs = MINUTE_MS;
    expect(await catalog.find('openai/gpt-5')).toBeUndefined();
  });
});

describe('a configured price', () => {
  const price = { promptNanoUsdPerMillion: 1, completionNanoUsdPerMillion: 2, requestNanoUsd: 3 };
  const withPrices = (fetchList: () => Promise<JsonValue | undefined>) =>
    createCatalog({ fetchList, prices: { 'openai/gpt-4': price, 'my/model': price } });

  it('wins over the list, for variants too', async () => {
    const catalog = withPrices(async () => ({ data: [MODEL] }));
    expect(await catalog.find('openai/gpt-4')).toEqual({
      id: 'openai/gpt-4',
      contextLength: 8192,
      maxOutputTokens: 4096,
      price,
    });
    expect(await catalog.price('openai/gpt-4:nitro')).toEqual(price);
    expect(await catalog.price('openai/gpt-4:online')).toBeNull();
  });

  it.each<[string, () => Promise<JsonValue | undefined>]>([
    ['the list has no such model', async () => ({ data: [] })],
    ['the server has no list', async () => undefined],
    ['the list cannot be had', () => Promise.reject(new Error('down'))],
  ])('makes a model known where %s', async (_name, fetchList) => {
    expect(await withPrices(fetchList).find('my/model')).toEqual({
      id: 'my/model',
      contextLength: null,
      maxOutputTokens: null,
      price,
    });
  });

  it('is not taken from the nature of objects', async () => {
    expect(await withPrices(async () => ({ data: [] })).find('constructor')).toBeNull();
  });
});
