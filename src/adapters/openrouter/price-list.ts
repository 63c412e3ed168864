import type { JsonObject, JsonValue } from '../../core/json.js';
import type { ModelPrice, TokenPrices } from '../../core/money/price.js';
import { parseDecimal, toNanoUsdExact } from './cost.js';
import { isObject } from './json-read.js';

// Prices for a token. `input_cache_write_1h` and `web_search` are left out: they are for what this adapter never asks for.
const RATES = [
  'prompt',
  'completion',
  'internal_reasoning',
  'input_cache_read',
  'input_cache_write',
  'audio',
] as const;
type Rates = Partial<Record<(typeof RATES)[number], number>>;

/** An entry of `overrides`: prices that hold under a condition (OpenRouter, PricingOverride). */
interface Override {
  /** The smallest prompt for which it may hold. */
  fromTokens: number;
  /** Whether the size of the prompt alone decides. */
  isCertain: boolean;
  rates: Rates;
}

const MILLION_EXPONENT = 6;
const SIZE_KEY = 'min_prompt_tokens';
const KNOWN_KEYS = new Set<string>([...RATES, SIZE_KEY, 'input_cache_write_1h', 'input_audio_cache']);

/**
 * Reads `pricing` of a model in the list. Everything is rounded up, and what is not certain counts as its dearest case: an override
 * that depends on the hour, or on something this adapter does not know, is taken to hold whenever it makes a token dearer.
 * `discount` is not applied, as it only makes cheaper.
 * @returns `null` when there is no price. One that cannot be read is none either, nor is -1, which routers say; nor is there a price
 * with an override that cannot be read, because money would go uncounted if it were left out.
 */
export function readPrice(pricing: JsonValue | undefined): ModelPrice | null {
  if (!isObject(pricing)) return null;
  const base = readRates(pricing);
  const overrides = readOverrides(pricing['overrides'] ?? []);
  const requestNanoUsd = toNanoUsd(pricing['request'] ?? 0);
  const imageNanoUsd = toNanoUsd(pricing['image'] ?? 0);
  if (base === null || overrides === null || requestNanoUsd === null || imageNanoUsd === null) return null;
  if (base.prompt === undefined || base.completion === undefined) return null;
  const plain = { prompt: base.prompt, completion: base.completion, ...base };
  const starts = [...new Set(overrides.map(({ fromTokens }) => fromTokens))].filter((start) => start > 0);
  const tiers = starts
    .sort((a, b) => a - b)
    .map((start) => ({ minPromptTokens: start, ...toTokenPrices(ratesFrom(start, plain, overrides)) }));
  const audio = Math.max(base.audio ?? 0, ...overrides.map(({ rates }) => rates.audio ?? 0));
  return {
    ...toTokenPrices(ratesFrom(0, plain, overrides)),
    requestNanoUsd,
    // A price of 0 says that nothing is billed apart.
    ...(imageNanoUsd > 0 && { imageNanoUsd }),
    ...(audio > 0 && { audioNanoUsdPerMillion: audio }),
    ...(tiers.length > 0 && { tiers }),
  };
}

/** The prices for prompts of that size: later entries win, key by key. */
function ratesFrom<Base extends Rates & { prompt: number }>(
  promptTokens: number,
  base: Base,
  overrides: Override[],
): Base {
  const rates = { ...base };
  for (const override of overrides.filter(({ fromTokens }) => promptTokens >= fromTokens)) {
    for (const name of RATES) {
      const own = override.rates[name];
      if (own === undefined) continue;
      const other = override.isCertain ? 0 : (rates[name] ?? rates.prompt);
      rates[name] = Math.max(own, other);
    }
  }
  return rates;
}

function toTokenPrices(rates: Rates & { prompt: number; completion: number }): TokenPrices {
  const { input_cache_read: cacheRead = 0, input_cache_write: cacheWrite = 0 } = rates;
  return {
    promptNanoUsdPerMillion: rates.prompt,
    completionNanoUsdPerMillion: Math.max(rates.completion, rates.internal_reasoning ?? 0),
    // Lists write 0 for "no price of its own", and free reads from a cache are unheard of.
    ...(cacheRead > 0 && { cacheReadNanoUsdPerMillion: cacheRead }),
    ...(cacheWrite > 0 && { cacheWriteNanoUsdPerMillion: cacheWrite }),
  };
}

function readOverrides(list: JsonValue): Override[] | null {
  if (!Array.isArray(list)) return null;
  const overrides = list.map(readOverride);
  return overrides.every((override) => override !== null) ? overrides : null;
}

function readOverride(entry: JsonValue): Override | null {
  if (!isObject(entry)) return null;
  const above = entry[SIZE_KEY] ?? null;
  const rates = readRates(entry);
  if (rates === null || !(above === null || (typeof above === 'number' && above >= 0))) return null;
  // It holds for prompts that are larger than this, not for those of just this size.
  const fromTokens = above === null ? 0 : Math.floor(above) + 1;
  if (!Number.isSafeInteger(fromTokens)) return null;
  return { fromTokens, isCertain: Object.keys(entry).every((key) => KNOWN_KEYS.has(key)), rates };
}

/** The prices for a token that an object names; `null` when one of them cannot be read. */
function readRates(entry: JsonObject): Rates | null {
  const rates: Rates = {};
  for (const name of RATES) {
    const value = entry[name] ?? null;
    if (value === null) continue;
    const nanoUsd = toNanoUsd(value, MILLION_EXPONENT);
    if (nanoUsd === null) return null;
    rates[name] = nanoUsd;
  }
  return rates;
}

function toNanoUsd(value: JsonValue, exponent = 0): number | null {
  const usd = parseDecimal(value);
  return usd && toNanoUsdExact([{ ...usd, exponent: usd.exponent + exponent }]);
}
