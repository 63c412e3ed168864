import { argsCheck } from '../../../src/adapters/mcp/check-args.js';
import type { JsonObject } from '../../../src/core/json.js';

const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties,
  ...more,
});
const DRAFT_7 = 'http://json-schema.org/draft-07/schema#';

test('says what is wrong, and changes nothing of what is right', () => {
  const check = argsCheck(
    object({ n: { type: 'number', default: 3 } }, { required: ['n'], additionalProperties: false }),
  );

  expect(check({ n: 1 })).toEqual({ ok: true, value: { n: 1 } });
  expect(check({ n: '1' })).toEqual({ ok: false, message: 'data/n must be number' });
  expect(check({})).toEqual({ ok: false, message: "data must have required property 'n'" });
  expect(check({ n: 1, m: 2 })).toEqual({ ok: false, message: 'data must NOT have additional properties' });
});

test.each(['text', 3, null, [1]])('takes only objects, not %j', (args) => {
  expect(argsCheck({})(args)).toMatchObject({ ok: false });
});

test('checks references and older dialects', () => {
  const check = argsCheck(
    object(
      { a: { $ref: '#/definitions/short' } },
      { definitions: { short: { maxLength: 2 } }, $schema: DRAFT_7 },
    ),
  );

  expect(check({ a: 'ab' }).ok).toBe(true);
  expect(check({ a: 'abc' }).ok).toBe(false);
});

test('does not take two schemas with one $id for the same', () => {
  const [first, second] = ['a', 'b'].map((name) => argsCheck(object({}, { $id: 'x', required: [name] })));

  expect(first?.({ a: 1 }).ok).toBe(true);
  expect(second?.({ a: 1 }).ok).toBe(false);
});

test.each([
  ['a dialect that nobody knows', { $schema: 'https://example.com/own' }],
  ['a reference to elsewhere', { properties: { a: { $ref: 'https://example.com/other' } } }],
  ['no schema at all', { type: 'nonsense' }],
])('leaves to the server what cannot be checked here: %s', (_, schema) => {
  expect(argsCheck({ ...schema, required: ['a'] })({})).toEqual({ ok: true, value: {} });
});

test.each(['^(a+)+$', '(x|x)*y', 'a*a*b', '^a?a?a?aaa$', '^\\w{1,}\\d{1,}$'])(
  'runs no pattern of a server that can take for ever: %s',
  (pattern) => {
    const hostile = argsCheck(object({ a: { type: 'string', pattern } }));
    const hidden = argsCheck(object({}, { patternProperties: { [pattern]: { type: 'number' } } }));

    expect(hostile({ a: `${'a'.repeat(40)}!` }).ok).toBe(true);
    expect(hidden({ [`${'a'.repeat(40)}!`]: 'text' }).ok).toBe(true);
  },
);

test('checks plain patterns, and properties that are called pattern', () => {
  const check = argsCheck(object({ pattern: { type: 'string', pattern: '^[a-z]+$' } }));

  expect(check({ pattern: 'abc' }).ok).toBe(true);
  expect(check({ pattern: 'ABC' }).ok).toBe(false);
});
