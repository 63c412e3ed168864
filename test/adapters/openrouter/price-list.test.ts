import fc from 'fast-check';
import { readPrice } from '../../../src/adapters/openrouter/price-list.js';
import type { JsonValue } from '../../../src/core/json.js';
import { listNanoUsd } from '../../../src/core/money/price.js';

const BASE = { prompt: '0.000003', completion: '0.000015' };
const PRICE = {
  promptNanoUsdPerMillion: 3_000_000_000,
  completionNanoUsdPerMillion: 15_000_000_000,
  requestNanoUsd: 0,
};
const withOverrides = (...overrides: JsonValue[]) => readPrice({ ...BASE, overrides });

describe('a price of the list', () => {
  it('is read whole', () => {
    const pricing = {
      ...BASE,
      request: '0.01',
      image: '0.0048',
      audio: '0.000001',
      web_search: '0.01',
      internal_reasoning: '0.00002',
      input_cache_read: '0.0000003',
      input_cache_write: '0.00000375',
      input_cache_write_1h: '0.000006',
      discount: 0.1,
    };
    expect(readPrice(pricing)).toEqual({
      ...PRICE,
      completionNanoUsdPerMillion: 20_000_000_000,
      requestNanoUsd: 10_000_000,
      imageNanoUsd: 4_800_000,
      audioNanoUsdPerMillion: 1_000_000_000,
      cacheReadNanoUsdPerMillion: 300_000_000,
      cacheWriteNanoUsdPerMillion: 3_750_000_000,
    });
  });

  it('takes 0 and null for what is not billed apart, but for tokens, which may be free', () => {
    const none = { request: '0', image: '0', audio: '0', input_cache_read: '0', input_cache_write: null };
    expect(readPrice({ ...BASE, ...none })).toEqual(PRICE);
    expect(readPrice({ prompt: '0', completion: '0' })).toEqual({
      promptNanoUsdPerMillion: 0,
      completionNanoUsdPerMillion: 0,
      requestNanoUsd: 0,
    });
  });

  it.each<[string, JsonValue | undefined]>([
    ['there is none', undefined],
    ['it is a text', '1'],
    ['a router says -1', { prompt: '-1', completion: '-1' }],
    ['half of it is missing', { prompt: '1' }],
    ['only an override names the other half', { prompt: '1', overrides: [{ completion: '1' }] }],
    ...['request', 'image', 'audio', 'internal_reasoning', 'input_cache_read', 'input_cache_write'].flatMap(
      (name): [string, JsonValue][] => [
        [`${name} is a word`, { ...BASE, [name]: 'varies' }],
        [`${name} is -1`, { ...BASE, [name]: '-1' }],
      ],
    ),
    ['it is beyond all numbers', { ...BASE, prompt: '100000' }],
  ])('is unknown when %s', (_name, pricing) => {
    expect(readPrice(pricing)).toBeNull();
  });
});

describe('the overrides of a price', () => {
  it('become tiers that begin above their size, smallest first, with the base where they say nothing', () => {
    const pricing = {
      ...BASE,
      input_cache_read: '0.0000003',
      overrides: [
        { min_prompt_tokens: 500_000, prompt: '0.00001' },
        {
          min_prompt_tokens: 200_000,
          prompt: '0.000006',
          completion: '0.0000225',
          input_cache_write: '0.0000075',
        },
      ],
    };
    expect(readPrice(pricing)?.tiers).toEqual([
      {
        minPromptTokens: 200_001,
        promptNanoUsdPerMillion: 6_000_000_000,
        completionNanoUsdPerMillion: 22_500_000_000,
        cacheReadNanoUsdPerMillion: 300_000_000,
        cacheWriteNanoUsdPerMillion: 7_500_000_000,
      },
      {
        minPromptTokens: 500_001,
        // Both apply, and of those that apply the later one wins.
        promptNanoUsdPerMillion: 6_000_000_000,
        completionNanoUsdPerMillion: 22_500_000_000,
        cacheReadNanoUsdPerMillion: 300_000_000,
        cacheWriteNanoUsdPerMillion: 7_500_000_000,
      },
    ]);
  });

  it('keep internal reasoning in view', () => {
    const pricing = {
      ...BASE,
      internal_reasoning: '0.00002',
      overrides: [{ min_prompt_tokens: 1, completion: '0.000018' }],
    };
    expect(readPrice(pricing)?.tiers?.[0]?.completionNanoUsdPerMillion).toBe(20_000_000_000);
  });

  it.each([{ utc_start: 100, utc_end: 400 }, { utc_days: ['monday'] }, { phase_of_moon: 'full' }])(
    'count when they are dearer and only at times: %j',
    (condition) => {
      expect(withOverrides({ ...condition, prompt: '0.000005', completion: '0.000001' })).toEqual({
        ...PRICE,
        promptNanoUsdPerMillion: 5_000_000_000,
      });
      expect(withOverrides({ ...condition, min_prompt_tokens: 9, prompt: '0.000005' })).toEqual({
        ...PRICE,
        tiers: [
          {
            minPromptTokens: 10,
            promptNanoUsdPerMillion: 5_000_000_000,
            completionNanoUsdPerMillion: 15_000_000_000,
          },
        ],
      });
    },
  );

  it('without any condition are the price', () => {
    expect(withOverrides({ prompt: '0.000001' })).toEqual({
      ...PRICE,
      promptNanoUsdPerMillion: 1_000_000_000,
    });
  });

  it.each<[string, JsonValue]>([
    ['are no list', {}],
    ['hold no object', ['x']],
    ['hold a price that is a word', [{ min_prompt_tokens: 1, prompt: 'varies' }]],
    ['hold a price of -1', [{ min_prompt_tokens: 1, prompt: '-1' }]],
    ['begin at a word', [{ min_prompt_tokens: '1', prompt: '1' }]],
    ['begin below 0', [{ min_prompt_tokens: -1, prompt: '1' }]],
    ['begin beyond all numbers', [{ min_prompt_tokens: 1e300, prompt: '1' }]],
  ])('make the price unknown when they %s', (_name, overrides) => {
    expect(readPrice({ ...BASE, overrides })).toBeNull();
  });
});

describe('what is counted', () => {
  /** Dollars a token as text, and in units of 10^-15 dollars. */
  const rate = fc
    .bigInt({ min: 0n, max: 10n ** 11n })
    .map((femto) => ({ femto, text: `0.${String(femto).padStart(15, '0')}` }));
  const count = fc.integer({ min: 0, max: 2_000_000 });

  it('is never lower than the exact decimal, and at most a nano-dollar a rounding above it', () => {
    const inputs = fc.record({
      prompt: rate,
      completion: rate,
      request: rate,
      longPrompt: rate,
      longCompletion: rate,
      above: count,
      promptTokens: count,
      completionTokens: count,
    });
    fc.assert(
      fc.property(inputs, (at) => {
        const price = readPrice({
          prompt: at.prompt.text,
          completion: at.completion.text,
          request: at.request.text,
          overrides: [
            { min_prompt_tokens: at.above, prompt: at.longPrompt.text, completion: at.longCompletion.text },
          ],
        });
        const isLong = at.promptTokens > at.above;
        const exact =
          at.request.femto +
          BigInt(at.promptTokens) * (isLong ? at.longPrompt : at.prompt).femto +
          BigInt(at.completionTokens) * (isLong ? at.longCompletion : at.completion).femto;
        const counted = BigInt(price === null ? -1 : listNanoUsd(price, at)) * 1_000_000n;
        expect(counted).toBeGreaterThanOrEqual(exact);
        // Three products rounded up, and two rates by at most a nano-dollar for a million tokens.
        expect(counted - exact).toBeLessThanOrEqual(7_000_000n);
      }),
    );
  });
});
