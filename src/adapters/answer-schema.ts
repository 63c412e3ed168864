import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { canonicalJson, type JsonObject, type JsonValue } from '../core/json.js';
import type { AnswerCheck } from '../ports/model.js';

/** Problems that a model is told of at once, and how long the text about them may be. */
const MAX_PROBLEMS = 8;
const MAX_PROBLEM_CHARS = 1_000;
/** Of so many those are picked. */
const MAX_READ = 1_000;

/** Beyond it what reads a value by calling itself may fail: the schema, the workflow, and whoever gets the result. */
const MAX_DEPTH = 200;

/** Schemas that are kept compiled. */
const KEPT_SCHEMAS = 50;

const compiled = new Map<string, ValidateFunction>();

/** What is wrong with a schema of answers, or `null`. */
export function schemaProblem(schema: JsonObject): string | null {
  try {
    compile(schema);
    return null;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return problem.slice(0, MAX_PROBLEM_CHARS);
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
  if (isDeeperThan(value, MAX_DEPTH)) return { problem: `it is nested more than ${MAX_DEPTH} levels deep` };
  const validate = compile(schema);
  if (validate(value)) return { json: range };
  return { problem: wordsFor(validate.errors ?? []) };
}

function jsonRange(text: string): [start: number, end: number] {
  const end = text.trimEnd().length;
  const start = Math.min(end, text.length - text.trimStart().length);
  // Only the beginning is matched: an answer may be so long that anything that looks back would take minutes.
  const [opening = ''] = /^```(?:json)?[ \t]*\r?\n/i.exec(text.slice(start, start + 100)) ?? [];
  const from = start + opening.length;
  if (opening === '' || !text.endsWith('```', end) || end - 3 < from) return [start, end];
  return [from, end - 3];
}

function isDeeperThan(value: JsonValue, levels: number): boolean {
  if (value === null || typeof value !== 'object') return false;
  if (levels === 0) return true;
  return Object.values(value).some((one) => isDeeperThan(one, levels - 1));
}

function compile(schema: JsonObject): ValidateFunction {
  const key = canonicalJson(schema);
  const known = compiled.get(key);
  if (known) return known;
  if (schema['$async'] !== undefined) throw new Error('$async is not for answers');
  const { $schema: draft } = schema;
  if (typeof draft === 'string' && /draft-0[0-5]/.test(draft))
    throw new Error('it is of a draft before 6: write it in 2020-12, or in draft 6 or 7');
  const isOlder = typeof draft === 'string' && /draft-0[67]/.test(draft);
  // Formats are hints here: ajv knows none without a further package, and unknown ones must not be errors.
  const options = { strict: false, allErrors: true, validateFormats: false, logger: false } as const;
  const ajv = isOlder ? new Ajv(options) : new Ajv2020(options);
  const validate = ajv.compile(withoutDraft(schema));
  compiled.set(key, validate);
  for (const oldest of compiled.keys()) {
    if (compiled.size <= KEPT_SCHEMAS) break;
    compiled.delete(oldest);
  }
  return validate;
}

/** Draft 6 is read as draft 7, which only adds to it, and ajv does not know it by name. */
function withoutDraft(schema: JsonObject): JsonObject {
  const { $schema: _, ...rest } = schema;
  return rest;
}

function wordsFor(errors: readonly ErrorObject[]): string {
  const lines = errors.slice(0, MAX_READ).map(({ instancePath, message = 'does not fit', params }) => {
    const { additionalProperty, allowedValues, allowedValue = allowedValues } = params;
    const extra =
      additionalProperty ?? (allowedValue === undefined ? undefined : JSON.stringify(allowedValue));
    const where = instancePath === '' ? 'the value' : instancePath;
    return `${where} ${message}${extra === undefined ? '' : `: ${extra}`}`;
  });
  const shown = [...new Set(lines)].slice(0, MAX_PROBLEMS).join('; ');
  return shown.slice(0, MAX_PROBLEM_CHARS);
}
