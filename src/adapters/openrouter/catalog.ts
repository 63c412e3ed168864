import type { JsonValue } from '../../core/json.js';
import type { ModelPrice } from '../../core/money/price.js';
import type { ModelInfo } from '../../ports/model.js';
import { at, countAt, listAt, textAt } from './json-read.js';
import { readPrice } from './price-list.js';

const KEPT_MS = 600_000;
/** How long a list that could not be refreshed stands in for a newer one: prices of yesterday beat none. */
const STALE_MS = 86_400_000;
/** How soon to ask again after that, so that not every call waits for a list that cannot be had. */
const RETRY_MS = 60_000;
/** How old a list may be by whose word a model is not there. More often a wrong name makes nobody ask. */
const MISSING_MS = 10_000;

type List = Map<string, ModelInfo>;

/**
 * The server's list of models, kept in memory for 10 minutes; askers at the same time share one request. A model counts as missing only
 * by a list that is at most 10 seconds old.
 */
export interface Catalog {
  /**
   * A model whose price is configured is known in any case, and at that price.
   * @returns `null` when the list has no such model, `undefined` when the server has no list.
   */
  find(model: string): Promise<ModelInfo | null | undefined>;
  /** The price of a model; `null` when it is not known, also for want of a list. Never throws. */
  price(model: string): Promise<ModelPrice | null>;
}

/** Where a {@link Catalog} has its facts from. */
export interface CatalogSources {
  /** Gives the body of `GET /models`, or `undefined` when there is none. What it throws is kept only as long as an older list lasts. */
  fetchList: () => Promise<JsonValue | undefined>;
  /** Prices that win over those of the list. */
  prices?: Readonly<Record<string, ModelPrice>> | undefined;
  /** @defaultValue `Date.now` */
  nowMs?: () => number;
}

/** Makes a {@link Catalog}. */
export function createCatalog({ fetchList, prices = {}, nowMs = Date.now }: CatalogSources): Catalog {
  const own = new Map(Object.entries(prices));
  const lists = keepFresh(async () => readList(await fetchList()), nowMs);
  const findListed: Catalog['find'] = async (model) => {
    const list = await lists.load();
    const info = list && listed(list, model);
    if (list === undefined || info !== undefined) return info;
    const newer = await lists.reload();
    return newer && (listed(newer, model) ?? null);
  };
  return {
    async find(model) {
      const price = lookUp(own, model);
      if (price === undefined) return findListed(model);
      const list = await lists.load().catch(() => undefined);
      const missing = { id: model, contextLength: null, maxOutputTokens: null };
      return { ...((list && listed(list, model)) ?? missing), price };
    },
    async price(model) {
      const configured = lookUp(own, model);
      if (configured !== undefined) return configured;
      // Servers may answer under names that no list has: that is no reason to ask after each answer.
      const list = await lists.load().catch(() => undefined);
      return (list && listed(list, model)?.price) ?? null;
    },
  };
}

interface Reading {
  atMs: number;
  untilMs: number;
  /** What the server has answered. */
  read: Promise<List | undefined>;
  /** The same, or an older list in its place. */
  list: Promise<List | undefined>;
}

/** A list that is asked for as seldom as may be. */
interface Lists {
  /** Asks when the last list is 10 minutes old. An asking that fails, or brings no list, leaves the last one in place for a day. */
  load(): Promise<List | undefined>;
  /** Asks when that was 10 seconds ago, and gives no older list. */
  reload(): Promise<List | undefined>;
}

function keepFresh(ask: () => Promise<List | undefined>, nowMs: () => number): Lists {
  let last: { atMs: number; list: List } | undefined;
  let kept: Reading | undefined;
  const start = (): Reading => {
    const atMs = nowMs();
    const fallback = last !== undefined && atMs - last.atMs < STALE_MS ? last.list : undefined;
    const read = ask();
    const mine: Reading = { atMs, untilMs: atMs + KEPT_MS, read, list: read };
    kept = mine;
    const stale = (): List | undefined => {
      if (fallback !== undefined) mine.untilMs = atMs + RETRY_MS;
      return fallback;
    };
    mine.list = read.then(
      (list) => {
        if (list === undefined) return stale();
        last = { atMs, list };
        return list;
      },
      (error: unknown) => {
        const list = stale();
        if (list !== undefined) return list;
        if (kept === mine) kept = undefined;
        throw error;
      },
    );
    // Who reloads does not look at it.
    mine.list.catch(() => undefined);
    return mine;
  };
  return {
    load: () => (kept !== undefined && nowMs() < kept.untilMs ? kept : start()).list,
    reload: () => (kept !== undefined && nowMs() - kept.atMs < MISSING_MS ? kept : start()).read,
  };
}

// A routing variant (`:nitro`) is no entry of its own.
function lookUp<Value>(values: ReadonlyMap<string, Value>, model: string): Value | undefined {
  const plain = isSearching(model) ? model : model.replace(/:[^/:]*$/, '');
  return values.get(model) ?? values.get(plain);
}

function listed(list: List, model: string): ModelInfo | undefined {
  // Ollama lists the tag that it takes for none.
  const info = lookUp(list, model) ?? list.get(`${model}:latest`);
  if (info !== undefined || !isSearching(model)) return info;
  const plain = list.get(model.slice(0, -SEARCHING.length));
  return plain && { ...plain, price: null };
}

const SEARCHING = ':online';

/** Whether the variant searches the web, which is billed on top of what the list says. */
function isSearching(model: string): boolean {
  return model.endsWith(SEARCHING);
}

function readList(body: JsonValue | undefined): List | undefined {
  if (!Array.isArray(at(body, 'data'))) return undefined;
  const list: List = new Map();
  for (const model of listAt(body, 'data')) {
    const id = textAt(model, 'id');
    if (id === undefined) continue;
    const info: ModelInfo = {
      id,
      // The second name is vLLM's.
      contextLength: countAt(model, 'context_length') || countAt(model, 'max_model_len') || null,
      maxOutputTokens: countAt(model, 'top_provider', 'max_completion_tokens') || null,
      price: readPrice(at(model, 'pricing')),
    };
    const slug = textAt(model, 'canonical_slug');
    // Variants share the slug of their model, `:free` ones too: the plain model is the one meant.
    if (slug !== undefined && (!list.has(slug) || !id.includes(':'))) list.set(slug, info);
    list.set(id, info);
  }
  return list;
}
