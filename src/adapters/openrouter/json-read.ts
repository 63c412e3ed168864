import type { JsonObject, JsonValue } from '../../core/json.js';

/** Whether a JSON value is an object. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path of keys, or `undefined` as soon as one is missing. */
export function at(value: JsonValue | undefined, ...path: string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>(
    (found, key) => (isObject(found) ? found[key] : undefined),
    value,
  );
}

/** The text at a path; `undefined` for the empty text, which servers use for "nothing". */
export function textAt(value: JsonValue | undefined, ...path: string[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** The list at a path, empty when there is none. */
export function listAt(value: JsonValue | undefined, ...path: string[]): JsonValue[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The whole number of at least 0 at a path, else 0. */
export function countAt(value: JsonValue | undefined, ...path: string[]): number {
  const found = at(value, ...path);
  return typeof found === 'number' && Number.isSafeInteger(found) && found > 0 ? found : 0;
}

/** The JSON value of a text, or `undefined` when it is not JSON. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** As {@link parseJson}, with `NaN` and infinities taken for `null`: servers written in Python put them into numbers bare. */
export function parseLooseJson(text: string): JsonValue | undefined {
  return parseJson(text) ?? parseJson(text.replace(/(?<=[:[,]\s*)(?:NaN|-?Infinity)(?=\s*[,}\]])/g, 'null'));
}
