import type { JsonValue } from '../../core/json.js';
import type { ModelCost } from '../../ports/model.js';
import { at, countAt } from './json-read.js';

/** An exact decimal number of at least 0: `digits` × 10^`exponent`. */
export interface Decimal {
  digits: bigint;
  exponent: number;
}

/** What a model costs, in US dollars a token and a request. */
export interface ListPrice {
  promptUsd: Decimal;
  completionUsd: Decimal;
  requestUsd: Decimal;
}

const NANO_EXPONENT = -9;
// Beyond what a double can hold; a larger exponent in a text would only make BigInt work without end.
const MAX_EXPONENT = 400;

/** Zero. */
export const ZERO: Decimal = { digits: 0n, exponent: 0 };

/** Reads a decimal number, or a text of one, as it is written. `null` for anything else, negative numbers included. */
export function parseDecimal(value: JsonValue | undefined): Decimal | null {
  if (typeof value !== 'number' && typeof value !== 'string') return null;
  const parts = /^(\d{1,400})(?:\.(\d{0,400}))?(?:e([+-]?\d{1,4}))?$/i.exec(String(value));
  if (parts === null) return null;
  const fraction = parts[2] ?? '';
  const exponent = Number(parts[3] ?? 0);
  if (Math.abs(exponent) > MAX_EXPONENT) return null;
  return { digits: BigInt(`${parts[1] ?? ''}${fraction}`), exponent: exponent - fraction.length };
}

/** A decimal number a whole number of times. */
export function times(value: Decimal, count: number): Decimal {
  return { digits: value.digits * BigInt(count), exponent: value.exponent };
}

/** The sum of dollars as whole nano-dollars, exact but for the last step, which rounds up. `null` beyond the safe integers. */
export function toNanoUsdExact(usd: readonly Decimal[]): number | null {
  const exponent = Math.min(NANO_EXPONENT, ...usd.map((term) => term.exponent));
  const sum = usd.reduce((total, term) => total + term.digits * 10n ** BigInt(term.exponent - exponent), 0n);
  const unit = 10n ** BigInt(NANO_EXPONENT - exponent);
  const nanoUsd = Number((sum + unit - 1n) / unit);
  return Number.isSafeInteger(nanoUsd) ? nanoUsd : null;
}

/**
 * What the server says a call cost: `usage.cost`, and with the user's own provider key (`is_byok`) the provider's bill on top.
 * `null` when it says nothing usable. A cost of 0 beside no tokens at all is an empty usage object, not a free call.
 */
export function reportedNanoUsd(usage: JsonValue | null): number | null {
  const cost = parseDecimal(at(usage ?? undefined, 'cost'));
  if (usage === null || cost === null) return null;
  if (
    cost.digits === 0n &&
    countAt(usage, 'prompt_tokens') === 0 &&
    countAt(usage, 'completion_tokens') === 0
  )
    return null;
  if (at(usage, 'is_byok') !== true) return toNanoUsdExact([cost]);
  const upstream = parseDecimal(at(usage, 'cost_details', 'upstream_inference_cost'));
  return upstream === null ? null : toNanoUsdExact([cost, upstream]);
}

/** Tokens times list price, when both are known. Cached tokens count in full: an estimate shall not be too low. */
export function estimateCost(usage: JsonValue | null, price: ListPrice | null): ModelCost {
  const promptTokens = countAt(usage ?? undefined, 'prompt_tokens');
  if (price === null || promptTokens === 0) return { kind: 'unknown' };
  const completionTokens = countAt(usage ?? undefined, 'completion_tokens');
  const nanoUsd = toNanoUsdExact([
    times(price.promptUsd, promptTokens),
    times(price.completionUsd, completionTokens),
    price.requestUsd,
  ]);
  return nanoUsd === null ? { kind: 'unknown' } : { kind: 'estimated', nanoUsd };
}
