import type { JsonObject, JsonValue } from '../../core/json.js';
import type { ModelRequest } from '../../ports/model.js';
import { isObject } from './json-read.js';
import { isGoogle } from './reasoning.js';

// What both OpenAI and Anthropic take in a schema that they enforce word by word (their pages on structured outputs).
const STRICT_KEYS = new Set([
  '$schema',
  'additionalProperties',
  'anyOf',
  'const',
  'description',
  'enum',
  'items',
  'properties',
  'required',
  'title',
  'type',
]);
// OpenAI takes ten levels of objects and arrays.
const MAX_DEPTH = 10;

/**
 * `response_format` of a request; `undefined` when none is asked for, or when a call is still possible: many servers enforce a schema
 * while they write, which leaves no way to call a tool, or refuse the two together (Gemini before 3 as soon as tools are named).
 */
export function toResponseFormat({
  model,
  responseSchema,
  tools,
  toolChoice,
}: Pick<ModelRequest, 'model' | 'responseSchema' | 'tools' | 'toolChoice'>): JsonObject | undefined {
  if (responseSchema === undefined) return undefined;
  if (tools.length > 0 && (toolChoice !== 'none' || isGoogle(model))) return undefined;
  // A schema that is not within the strict rules is refused when it is said to be; then it only guides.
  const strict = responseSchema['type'] === 'object' && isStrict(responseSchema);
  return { type: 'json_schema', json_schema: { name: 'answer', schema: responseSchema, strict } };
}

function isStrict(schema: JsonValue | undefined, depth = 0): boolean {
  if (!isObject(schema) || depth > MAX_DEPTH) return false;
  const { anyOf, items, properties = {} } = schema;
  const isDecided = 'type' in schema || 'enum' in schema || 'const' in schema || 'anyOf' in schema;
  return (
    isDecided &&
    Object.keys(schema).every((key) => STRICT_KEYS.has(key)) &&
    (anyOf === undefined ||
      (depth > 0 && Array.isArray(anyOf) && anyOf.every((one) => isStrict(one, depth)))) &&
    (!includesType(schema, 'array') || isStrict(items, depth + 1)) &&
    (!includesType(schema, 'object') || isClosed(schema)) &&
    isObject(properties) &&
    Object.values(properties).every((one) => isStrict(one, depth + 1))
  );
}

function includesType({ type }: JsonObject, name: string): boolean {
  return type === name || (Array.isArray(type) && type.includes(name));
}

/** Whether an object may have just the properties that are named, and has to have all of them. */
function isClosed({ additionalProperties, properties, required = [] }: JsonObject): boolean {
  return (
    additionalProperties === false &&
    isObject(properties) &&
    Array.isArray(required) &&
    Object.keys(properties).every((name) => required.includes(name))
  );
}
