import { canonicalJson, type JsonObject, type JsonValue } from '../core/json.js';
import { MAX_SHARED_CHARS } from '../core/run-input.js';

/** Holds shared values against the schema of the configuration: what is wrong with them, or `null`. */
export type SharedCheck = (values: JsonObject) => string | null;

/**
 * What a tool has changed in the shared values, by key of the first level; `null` for one that is gone.
 * @returns `patch: null` when nothing has changed, or `problem` when the values that would come of it cannot be kept.
 */
export function sharedPatch(
  before: JsonObject,
  after: unknown,
  check: SharedCheck,
): { patch: JsonObject | null } | { problem: string } {
  const values = toJsonObject(after);
  if (!values) return { problem: 'it is not a JSON object.' };
  const changed = [...new Set([...Object.keys(before), ...Object.keys(values)])].flatMap((key) => {
    const [was, is] = [valueAt(before, key), valueAt(values, key)];
    return canonicalJson(was) === canonicalJson(is) ? [] : [[key, is] as const];
  });
  if (changed.length === 0) return { patch: null };
  const { length } = JSON.stringify(values);
  if (length > MAX_SHARED_CHARS)
    return { problem: `it would have ${length} characters of JSON, and ${MAX_SHARED_CHARS} are allowed.` };
  const problem = check(values);
  return problem === null ? { patch: Object.fromEntries(changed) } : { problem };
}

/** Own keys only: a tool may well share something called `constructor`. */
function valueAt(values: JsonObject, key: string): JsonValue {
  return Object.hasOwn(values, key) ? (values[key] ?? null) : null;
}

/** A copy without what counts as taken away, or `null` for what JSON would lose or change. */
function toJsonObject(value: unknown): JsonObject | null {
  try {
    const text = JSON.stringify(value); // Throws on cycles, over which the next line would not end.
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !isJson(value)) return null;
    const copy: JsonObject = JSON.parse(text);
    return Object.fromEntries(Object.entries(copy).filter(([, entry]) => entry !== null));
  } catch {
    return null;
  }
}

function isJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null)
    return value === null || ['string', 'boolean', 'undefined'].includes(typeof value);
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
  return isPlain && Object.values(value).every(isJson);
}
