import type { JsonValue } from '../../core/json.js';
import { listNanoUsd, type ModelPrice } from '../../core/money/price.js';
import type { ModelCost, ModelUsage } from '../../ports/model.js';
import { at, countAt } from './json-read.js';

/** An exact decimal number of at least 0: `digits` × 10^`exponent`. */
export interface Decimal {
  digits: bigint;
  exponent: number;
}

const NANO_EXPONENT = -9;
// Beyond what a double can hold; a larger exponent in a text would only make BigInt work without end.
const MAX_EXPONENT = 400;

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

/** The sum of dollars as whole nano-dollars, exact but for the last step, which rounds up. `null` beyond the safe integers. */
export function toNanoUsdExact(usd: readonly Decimal[]): number | null {
  const exponent = Math.min(NANO_EXPONENT, ...usd.map((term) => term.exponent));
  const sum = usd.reduce((total, term) => total + term.digits * 10n ** BigInt(term.exponent - exponent), 0n);
  const unit = 10n ** BigInt(NANO_EXPONENT - exponent);
  const nanoUsd = Number((sum + unit - 1n) / unit);
  return Number.isSafeInteger(nanoUsd) ? nanoUsd : null;
}

/**
 * A bill in dollars as whole nano-dollars, rounded up; with the user's own provider key (`isByok`) the provider's bill is on top.
 * `null` when either cannot be read.
 */
export function billNanoUsd(bill: {
  cost: JsonValue | undefined;
  isByok: boolean;
  upstream: JsonValue | undefined;
}): number | null {
  const cost = parseDecimal(bill.cost);
  if (cost === null || !bill.isByok) return cost && toNanoUsdExact([cost]);
  const upstream = parseDecimal(bill.upstream);
  return upstream && toNanoUsdExact([cost, upstream]);
}

/**
 * What the server says a call cost: `usage.cost`, and with the user's own provider key (`is_byok`) the provider's bill on top.
 * `null` when it says nothing usable. A cost of 0 beside no tokens at all is an empty usage object, not a free call.
 */
export function reportedNanoUsd(usage: JsonValue | null): number | null {
  if (usage === null) return null;
  const nanoUsd = billNanoUsd({
    cost: at(usage, 'cost'),
    isByok: at(usage, 'is_byok') === true,
    upstream: at(usage, 'cost_details', 'upstream_inference_cost'),
  });
  const isEmpty = countAt(usage, 'prompt_tokens') === 0 && countAt(usage, 'completion_tokens') === 0;
  return nanoUsd === 0 && isEmpty ? null : nanoUsd;
}

/** Tokens times list price. Unknown without a price, and without either count: every answer has tokens of both kinds, so a 0 was not counted. */
export function estimateCost(usage: ModelUsage, price: ModelPrice | null): ModelCost {
  if (price === null || usage.promptTokens === 0 || usage.completionTokens === 0) return { kind: 'unknown' };
  const nanoUsd = listNanoUsd(price, usage);
  return Number.isSafeInteger(nanoUsd) ? { kind: 'estimated', nanoUsd } : { kind: 'unknown' };
}
