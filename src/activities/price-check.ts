import type { RunSettings } from '../contract/queries.js';
import { AgentError } from '../core/errors.js';
import type { JsonObject } from '../core/json.js';
import { dearest, isDearer, type ModelPrice } from '../core/money/price.js';
import type { ModelPort, ModelRequest } from '../ports/model.js';
import { unlisted, unpriced } from './model-refusals.js';

/** What the server's list says of a model now, or why it could not be read. */
interface Listed {
  model: string;
  price: ModelPrice | null;
  problem: unknown;
}

/**
 * Holds the prices that the run has reckoned with against those of today, and gives the lock that goes with the request. Only a run that
 * allows for assumed prices may send a request at one.
 * @returns the highest prices that may be charged, when all are from the server's list
 * @throws AgentError `PRICE_CHANGED` with `details.prices`, when a model is dearer than what the run knows, or the run knew no price.
 * Where the run knows no price and the list gives none: what kept it from being read (`MODEL_UNREACHABLE`, `MODEL_AUTH`), else
 * `MODEL_BAD_REQUEST` or `PRICE_UNKNOWN`
 */
export async function checkPrices(
  asked: readonly string[],
  readSettings: (options: { fresh: boolean }) => Promise<RunSettings>,
  port: ModelPort,
): Promise<ModelRequest['maxPrice']> {
  const today = await Promise.all(asked.map((model) => look(model, port)));
  for (const fresh of [false, true]) {
    const { modelFacts = {}, unpricedModels } = (await readSettings({ fresh })).prepared ?? {};
    const known = (model: string): ModelPrice | null => {
      const { price = null, assumed } = modelFacts[model] ?? {};
      return assumed && unpricedModels !== 'estimate' ? null : price;
    };
    const lacking = today.find(({ model, price }) => !price && !known(model));
    const isLacking = lacking !== undefined && unpricedModels !== 'estimate';
    const changed = today.filter(({ model, price }) => isNews(price, known(model)));
    if (!isLacking && changed.length === 0) return lockOf(asked.map((model) => modelFacts[model]));
    if (!fresh) continue;
    if (isLacking) throw lacking.problem;
    throw new AgentError(
      'PRICE_CHANGED',
      `The run did not know what these cost now: ${changed.map(({ model }) => model).join(', ')}.`,
      {
        details: {
          // Prices are plain data.
          prices: Object.fromEntries(
            changed.map(({ model, price }) => [model, price]),
          ) as unknown as JsonObject,
        },
      },
    );
  }
  return undefined;
}

function isNews(price: ModelPrice | null, known: ModelPrice | null): boolean {
  return price !== null && (known === null || isDearer(price, known));
}

async function look(model: string, port: ModelPort): Promise<Listed> {
  try {
    const info = await port.describe(model);
    const problem = info === null ? unlisted(model) : unpriced([model]);
    return { model, price: info?.price ?? null, problem };
  } catch (problem) {
    return { model, price: null, problem };
  }
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
