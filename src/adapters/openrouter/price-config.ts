import { z } from 'zod';
import type { ModelPrice, TokenPrices } from '../../core/money/price.js';
import { parseDecimal, toNanoUsdExact } from './cost.js';

const usd = z
  .number('must be a number of US dollars')
  .min(0, 'must not be below 0')
  .transform((dollars, context): number => {
    const exact = parseDecimal(dollars);
    const nanoUsd = exact && toNanoUsdExact([exact]);
    if (nanoUsd !== null) return nanoUsd;
    context.addIssue({ code: 'custom', message: 'must be less than 9 million US dollars' });
    return z.NEVER;
  });

const tokenPrices = {
  promptUsdPerMillion: usd,
  completionUsdPerMillion: usd,
  cacheReadUsdPerMillion: usd.optional(),
  cacheWriteUsdPerMillion: usd.optional(),
};

const tier = z.strictObject({
  ...tokenPrices,
  minPromptTokens: z.int('must be a whole number of tokens').min(1, 'must be 1 or more'),
});

const price = z.strictObject({
  ...tokenPrices,
  requestUsd: usd.default(0),
  imageUsd: usd.optional(),
  audioUsdPerMillion: usd.optional(),
  tiers: z
    .array(tier, 'must be a list of prices')
    .refine((tiers) => new Set(tiers.map((one) => one.minPromptTokens)).size === tiers.length, {
      message: 'must each start at another minPromptTokens',
    })
    .default([]),
});

/** `prices` of the configuration module, by model id, as prices that the core can count with. */
export const priceConfig = z.record(z.string(), price.transform(toModelPrice), 'must be prices by model id');

function toModelPrice(read: z.output<typeof price>): ModelPrice {
  const tiers = read.tiers
    .sort((a, b) => a.minPromptTokens - b.minPromptTokens)
    .map((one) => ({ minPromptTokens: one.minPromptTokens, ...toTokenPrices(one) }));
  return {
    ...toTokenPrices(read),
    requestNanoUsd: read.requestUsd,
    ...(read.imageUsd !== undefined && { imageNanoUsd: read.imageUsd }),
    ...(read.audioUsdPerMillion !== undefined && { audioNanoUsdPerMillion: read.audioUsdPerMillion }),
    ...(tiers.length > 0 && { tiers }),
  };
}

// The dollars were turned into nano-dollars while they were read.
function toTokenPrices(read: z.output<typeof tier> | z.output<typeof price>): TokenPrices {
  const { cacheReadUsdPerMillion: cacheRead, cacheWriteUsdPerMillion: cacheWrite } = read;
  return {
    promptNanoUsdPerMillion: read.promptUsdPerMillion,
    completionNanoUsdPerMillion: read.completionUsdPerMillion,
    ...(cacheRead !== undefined && { cacheReadNanoUsdPerMillion: cacheRead }),
    ...(cacheWrite !== undefined && { cacheWriteNanoUsdPerMillion: cacheWrite }),
  };
}
