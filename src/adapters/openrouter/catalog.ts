import type { JsonValue } from '../../core/json.js';
import type { ModelInfo, ModelPrice } from '../../ports/model.js';
import { parseDecimal, times, toNanoUsdExact, ZERO, type ListPrice } from './cost.js';
import { at, countAt, isObject, listAt, textAt } from './json-read.js';

const KEPT_MS = 600_000;
const MILLION = 1_000_000;

/** One model of the server's list. */
export interface CatalogEntry {
  info: ModelInfo;
  price: ListPrice | null;
}

/** The server's list of models, kept in memory for 10 minutes; askers at the same time share one request. */
export interface Catalog {
  /** @returns `null` when the list has no such model, `undefined` when the server has no list. */
  find(model: string): Promise<CatalogEntry | null | undefined>;
}

/** Makes a {@link Catalog}. `fetchList` gives the body of `GET /models`, or `undefined` when there is none; what it throws is not kept. */
export function createCatalog(
  fetchList: () => Promise<JsonValue | undefined>,
  nowMs: () => number = Date.now,
): Catalog {
  let kept: { atMs: number; entries: Promise<Map<string, CatalogEntry> | undefined> } | undefined;
  const load = (): Promise<Map<string, CatalogEntry> | undefined> => {
    if (kept !== undefined && nowMs() - kept.atMs < KEPT_MS) return kept.entries;
    const mine = { atMs: nowMs(), entries: fetchList().then(readList) };
    kept = mine;
    mine.entries.catch(() => {
      if (kept === mine) kept = undefined;
    });
    return mine.entries;
  };
  return {
    async find(model) {
      const entries = await load();
      // A routing variant (`:nitro`, `:online`) is no entry of its own.
      return entries === undefined
        ? undefined
        : (entries.get(model) ?? entries.get(model.replace(/:[^/:]*$/, '')) ?? null);
    },
  };
}

function readList(body: JsonValue | undefined): Map<string, CatalogEntry> | undefined {
  if (!Array.isArray(at(body, 'data'))) return undefined;
  const entries = new Map<string, CatalogEntry>();
  for (const model of listAt(body, 'data')) {
    const id = textAt(model, 'id');
    if (id === undefined) continue;
    const entry = readEntry(id, model);
    const slug = textAt(model, 'canonical_slug');
    // Variants share the slug of their model, `:free` ones too: the plain model is the one meant.
    if (slug !== undefined && (!entries.has(slug) || !id.includes(':'))) entries.set(slug, entry);
    entries.set(id, entry);
  }
  return entries;
}

function readEntry(id: string, model: JsonValue): CatalogEntry {
  const price = readPrice(at(model, 'pricing'));
  const info: ModelInfo = {
    id,
    contextLength: countAt(model, 'context_length') || null,
    maxOutputTokens: countAt(model, 'top_provider', 'max_completion_tokens') || null,
    price: price === null ? null : roundPrice(price),
  };
  return { info, price };
}

// Routers have no price of their own and say -1.
function readPrice(pricing: JsonValue | undefined): ListPrice | null {
  if (!isObject(pricing)) return null;
  const promptUsd = parseDecimal(pricing['prompt']);
  const completionUsd = parseDecimal(pricing['completion']);
  const requestUsd = pricing['request'] === undefined ? ZERO : parseDecimal(pricing['request']);
  if (promptUsd === null || completionUsd === null || requestUsd === null) return null;
  return { promptUsd, completionUsd, requestUsd };
}

function roundPrice({ promptUsd, completionUsd, requestUsd }: ListPrice): ModelPrice | null {
  const promptNanoUsdPerMillion = toNanoUsdExact([times(promptUsd, MILLION)]);
  const completionNanoUsdPerMillion = toNanoUsdExact([times(completionUsd, MILLION)]);
  const requestNanoUsd = toNanoUsdExact([requestUsd]);
  if (promptNanoUsdPerMillion === null || completionNanoUsdPerMillion === null || requestNanoUsd === null)
    return null;
  return { promptNanoUsdPerMillion, completionNanoUsdPerMillion, requestNanoUsd };
}
