import { checkAnswer, schemaProblem } from '../../src/adapters/answer-schema.js';
import type { JsonObject, JsonValue } from '../../src/core/json.js';

const PERSON: JsonObject = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0 } },
  required: ['name'],
  additionalProperties: false,
};

/** The value in an answer that fits. */
function valueIn(schema: JsonObject, text: string): JsonValue {
  const check = checkAnswer(schema, text);
  if ('problem' in check) throw new Error(check.problem);
  return JSON.parse(text.slice(...check.json));
}

function problemWith(schema: JsonObject, text: string): string {
  const check = checkAnswer(schema, text);
  return 'problem' in check ? check.problem : 'none';
}

describe('an answer that fits', () => {
  it.each<[string, string]>([
    ['as it is', '{"name":"Ada","age":36}'],
    ['with blanks around it', ' \n {"name":"Ada","age":36}\t\n'],
    ['in a fence', '```json\n{"name":"Ada","age":36}\n```'],
    ['in a fence without a name', '```\n{"name":"Ada","age":36}```'],
    ['in a fence with blanks around it', '\n  ```JSON  \n\n{"name":"Ada","age":36}\n\n  ```\n'],
    ['in a fence of another system', '```json\r\n{"name":"Ada","age":36}\r\n```\r\n'],
    ['behind a byte order mark', '\uFEFF{"name":"Ada","age":36}'],
  ])('is found %s', (_what, text) => {
    expect(valueIn(PERSON, text)).toEqual({ name: 'Ada', age: 36 });
  });

  it('may hold a fence in its text', () => {
    expect(valueIn({}, '```json\n{"code":"```ls```"}\n```')).toEqual({ code: '```ls```' });
  });

  it.each<[JsonObject, string]>([
    [{}, 'null'],
    [{ type: 'string' }, '"```"'],
    [{ type: 'array', items: { $ref: '#' } }, '[[],[[]]]'],
    [{ type: 'string', format: 'no-such-format' }, '"x"'],
    [{ 'x-note': 1, type: 'number' }, '1'],
    [{ $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }] }, '["a",1]'],
    [{ $schema: 'http://json-schema.org/draft-06/schema#', exclusiveMinimum: 0 }, '1'],
    [{ prefixItems: [{ type: 'string' }] }, '["a",1]'],
    [{ $id: 'https://x.example/s', $defs: { a: { type: 'null' } }, $ref: 's#/$defs/a' }, 'null'],
  ])('may have any schema: %j', (schema, text) => {
    expect(schemaProblem(schema)).toBeNull();
    expect(problemWith(schema, text)).toBe('none');
  });
});

describe('an answer that does not fit', () => {
  it.each<[string, string, RegExp]>([
    ['is empty', '', /no JSON/],
    ['has words around its JSON', 'Here: {"name":"Ada"}', /no JSON/],
    ['has two fences', '```json\n{"name":"Ada"}\n```\n```json\n{"name":"Bob"}\n```', /no JSON/],
    ['has a fence that nothing ends', '```json\n{"name":"Ada"}', /no JSON/],
    ['is nothing but a fence', '```', /no JSON/],
    ['is cut off', '{"name":"Ad', /no JSON/],
    ['lacks a field', '{}', /the value must have required property 'name'/],
    ['has a field too many', '{"name":"Ada","x":1}', /the value must NOT have additional properties: x/],
    ['has a wrong value', '{"name":"Ada","age":-1}', /\/age must be >= 0/],
    ['has a prototype for a field', '{"name":"Ada","__proto__":{}}', /additional properties: __proto__/],
  ])('%s', (_what, text, expected) => {
    expect(problemWith(PERSON, text)).toMatch(expected);
  });

  it('is told which values there are', () => {
    expect(problemWith({ enum: ['a', 'b'] }, '"c"')).toBe(
      'the value must be equal to one of the allowed values: ["a","b"]',
    );
    expect(problemWith({ const: 7 }, '8')).toBe('the value must be equal to constant: 7');
  });

  it('is told of several problems at once, but of no more than anybody reads', () => {
    const schema: JsonObject = { type: 'array', items: { type: 'string' } };
    const problem = problemWith(schema, JSON.stringify(Array.from({ length: 200_000 }, () => 1)));
    expect(problem).toMatch(/^\/0 must be string; \/1 must be string;/);
    expect(problem.split(';')).toHaveLength(8);
    const names = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`${n}`.repeat(5_000), 1]));
    expect(problemWith({ additionalProperties: false }, JSON.stringify(names)).length).toBe(1_000);
  });

  it.each<[string, JsonObject]>([
    ['any value', {}],
    ['the same within itself', { type: 'array', items: { $ref: '#' } }],
  ])('is one nested so deeply that nobody could read it, under a schema for %s', (_what, schema) => {
    const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(problemWith(schema, deep(100_000))).toMatch(/nested more than 200 levels/);
    expect(problemWith(schema, deep(200))).toBe('none');
  });

  it('is found out at once, however long it is', () => {
    const startedMs = performance.now();
    expect(problemWith({}, `\`\`\`\n${' '.repeat(2_000_000)}x`)).toMatch(/no JSON/);
    expect(problemWith({}, `\`\`\`json${' '.repeat(2_000_000)}`)).toMatch(/no JSON/);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

describe('a schema that cannot be used', () => {
  it.each<[string, JsonObject, RegExp]>([
    ['names a type that there is not', { type: 'strin' }, /schema is invalid/],
    ['refers to nothing', { $ref: '#/nowhere' }, /can't resolve reference #\/nowhere/],
    ['refers to another place', { $ref: 'https://elsewhere.example/' }, /can't resolve/],
    ['has a pattern that is none', { pattern: '(' }, /Invalid regular expression/],
    ['is answered later', { $async: true }, /async/],
    ['has a part that is answered later', { properties: { a: { $async: true, type: 'null' } } }, /async/],
    ['is of an old draft', { id: 'x' }, /NOT SUPPORTED/],
    ['names an old draft', { $schema: 'http://json-schema.org/draft-04/schema#' }, /2020-12/],
  ])('%s', (_what, schema, expected) => {
    expect(schemaProblem(schema)).toMatch(expected);
  });

  it('is told of in few words', () => {
    const items = Array.from({ length: 500 }, () => ({ type: 'x' }));
    expect(schemaProblem({ allOf: items })?.length).toBeLessThanOrEqual(1_000);
  });
});

it('keeps the schemas of many runs apart', () => {
  for (let n = 0; n < 120; n += 1) {
    expect(problemWith({ const: n % 60 }, String(n % 60))).toBe('none');
    expect(problemWith({ const: n % 60 }, '-1')).not.toBe('none');
  }
});
