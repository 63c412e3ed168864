import fc from 'fast-check';
import { canonicalJson, type JsonValue } from '../../src/core/json.js';

/** The same value with the keys of every object the other way round. */
function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}

// JSON.parse gives plain JSON only; fast-check types it as unknown.
const values = fc.json().map((text) => JSON.parse(text) as JsonValue);

describe('canonicalJson', () => {
  it('sorts keys at every depth and leaves arrays in order', () => {
    expect(canonicalJson({ b: [{ z: 1, a: null }, 2], a: { d: 'x', c: true } })).toBe(
      '{"a":{"c":true,"d":"x"},"b":[{"a":null,"z":1},2]}',
    );
  });

  it('tells upper from lower case and sorts it first', () => {
    expect(canonicalJson({ a: 1, B: 2, A: 3 })).toBe('{"A":3,"B":2,"a":1}');
  });

  it.each([null, 'é\n', 0, -1.5, true, [], {}])('of %j is its JSON', (value) => {
    expect(canonicalJson(value)).toBe(JSON.stringify(value));
  });

  it('keeps a key named __proto__', () => {
    expect(canonicalJson(JSON.parse('{"b":1,"__proto__":{"y":1,"x":2}}'))).toBe(
      '{"__proto__":{"x":2,"y":1},"b":1}',
    );
  });

  it('stands for the same value', () => {
    fc.assert(fc.property(values, (value) => expect(JSON.parse(canonicalJson(value))).toEqual(value)));
  });

  it('is the same for equal values, whatever the order of their keys', () => {
    fc.assert(
      fc.property(values, (value) => expect(canonicalJson(reversed(value))).toBe(canonicalJson(value))),
    );
  });
});
