import fc from 'fast-check';
import { sharedPatch } from '../../src/activities/shared-values.js';
import type { JsonObject } from '../../src/core/json.js';

const anything = () => null;
const circular: { self?: unknown } = {};
circular.self = circular;

it.each<[string, unknown]>([
  ['a cycle', circular],
  ['a big integer', { n: 1n }],
  ['a function', { f: () => 1 }],
  ['a symbol', { s: Symbol('s') }],
  ['no number', { n: Number.NaN }],
  ['infinity', { n: [Infinity] }],
  ['a date', { at: new Date(0) }],
  ['a map', { map: new Map() }],
  ['bytes', { bytes: new Uint8Array(1) }],
  ['an instance', { error: new Error('x') }],
  ['nothing', undefined],
  ['null', null],
  ['a list', []],
  ['a text', 'x'],
])('refuses %s, which JSON would lose or change', (_what, after) => {
  expect(sharedPatch({}, after, anything)).toEqual({ problem: expect.stringContaining('not a JSON object') });
});

it.each<[unknown, JsonObject | null]>([
  [{ a: 1, b: { c: [1, 2] } }, null],
  [{ b: { c: [1, 2] }, a: 1 }, null],
  [{ a: 2, b: { c: [1, 2] } }, { a: 2 }],
  [{ a: 1 }, { b: null }],
  [{ a: 1, b: null }, { b: null }],
  [{ a: undefined, b: { c: [1, 2], d: undefined } }, { a: null }],
  [{ a: 1, b: { c: [1, 2] }, n: null }, null],
  [Object.assign(Object.create(null), { a: 1, b: { c: [1, 2] } }), null],
  [{ a: 1, b: { c: [1, 2] }, constructor: 1 }, { constructor: 1 }],
])('makes %j of what was {"a":1,"b":{"c":[1,2]}} the patch %j', (after, patch) => {
  expect(sharedPatch({ a: 1, b: { c: [1, 2] } }, after, anything)).toEqual({ patch });
});

it('takes what fits to the last character', () => {
  const [fits, tooLong] = [{ t: 'x'.repeat(16_376) }, { t: 'x'.repeat(16_377) }];
  expect(sharedPatch({}, fits, anything)).toEqual({ patch: fits });
  expect(sharedPatch({}, tooLong, anything)).toEqual({
    problem: expect.stringContaining('16385 characters'),
  });
});

it('holds the values against the schema as a whole, without those that are gone', () => {
  const check = jest.fn(() => 'No.');
  expect(sharedPatch({ a: 1, b: 2 }, { a: 3, b: null }, check)).toEqual({ problem: 'No.' });
  expect(check).toHaveBeenCalledWith({ a: 3 });
});

it('gives a patch that leads from what was to what is', () => {
  const values = fc.dictionary(
    fc.constantFrom('a', 'b', '__proto__', 'd'),
    fc.jsonValue(),
  ) as fc.Arbitrary<JsonObject>; // jsonValue is typed wider.
  const present = (all: JsonObject) =>
    Object.entries(all)
      .filter(([, value]) => value !== null)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  fc.assert(
    fc.property(values, values, (before, after) => {
      const result = sharedPatch(before, after, anything);
      const patch = 'patch' in result ? (result.patch ?? {}) : {};
      const merged = Object.fromEntries([...Object.entries(before), ...Object.entries(patch)]);
      expect(JSON.stringify(present(merged).map(([key]) => key))).toBe(
        JSON.stringify(present(after).map(([key]) => key)),
      );
      for (const [key, value] of present(after))
        expect(JSON.parse(JSON.stringify(merged[key]))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
