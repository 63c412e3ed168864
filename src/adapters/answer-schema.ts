import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { canonicalJson, type JsonObject, type JsonValue } from '../core/json.js';
import type { AnswerCheck } from '../ports/model.js';

/** Problems that a model is told of at once, and how long the text about them may be. */
const MAX_PROBLEMS = 8;
const MAX_PROBLEM_CHARS = 1_000;

/** Schemas that are kept compiled. */
const KEPT_SCHEMAS = 50;

const compiled = new Map<string, ValidateFunction>();

/** What is wrong with a schema of answers, or `null`. */
export function schemaProblem(schema: JsonObject): string | null {
  try {
    compile(schema);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Holds an answer against a JSON Schema, of draft 2020-12 unless it names draft 6 or 7. The JSON may stand in one fenced block. */
export function checkAnswer(schema: JsonObject, text: string): AnswerCheck {
  const range = jsonRange(text);
  let value: JsonValue;
  try {
    value = JSON.parse(text.slice(...range));
  } catch (error) {
    return { problem: `it is no JSON (${error instanceof Error ? error.message : String(error)})` };
  }
  const validate = compile(schema);
  if (validate(value)) return { json: range };
  return { problem: wordsFor(validate.errors ?? []) };
}

function jsonRange(text: string): [start: number, end: number] {
  const fenced = /^\s*```(?:json)?[ \t]*\n([\s\S]*?)\n?[ \t]*```\s*$/i.exec(text);
  if (fenced?.[1] === undefined) return [0, text.length];
  const start = text.indexOf('\n', text.indexOf('```')) + 1;
  return [start, start + fenced[1].length];
}

function compile(schema: JsonObject): ValidateFunction {
  const key = canonicalJson(schema);
  const known = compiled.get(key);
  if (known) return known;
  if (schema['$async'] !== undefined) throw new Error('$async is not for answers');
  const isOlder = /draft-0[67]/.test(String(schema['$schema'] ?? ''));
  // Formats are hints here: ajv knows none without a further package, and unknown ones must not be errors.
  const options = { strict: false, allErrors: true, validateFormats: false, logger: false } as const;
  const ajv = isOlder ? new Ajv(options) : new Ajv2020(options);
  const validate = ajv.compile(withoutDraft6(schema));
  compiled.set(key, validate);
  for (const oldest of compiled.keys()) {
    if (compiled.size <= KEPT_SCHEMAS) break;
    compiled.delete(oldest);
  }
  return validate;
}

/** Draft 6 is read as draft 7, which only adds to it; a name of a schema is of no use where there is one. */
function withoutDraft6(schema: JsonObject): JsonObject {
  const { $schema: _, $id: __, ...rest } = schema;
  return rest;
}

function wordsFor(errors: readonly ErrorObject[]): string {
  const lines = errors.map(({ instancePath, message = 'does not fit', params }) => {
    const extra = typeof params['additionalProperty'] === 'string' ? `: ${params['additionalProperty']}` : '';
    return `${instancePath === '' ? 'the value' : instancePath} ${message}${extra}`;
  });
  const shown = [...new Set(lines)].slice(0, MAX_PROBLEMS).join('; ');
  return shown.slice(0, MAX_PROBLEM_CHARS);
}
