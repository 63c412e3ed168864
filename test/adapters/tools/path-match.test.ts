import fc from 'fast-check';
import { pathMatcher } from '../../../src/adapters/tools/path-match.js';

test.each([
  ['*.ts', 'a.ts', true],
  ['*.ts', 'src/deep/a.ts', true],
  ['*.ts', 'a.tsx', false],
  ['a?.ts', 'ab.ts', true],
  ['a?.ts', 'a.ts', false],
  ['src/*.ts', 'src/a.ts', true],
  ['src/*.ts', 'src/deep/a.ts', false],
  ['src/**/*.ts', 'src/a.ts', true],
  ['src/**/*.ts', 'src/x/y/a.ts', true],
  ['src/**/*.ts', 'lib/src/a.ts', false],
  ['**/*.ts', 'a.ts', true],
  ['**/test/**', 'x/test/y/z.js', true],
  ['src/**', 'src/a/b', true],
  ['./src/*', 'src/a', true],
  ['*.{ts,js}', 'x/a.js', true],
  ['*.{ts,js}', 'x/a.md', false],
  ['{src,lib}/{a,b}.ts', 'lib/b.ts', true],
  ['{src,lib}/{a,b}.ts', 'lib/c.ts', false],
  ['*', 'anything', true],
  ['a.c', 'abc', false],
  ['[a].ts', '[a].ts', true],
  ['*a*b*', 'xxaxxbxx', true],
  ['*ab', 'aab', true],
  ['?', '😀', true],
])('%s against %s: %s', (pattern, path, fits) => {
  expect(pathMatcher(pattern)(path)).toBe(fits);
});

test('a name fits itself, and any pattern made of it by putting stars in the place of letters', () => {
  const name = fc.stringMatching(/^[a-c]{1,12}$/);
  fc.assert(
    fc.property(name, fc.array(fc.boolean()), (text, stars) => {
      const pattern = Array.from(text, (letter, index) => (stars[index] ? '*' : letter)).join('');
      expect(pathMatcher(pattern)(text)).toBe(true);
      expect(pathMatcher(`${pattern}x`)(text)).toBe(false);
    }),
  );
});

test('no pattern takes long', () => {
  const startedAt = performance.now();

  pathMatcher(`${'*a'.repeat(100)}b`)('a'.repeat(255));
  pathMatcher(`${'**/a/'.repeat(40)}b`)('a/'.repeat(2_000));
  pathMatcher('{a,b}'.repeat(40))('a'.repeat(40));
  pathMatcher(`{${','.repeat(198)}`)('a');

  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
