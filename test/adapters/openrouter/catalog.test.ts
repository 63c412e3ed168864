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

function catalogOf(...bodies: (JsonValue | undefined | Error)[]) {
  const state = { asked: 0, nowMs: 0 };
  const catalog = createCatalog(
    async () => {
      const body = bodies[Math.min(state.asked++, bodies.length - 1)];
      if (body instanceof Error) throw body;
      return body;
    },
    () => state.nowMs,
  );
  return { catalog, state };
}

const find = (body: JsonValue | undefined, model: string) => catalogOf(body).catalog.find(model);

describe('the catalog', () => {
  it('knows length, limit and price of a model', async () => {
    expect((await find({ data: [MODEL] }, 'openai/gpt-4'))?.info).toEqual({
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
    expect((await find({ data: [MODEL] }, name))?.info.id).toBe('openai/gpt-4');
  });

  it('prefers a variant that is listed', async () => {
    const free = { ...MODEL, id: 'openai/gpt-4:free', pricing: { prompt: '0', completion: '0' } };
    expect((await find({ data: [free, MODEL] }, 'openai/gpt-4:free'))?.info.price).toMatchObject({
      promptNanoUsdPerMillion: 0,
    });
  });

  it.each([0, 1])(
    'takes a shared slug for the plain model, wherever its variant is listed (%d)',
    async (place) => {
      const data: JsonValue[] = [MODEL];
      data.splice(place, 0, { ...MODEL, id: 'openai/gpt-4:free' });
      expect((await find({ data }, 'openai/gpt-4-0613'))?.info.id).toBe('openai/gpt-4');
    },
  );

  it('tells a model that is not listed from a server without a list', async () => {
    expect(await find({ data: [MODEL] }, 'openai/gpt-5')).toBeNull();
    expect(await find(undefined, 'openai/gpt-4')).toBeUndefined();
    expect(await find({ message: 'hello' }, 'openai/gpt-4')).toBeUndefined();
  });

  it.each([
    ['no pricing', { id: 'm' }],
    ['a router', { id: 'm', pricing: { prompt: '-1', completion: '-1' } }],
    ['half a price', { id: 'm', pricing: { prompt: '1' } }],
  ])('knows no price with %s', async (_name, model) => {
    expect((await find({ data: [model] }, 'm'))?.info).toEqual({
      id: 'm',
      contextLength: null,
      maxOutputTokens: null,
      price: null,
    });
  });

  it('asks once for all that ask at the same time, and again after 10 minutes', async () => {
    const { catalog, state } = catalogOf({ data: [MODEL] });
    await Promise.all([catalog.find('a'), catalog.find('b'), catalog.find('c')]);
    state.nowMs = 10 * MINUTE_MS - 1;
    await catalog.find('a');
    expect(state.asked).toBe(1);
    state.nowMs = 10 * MINUTE_MS;
    await catalog.find('a');
    expect(state.asked).toBe(2);
  });

  it('does not keep a failure', async () => {
    const { catalog } = catalogOf(new Error('down'), { data: [MODEL] });
    await expect(catalog.find('openai/gpt-4')).rejects.toThrow('down');
    expect((await catalog.find('openai/gpt-4'))?.info.contextLength).toBe(8192);
  });
});
