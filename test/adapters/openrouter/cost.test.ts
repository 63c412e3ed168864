import fc from 'fast-check';
import {
  estimateCost,
  parseDecimal,
  reportedNanoUsd,
  toNanoUsdExact,
} from '../../../src/adapters/openrouter/cost.js';
import type { ModelPrice } from '../../../src/core/money/price.js';

const tokens = { prompt_tokens: 10, completion_tokens: 4 };

function decimal(value: number | string): NonNullable<ReturnType<typeof parseDecimal>> {
  const parsed = parseDecimal(value);
  if (parsed === null) throw new Error(`${value} is no decimal`);
  return parsed;
}

describe('toNanoUsdExact', () => {
  it.each([
    [0.00014, 140_000],
    [0.000508, 508_000],
    [1e-9, 1],
    [1e-10, 1],
    [1.5e-9, 2],
    [1e-5, 10_000],
    [0.1, 100_000_000],
    [0.0000123456789, 12_346],
    [3, 3_000_000_000],
    [0, 0],
    [2.5e-7, 250],
  ])('takes %d dollars as %d nano-dollars', (usd, nanoUsd) => {
    expect(toNanoUsdExact([decimal(usd)])).toBe(nanoUsd);
  });

  it('rounds the sum, not its terms', () => {
    expect(toNanoUsdExact([decimal(4e-10), decimal(6e-10)])).toBe(1);
  });

  it('has no answer beyond the safe integers', () => {
    expect(toNanoUsdExact([decimal(1e20)])).toBeNull();
  });

  it('is exact for every whole number of nano-dollars', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (nanoUsd) => {
        const text = `${Math.floor(nanoUsd / 1e9)}.${String(nanoUsd % 1e9).padStart(9, '0')}`;
        expect(toNanoUsdExact([decimal(text)])).toBe(nanoUsd);
        expect(toNanoUsdExact([decimal(Number(text))])).toBe(nanoUsd);
      }),
    );
  });
});

describe('parseDecimal', () => {
  it.each([-1, '-1', NaN, Infinity, null, undefined, '', 'free', '1e99999', '0x10', true, []])(
    'refuses %p',
    (value) => {
      expect(parseDecimal(value)).toBeNull();
    },
  );
});

describe('reportedNanoUsd', () => {
  it.each([
    ['the cost', { ...tokens, cost: 0.00014 }, 140_000],
    ['a free call', { ...tokens, cost: 0 }, 0],
    [
      'no upstream bill without an own key',
      { ...tokens, cost: 0.001, is_byok: false, cost_details: { upstream_inference_cost: 5 } },
      1_000_000,
    ],
    [
      'the upstream bill on top with an own key',
      { ...tokens, cost: 0.001, is_byok: true, cost_details: { upstream_inference_cost: 0.02 } },
      21_000_000,
    ],
    [
      'nothing when the upstream bill of an own key is missing',
      { ...tokens, cost: 0.001, is_byok: true, cost_details: { upstream_inference_cost: null } },
      null,
    ],
    ['nothing for null', { ...tokens, cost: null }, null],
    ['nothing for a missing cost', tokens, null],
    ['nothing for a negative cost', { ...tokens, cost: -0.1 }, null],
    ['nothing for a cost that is a word', { ...tokens, cost: 'NaN' }, null],
    [
      'a bill that is all upstream',
      { ...tokens, cost: 0, is_byok: true, cost_details: { upstream_inference_cost: '0.02' } },
      20_000_000,
    ],
    [
      'nothing when the upstream bill is negative',
      { ...tokens, cost: 1, is_byok: true, cost_details: { upstream_inference_cost: -1 } },
      null,
    ],
    ['nothing for a usage object of zeros', { prompt_tokens: 0, completion_tokens: 0, cost: 0 }, null],
    ['nothing without usage', null, null],
  ])('reports %s', (_name, usage, expected) => {
    expect(reportedNanoUsd(usage)).toBe(expected);
  });
});

describe('estimateCost', () => {
  const price: ModelPrice = {
    promptNanoUsdPerMillion: 3_000_000_000,
    completionNanoUsdPerMillion: 15_000_000_000,
    cacheReadNanoUsdPerMillion: 300_000_000,
    requestNanoUsd: 7,
  };
  const used = { promptTokens: 10, completionTokens: 4, cachedTokens: 0 };

  it('is what the tokens and the request cost by the list', () => {
    expect(estimateCost(used, price)).toEqual({ kind: 'estimated', nanoUsd: 10 * 3000 + 4 * 15_000 + 7 });
    expect(estimateCost({ ...used, cachedTokens: 10 }, price)).toEqual({
      kind: 'estimated',
      nanoUsd: 10 * 300 + 4 * 15_000 + 7,
    });
  });

  it.each([
    ['no price', used, null],
    ['no prompt tokens', { ...used, promptTokens: 0 }, price],
    ['no written tokens', { ...used, completionTokens: 0 }, price],
    ['a price beyond all numbers', used, { ...price, requestNanoUsd: Number.MAX_SAFE_INTEGER }],
  ])('knows nothing with %s', (_name, tokensUsed, known) => {
    expect(estimateCost(tokensUsed, known)).toEqual({ kind: 'unknown' });
  });
});
