import fc from 'fast-check';
import { EMPTY_HASH, hashItems, rollHash, type TranscriptItem } from '../../src/core/transcript.js';

describe('rollHash', () => {
  it.each([
    [EMPTY_HASH, '', 'li5lq7a5rn'],
    [EMPTY_HASH, 'hello', 'q6g7aw9rqo'],
    ['zik0zj', 'Grüße 🧹', '28s45k6yzxh'],
  ])('of %j and %j stays what it is, for running runs carry it on', (previous, text, hash) => {
    expect(rollHash(previous, text)).toBe(hash);
  });

  it('is short text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (previous, text) =>
        expect(rollHash(previous, text)).toMatch(/^[0-9a-z]{1,11}$/),
      ),
    );
  });

  it('tells texts apart that are alike, by what they say and what went before', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (text, more) => {
        expect(rollHash(EMPTY_HASH, text + more)).not.toBe(rollHash(EMPTY_HASH, text));
        expect(rollHash(rollHash(EMPTY_HASH, text), more)).not.toBe(
          rollHash(rollHash(EMPTY_HASH, more), `${text}${more}`),
        );
      }),
    );
  });

  it('has no two equal among many short texts', () => {
    const hashes = new Set(Array.from({ length: 50_000 }, (_, n) => rollHash(EMPTY_HASH, `{"n":${n}}`)));
    expect(hashes.size).toBe(50_000);
  });
});

describe('hashItems', () => {
  const items: TranscriptItem[] = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b', calls: [{ id: 'c', name: 'look', args: '{}' }] },
    { role: 'tool', callId: 'c', content: 'd' },
  ];

  it('is the same whether items come one by one or together', () => {
    const [first, ...rest] = items;
    expect(hashItems(hashItems(EMPTY_HASH, first ? [first] : []), rest)).toBe(hashItems(EMPTY_HASH, items));
  });

  it('leaves the hash alone where nothing is added', () => {
    expect(hashItems('x', [])).toBe('x');
  });

  it('depends on order and on every field', () => {
    const variants: TranscriptItem[][] = [
      items,
      [...items].reverse(),
      items.slice(0, 2),
      [{ role: 'system', content: 'a' }, ...items.slice(1)],
      [{ role: 'user', content: 'A' }, ...items.slice(1)],
      [...items.slice(0, 2), { role: 'tool', callId: 'C', content: 'd' }],
    ];
    expect(new Set(variants.map((variant) => hashItems(EMPTY_HASH, variant))).size).toBe(variants.length);
  });
});
