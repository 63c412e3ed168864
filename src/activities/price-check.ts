import type { RunSettings } from '../contract/queries.js';
import { AgentError } from '../core/errors.js';
import type { JsonObject } from '../core/json.js';
import { dearest, isDearer, type ModelPrice } from '../core/money/price.js';
import type { ModelPort, ModelRequest } from '../ports/model.js';

/**
 * Holds the prices that the run has reckoned with against those of today, and gives the lock that goes with the request.
 * @returns the highest prices that may be charged, when all are from the server's list
 * @throws AgentError `PRICE_CHANGED` with `details.prices`, when a model is dearer than what the run knows
 */
export async function checkPrices(
  asked: readonly string[],
  readSettings: (options: { fresh: boolean }) => Promise<RunSettings>,
  port: ModelPort,
): Promise<ModelRequest['maxPrice']> {
  const today = await Promise.all(asked.map(async (model) => [model, await priceOf(model, port)] as const));
  for (const fresh of [false, true]) {
    const { modelFacts = {} } = (await readSettings({ fresh })).prepared ?? {};
    const changed = today.filter(([model, price]) => {
      const known = modelFacts[model]?.price;
      return price && (!known || isDearer(price, known));
    });
    if (changed.length === 0) return lockOf(asked.map((model) => modelFacts[model]));
    if (fresh)
      throw new AgentError(
        'PRICE_CHANGED',
        `The run did not know what these cost now: ${changed.map(([model]) => model).join(', ')}.`,
        {
          // Prices are plain data.
          details: { prices: Object.fromEntries(changed) as unknown as JsonObject },
        },
      );
  }
  return undefined;
}

/** A list that cannot be had now changes nothing. */
async function priceOf(model: string, port: ModelPort): Promise<ModelPrice | null> {
  const info = await port.describe(model).catch(() => undefined);
  return info?.price ?? null;
}

function lockOf(
  facts: readonly ({ price: ModelPrice | null; assumed?: true } | undefined)[],
): ModelRequest['maxPrice'] {
  const prices = facts.flatMap((one) => (one?.price && !one.assumed ? [one.price] : []));
  const [first, ...others] = prices;
  if (first === undefined || prices.length < facts.length) return undefined;
  const { requestNanoUsd, tiers = [], ...base } = dearest([first, ...others]);
  const top = tiers.at(-1) ?? base;
  return {
    promptNanoUsdPerMillion: Math.max(base.promptNanoUsdPerMillion, top.promptNanoUsdPerMillion),
    completionNanoUsdPerMillion: Math.max(base.completionNanoUsdPerMillion, top.completionNanoUsdPerMillion),
    requestNanoUsd,
  };
}
