import fc from 'fast-check';
import { cutForTranscript, toResultText } from '../../../src/adapters/tools/tool-output.js';
import { memoryArtifacts } from './tool-harness.js';

const circular: Record<string, unknown> = { name: 'loop' };
circular['self'] = circular;
const shared = { x: 1 };
const deep: unknown[] = [];
for (let inner = deep, depth = 0; depth < 100_000; depth += 1) inner.push((inner = []));
const wide = Array.from({ length: 40 }).reduce<unknown>((value) => [value, value], 1);

test.each([
  ['a text', 'plain', 'plain'],
  ['an empty text', '', ''],
  ['nothing', undefined, '(no output)'],
  ['null', null, 'null'],
  ['a number', 1.5, '1.5'],
  ['no number', Number.NaN, 'NaN'],
  ['a boolean', false, 'false'],
  ['a big integer', 12_345_678_901_234_567_890n, '12345678901234567890'],
  ['an object', { a: 1, b: [true, null] }, '{"a":1,"b":[true,null]}'],
  [
    'an object with what JSON lacks',
    { n: 1n, i: Infinity, f: () => 1, u: undefined },
    '{"n":"1","i":"Infinity","f":"(function f)"}',
  ],
  ['an error', new RangeError('too far'), 'RangeError: too far'],
  ['an error inside', { why: new Error('no') }, '{"why":"Error: no"}'],
  ['a function', function named() {}, '(function named)'],
  ['a symbol', Symbol('s'), 'Symbol(s)'],
  ['a map', new Map([['k', 1]]), '[["k",1]]'],
  ['a set', new Set([1, 2]), '[1,2]'],
  ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ['bytes of text', Buffer.from('größer'), 'größer'],
  ['bytes of no text', Buffer.from([0xff, 0xfe, 0]), '(3 bytes of binary data)'],
  ['bytes inside', { file: new Uint8Array([0, 1]) }, '{"file":"(2 bytes of binary data)"}'],
  ['a circle', circular, '{"name":"loop","self":"(circular)"}'],
  ['the same twice, which is no circle', [shared, shared], '[{"x":1},{"x":1}]'],
  ['half a surrogate pair', 'a\uD800b', 'a\uFFFDb'],
  ['a whole surrogate pair', '😀', '😀'],
  ['a nesting too deep', deep, '(the tool returned a value that cannot be written as text)'],
  [
    'a small graph that is endless to write',
    wide,
    '(the tool returned a value that cannot be written as text)',
  ],
  [
    'an object that throws',
    {
      get x() {
        throw new Error('no');
      },
    },
    '(the tool returned a value that cannot be written as text)',
  ],
])('writes %s as text', (_, value, text) => {
  expect(toResultText(value)).toBe(text);
});

test('takes 50 MB', () => {
  expect(toResultText('x'.repeat(50_000_000))).toHaveLength(50_000_000);
});

test('never throws, and always gives text that survives UTF-8', () => {
  fc.assert(
    fc.property(
      fc.anything({
        withBigInt: true,
        withMap: true,
        withSet: true,
        withTypedArray: true,
        withNullPrototype: true,
      }),
      (value) => {
        const text = toResultText(value);
        expect(Buffer.from(text, 'utf8').toString('utf8')).toBe(text);
      },
    ),
  );
});

test('leaves a text alone that is not above the limit, and stores nothing', async () => {
  const put = jest.fn();

  await expect(cutForTranscript({ text: 'x'.repeat(16_000), artifacts: { put } })).resolves.toEqual({
    text: 'x'.repeat(16_000),
  });
  expect(put).not.toHaveBeenCalled();
});

test('keeps head and tail, and says how much is missing and how to read it', async () => {
  const artifacts = memoryArtifacts();
  const whole = 'h'.repeat(20_000) + 't'.repeat(20_000);

  const { text, artifact } = await cutForTranscript({ text: whole, artifacts });

  const [, left, total, id, offset] =
    /\[(\d+) of (\d+) characters are left out here\. Read them with read_artifact: id (\S+), offset (\d+)\.\]/.exec(
      text,
    ) ?? [];
  expect(artifact).toEqual({ id, sizeBytes: 40_000 });
  expect(Number(total)).toBe(40_000);
  const rest = await artifacts.read(id ?? '', { offset: Number(offset), length: Number(left) });
  const [head = '', tail = ''] = text.split(/\n\n\[.*\]\n\n/);
  expect(head + (rest?.text ?? '') + tail).toBe(whole);
});

test('a cut text never passes the limit, loses nothing, and splits no character', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1_000, max: 3_000 }),
      fc.integer({ min: 0, max: 5_000 }),
      async (limitChars, length) => {
        const whole = 'é😀'.repeat(length).slice(length % 2);
        const { text, artifact } = await cutForTranscript({
          text: whole,
          limitChars,
          artifacts: memoryArtifacts(),
        });
        expect(text.length).toBeLessThanOrEqual(limitChars);
        expect(artifact === undefined).toBe(whole.length <= limitChars);
        expect(toResultText(text)).toBe(text);
      },
    ),
  );
});
