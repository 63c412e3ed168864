import type { JsonValue } from '../../core/json.js';
import { dearest, type ModelPrice } from '../../core/money/price.js';
import type { ModelCost, ModelRequest, ModelUsage } from '../../ports/model.js';
import type { Catalog } from './catalog.js';
import { estimateCost, reportedNanoUsd } from './cost.js';

/** What an answer used, and who gave it. */
export interface Used {
  usage: JsonValue | null;
  tokens: ModelUsage;
  answeredBy: string;
}

/** What a call cost: what the server reports, else what the list makes of its tokens, else unknown. */
export async function costOf(
  { usage, tokens, answeredBy }: Used,
  request: ModelRequest,
  catalog: Catalog,
): Promise<ModelCost> {
  const nanoUsd = reportedNanoUsd(usage);
  if (nanoUsd !== null && nanoUsd > 0) return { kind: 'reported', nanoUsd };
  const price = (await catalog.price(answeredBy)) ?? (await dearestOf(request, catalog));
  const estimate = estimateCost(tokens, price);
  // Nothing, for what the list has a price for, is more often a default than a gift: it is asked about.
  const isFree = nanoUsd === 0 && (estimate.kind === 'unknown' || estimate.nanoUsd === 0);
  return isFree ? { kind: 'reported', nanoUsd: 0 } : estimate;
}

/** What the call may have cost at most by the list: servers may answer under a name that no list has. */
async function dearestOf({ model, models = [] }: ModelRequest, catalog: Catalog): Promise<ModelPrice | null> {
  const first = await catalog.price(model);
  const others = await Promise.all(models.map((name) => catalog.price(name)));
  const known = others.filter((price) => price !== null);
  return first === null || known.length < others.length ? null : dearest([first, ...known]);
}
