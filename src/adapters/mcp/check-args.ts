import { AjvJsonSchemaValidator } from '@modelcontextprotocol/client/validators/ajv';
import type { JsonObject, JsonValue } from '../../core/json.js';
import type { Tool } from '../../ports/tools.js';

const MAX_PROBLEM_CHARS = 800;

/**
 * Checks arguments against a server's schema, which is compiled when it is first needed. A schema that cannot be checked here lets
 * everything through: the server then says what is wrong. The value comes out as it went in.
 */
export function argsCheck(schema: JsonObject): Tool['parse'] {
  let check: ((args: JsonValue) => string | undefined) | undefined;
  return (args) => {
    if (typeof args !== 'object' || args === null || Array.isArray(args))
      return { ok: false, message: 'The arguments must be a JSON object.' };
    check ??= compile(schema);
    const problem = check(args);
    return problem === undefined ? { ok: true, value: args } : { ok: false, message: problem };
  };
}

function compile(schema: JsonObject): (args: JsonValue) => string | undefined {
  const unchecked = () => undefined;
  if (!hasPlainPatternsOnly(schema)) return unchecked;
  try {
    // A validator of its own: a shared one takes two schemas with the same `$id` for one.
    const validate = new AjvJsonSchemaValidator().getValidator(schema);
    return (args) => {
      const result = validate(args);
      return result.valid ? undefined : result.errorMessage.slice(0, MAX_PROBLEM_CHARS);
    };
  } catch {
    return unchecked;
  }
}

/**
 * Whether no regular expression of a schema can hold up the worker. They come from outside, and one such as `(a+)+$` takes longer
 * than the universe exists; a plain one is anchored, has no groups, and leaves open for at most one thing how often it comes.
 */
function hasPlainPatternsOnly(schema: JsonValue): boolean {
  if (typeof schema !== 'object' || schema === null) return true;
  return Object.entries(schema).every(([key, value]) => {
    if (key === 'pattern' && typeof value === 'string') return isPlainPattern(value);
    if (key === 'patternProperties' && typeof value === 'object' && value !== null)
      return Object.keys(value).every(isPlainPattern) && hasPlainPatternsOnly(value);
    return hasPlainPatternsOnly(value);
  });
}

function isPlainPattern(pattern: string): boolean {
  const choices = pattern.match(/[*+?]|\{\d+,/g) ?? [];
  return pattern.startsWith('^') && !/[(|]/.test(pattern) && choices.length <= 1;
}
