import fc from 'fast-check';
import {
  affordableOutputTokens, dearest, isDearer, listNanoUsd, tokensNanoUsd, worstCaseNanoUsd, type ModelPrice, type TokenPrices,
} from '../../../src/core/money/price.js'; // prettier-ignore
import { PRICE } from '../support/world.js';

/** Up to a thousand dollars for a token, and down to a price that a single token does not reach. */
const prices = fc.oneof(
  fc.integer({ min: 0, max: 999 }),
  fc.integer({ min: 0, max: 200_000_000_000 }),
  fc.constantFrom(1, 999_999, 1_000_000, 1_000_001, 75_000_000_000, 1_000_000_000_000),
);
const tokens = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 2_000_000 }));
const money = fc.oneof(fc.integer({ min: -5, max: 5_000 }), fc.integer({ min: 0, max: 1_000_000_000_000 }));

const ranges = {
  promptNanoUsdPerMillion: prices,
  completionNanoUsdPerMillion: prices,
  cacheReadNanoUsdPerMillion: prices,
  cacheWriteNanoUsdPerMillion: prices,
};
const needed = ['promptNanoUsdPerMillion', 'completionNanoUsdPerMillion'] as const;
const tier = fc.record(
  { ...ranges, minPromptTokens: fc.integer({ min: 0, max: 300_000 }) },
  { requiredKeys: [...needed, 'minPromptTokens'] },
);
const modelPrices: fc.Arbitrary<ModelPrice> = fc.record(
  {
    ...ranges,
    requestNanoUsd: fc.integer({ min: 0, max: 50_000_000 }),
    tiers: fc
      .uniqueArray(tier, { maxLength: 3, selector: ({ minPromptTokens }) => minPromptTokens })
      .map((list) => list.sort((a, b) => a.minPromptTokens - b.minPromptTokens)),
  },
  { requiredKeys: [...needed, 'requestNanoUsd'] },
);

/** What so many tokens cost to the last fraction, rounded up only in the end. */
function exactly(count: number, perMillion: number): bigint {
  const millionths = BigInt(count) * BigInt(perMillion);
  return (millionths + 999_999n) / 1_000_000n;
}

/** All ranges into which a prompt of up to so many tokens may fall. */
function rangesUpTo({ tiers = [], ...base }: ModelPrice, promptTokens: number): TokenPrices[] {
  return [base, ...tiers.filter(({ minPromptTokens }) => minPromptTokens <= promptTokens)];
}

describe('the price of tokens', () => {
  it('is exact, rounded up to the nano-dollar once', () => {
    fc.assert(
      fc.property(tokens, prices, (count, perMillion) => {
        expect(BigInt(tokensNanoUsd(count, perMillion))).toBe(exactly(count, perMillion));
      }),
    );
  });

  it('is exact where the plain product would not be', () => {
    expect(2_000_001 * 200_000_000_001).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
    expect(BigInt(tokensNanoUsd(2_000_001, 200_000_000_001))).toBe(exactly(2_000_001, 200_000_000_001));
  });

  it.each([
    [0, 1_000_000, 0],
    [1, 1, 1],
    [1_000_000, 1, 1],
    [1_000_001, 1, 2],
    [3, 1_000_000_000, 3_000],
    [7, 150_000, 2],
  ])('of %d tokens at %d for a million is %d', (count, perMillion, nanoUsd) => {
    expect(tokensNanoUsd(count, perMillion)).toBe(nanoUsd);
  });
});

describe('the worst case of a call', () => {
  it('is not below what any range costs that the prompt may fall into, cached, uncached or written to a cache', () => {
    fc.assert(
      fc.property(modelPrices, tokens, tokens, (price, promptTokens, maxOutputTokens) => {
        const worst = BigInt(worstCaseNanoUsd(price, { promptTokens, maxOutputTokens }));
        for (const range of rangesUpTo(price, promptTokens))
          for (const perMillion of [range.promptNanoUsdPerMillion, range.cacheWriteNanoUsdPerMillion ?? 0])
            expect(worst).toBeGreaterThanOrEqual(
              BigInt(price.requestNanoUsd) +
                exactly(promptTokens, perMillion) +
                exactly(maxOutputTokens, range.completionNanoUsdPerMillion),
            );
      }),
    );
  });

  it('is never less for a longer prompt or answer', () => {
    fc.assert(
      fc.property(
        modelPrices,
        tokens,
        tokens,
        fc.nat(1_000),
        (price, promptTokens, maxOutputTokens, more) => {
          const worst = worstCaseNanoUsd(price, { promptTokens, maxOutputTokens });
          const larger = [
            { promptTokens: promptTokens + more, maxOutputTokens },
            { promptTokens, maxOutputTokens: maxOutputTokens + more },
          ];
          for (const call of larger) expect(worstCaseNanoUsd(price, call)).toBeGreaterThanOrEqual(worst);
        },
      ),
    );
  });

  it('counts a prompt as written to the cache where that is dearer, and a fee for the request', () => {
    const price = { ...PRICE, cacheWriteNanoUsdPerMillion: 1_250_000_000, requestNanoUsd: 11 };
    expect(worstCaseNanoUsd(price, { promptTokens: 100, maxOutputTokens: 10 })).toBe(11 + 125_000 + 50_000);
    const cheap = { ...price, cacheWriteNanoUsdPerMillion: 1 };
    expect(worstCaseNanoUsd(cheap, { promptTokens: 100, maxOutputTokens: 10 })).toBe(11 + 100_000 + 50_000);
  });

  it('takes the dearer of all ranges up to the size, from their first token on', () => {
    const price = {
      ...PRICE,
      tiers: [
        { ...PRICE, promptNanoUsdPerMillion: 4_000_000_000, minPromptTokens: 200 },
        { ...PRICE, promptNanoUsdPerMillion: 2_000_000_000, minPromptTokens: 300 },
      ],
    };
    const worst = (promptTokens: number) => worstCaseNanoUsd(price, { promptTokens, maxOutputTokens: 0 });
    expect([worst(199), worst(200), worst(300)]).toEqual([199_000, 800_000, 1_200_000]);
  });

  it('stays within safe integers at prices and sizes beyond all that are known', () => {
    const price = { ...PRICE, promptNanoUsdPerMillion: 1e12, completionNanoUsdPerMillion: 1e12 };
    const call = { promptTokens: 4_000_000, maxOutputTokens: 1_000_000 };
    expect(worstCaseNanoUsd(price, call)).toBe(5e12);
    fc.assert(
      fc.property(modelPrices, tokens, tokens, (one, promptTokens, maxOutputTokens) => {
        expect(Number.isSafeInteger(worstCaseNanoUsd(one, { promptTokens, maxOutputTokens }))).toBe(true);
      }),
    );
  });
});

describe('the tokens that money buys', () => {
  it('never cost more than it, and one more token always would', () => {
    fc.assert(
      fc.property(modelPrices, tokens, money, (price, promptTokens, nanoUsd) => {
        const affordable = affordableOutputTokens(price, { promptTokens, nanoUsd });
        const costs = (maxOutputTokens: number) => worstCaseNanoUsd(price, { promptTokens, maxOutputTokens });
        if (affordable === -1) return expect(costs(0)).toBeGreaterThan(nanoUsd);
        // More than any call can have: no other answer is wanted than that it is enough.
        if (affordable >= 1_000_000_000) return expect(costs(1_000_000_000)).toBeLessThanOrEqual(nanoUsd);
        expect(costs(affordable)).toBeLessThanOrEqual(nanoUsd);
        expect(costs(affordable + 1)).toBeGreaterThan(nanoUsd);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    [99_999, -1],
    [100_000, 0],
    [104_999, 0],
    [105_000, 1],
    [155_000, 11],
  ])('beside a prompt for 100,000: %d buys %d', (nanoUsd, affordable) => {
    expect(affordableOutputTokens(PRICE, { promptTokens: 100, nanoUsd })).toBe(affordable);
  });

  it('are one less where the quotient is rounded up to a token too many', () => {
    const price = { ...PRICE, completionNanoUsdPerMillion: 75_000_000_131 };
    const nanoUsd = 9_732_825_017;
    expect(Math.floor((nanoUsd / 75_000_000_131) * 1e6)).toBe(129_771);
    expect(worstCaseNanoUsd(price, { promptTokens: 0, maxOutputTokens: 129_771 })).toBe(nanoUsd + 1);
    expect(affordableOutputTokens(price, { promptTokens: 0, nanoUsd })).toBe(129_770);
  });

  it('are without end where they cost nothing', () => {
    const price = { ...PRICE, completionNanoUsdPerMillion: 0 };
    expect(affordableOutputTokens(price, { promptTokens: 100, nanoUsd: 100_000 })).toBe(
      Number.MAX_SAFE_INTEGER,
    );
    expect(affordableOutputTokens(price, { promptTokens: 100, nanoUsd: 99_999 })).toBe(-1);
  });
});

describe('the list price of a call', () => {
  const price = {
    ...PRICE,
    cacheReadNanoUsdPerMillion: 100_000_000,
    requestNanoUsd: 3,
    tiers: [{ ...PRICE, promptNanoUsdPerMillion: 2_000_000_000, minPromptTokens: 1_000 }],
  };

  it('tells cached tokens from others, and the range that the prompt falls into', () => {
    expect(listNanoUsd(price, { promptTokens: 999, completionTokens: 2, cachedTokens: 900 })).toBe(
      3 + 99_000 + 90_000 + 10_000,
    );
    expect(listNanoUsd(price, { promptTokens: 1_000, completionTokens: 2, cachedTokens: 900 })).toBe(
      3 + 2_000_000 + 10_000,
    );
  });

  it('takes the last of the ranges that the prompt reaches', () => {
    const [tier] = price.tiers;
    const tiers = [
      { ...PRICE, ...tier, minPromptTokens: 500 },
      { ...PRICE, minPromptTokens: 1_000 },
    ];
    expect(listNanoUsd({ ...price, tiers }, { promptTokens: 1_000, completionTokens: 0 })).toBe(
      3 + 1_000_000,
    );
  });

  it('counts no tokens as cached where none are said to be', () => {
    expect(listNanoUsd(price, { promptTokens: 999, completionTokens: 0 })).toBe(3 + 999_000);
  });

  it('counts no more tokens as cached than there are', () => {
    expect(listNanoUsd(price, { promptTokens: 10, completionTokens: 0, cachedTokens: 50 })).toBe(3 + 1_000);
  });

  it('takes fresh tokens as written to the cache where that is dearer', () => {
    const writes = { ...PRICE, cacheWriteNanoUsdPerMillion: 1_250_000_000 };
    expect(listNanoUsd(writes, { promptTokens: 100, completionTokens: 0, cachedTokens: 20 })).toBe(
      100_000 + 20_000,
    );
  });

  it('is never above the worst case, as long as reading a cache costs no more than not having one', () => {
    fc.assert(
      fc.property(modelPrices, tokens, tokens, tokens, (any, promptTokens, maxOutputTokens, cachedTokens) => {
        const one = withoutDearCache(any);
        const list = listNanoUsd(one, { promptTokens, completionTokens: maxOutputTokens, cachedTokens });
        // Fresh and cached tokens are rounded up apart from each other.
        expect(list).toBeLessThanOrEqual(worstCaseNanoUsd(one, { promptTokens, maxOutputTokens }) + 1);
      }),
    );
  });
});

function withoutDearCache({ tiers = [], ...price }: ModelPrice): ModelPrice {
  const mend = <T extends TokenPrices>(range: T): T => ({
    ...range,
    cacheReadNanoUsdPerMillion: Math.min(
      range.cacheReadNanoUsdPerMillion ?? Infinity,
      range.promptNanoUsdPerMillion,
    ),
  });
  return { ...mend(price), tiers: tiers.map(mend) };
}

describe('the dearest of several prices', () => {
  it('is for no call below any of them, and for each as low as that allows in what tokens cost', () => {
    fc.assert(
      fc.property(
        modelPrices,
        modelPrices,
        modelPrices,
        tokens,
        tokens,
        (a, b, c, promptTokens, maxOutputTokens) => {
          const all = dearest([a, b, c]);
          const cost = (price: ModelPrice, call = { promptTokens, maxOutputTokens }) =>
            worstCaseNanoUsd(price, call);
          const each = [a, b, c].map((price) => cost(price));
          expect(cost(all)).toBeGreaterThanOrEqual(Math.max(...each));
          const prompts = [a, b, c].map(
            (price) => cost(price, { promptTokens, maxOutputTokens: 0 }) - price.requestNanoUsd,
          );
          expect(cost(all, { promptTokens, maxOutputTokens: 0 }) - all.requestNanoUsd).toBe(
            Math.max(...prompts),
          );
        },
      ),
    );
  });

  it('of one is for each call as that one', () => {
    fc.assert(
      fc.property(modelPrices, tokens, tokens, (price, promptTokens, maxOutputTokens) => {
        const call = { promptTokens, maxOutputTokens };
        expect(worstCaseNanoUsd(dearest([price]), call)).toBe(worstCaseNanoUsd(price, call));
      }),
    );
  });

  it('has the tiers of all, smallest first, each once', () => {
    const tiered = (...starts: number[]) => ({
      ...PRICE,
      tiers: starts.map((minPromptTokens) => ({ ...PRICE, minPromptTokens })),
    });
    const { tiers } = dearest([tiered(300, 9_000), tiered(20, 300)]);
    expect(tiers?.map(({ minPromptTokens }) => minPromptTokens)).toEqual([20, 300, 9_000]);
  });

  it('is told by a tier that begins with the first token', () => {
    const base = {
      ...PRICE,
      tiers: [{ ...PRICE, minPromptTokens: 1, promptNanoUsdPerMillion: 2_000_000_000 }],
    };
    expect(dearest([base]).promptNanoUsdPerMillion).toBe(1_000_000_000);
    expect(isDearer({ ...PRICE, promptNanoUsdPerMillion: 2_000_000_000 }, base)).toBe(true);
  });

  it('has no tiers where none of them has', () => {
    expect(dearest([PRICE, { ...PRICE, requestNanoUsd: 4 }])).toEqual({ ...PRICE, requestNanoUsd: 4 });
  });
});

describe('a price', () => {
  it('is dearer than another exactly when some call costs more at it', () => {
    fc.assert(
      fc.property(modelPrices, modelPrices, fc.nat(300_000), (a, b, size) => {
        const starts = [
          0,
          size,
          ...[a, b].flatMap(({ tiers = [] }) => tiers.map((one) => one.minPromptTokens)),
        ];
        const sizes = starts.flatMap((start) => [start, start + 1]);
        // Sizes apart from the fee, and so many tokens that a difference of one for a million shows.
        const costsMore = sizes.some((promptTokens) => {
          const parts = (price: ModelPrice) =>
            rangesUpTo(price, promptTokens).map((range) => [
              Math.max(range.promptNanoUsdPerMillion, range.cacheWriteNanoUsdPerMillion ?? 0),
              range.completionNanoUsdPerMillion,
            ]);
          const most = (price: ModelPrice, index: 0 | 1) =>
            Math.max(...parts(price).map((part) => part[index] ?? 0));
          return ([0, 1] as const).some((index) => most(a, index) > most(b, index));
        });
        expect(isDearer(a, b)).toBe(costsMore || a.requestNanoUsd > b.requestNanoUsd);
      }),
    );
  });

  it('is not dearer than itself', () => {
    fc.assert(fc.property(modelPrices, (price) => expect(isDearer(price, price)).toBe(false)));
  });
});
