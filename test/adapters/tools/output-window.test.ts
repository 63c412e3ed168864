import fc from 'fast-check';
import { OutputWindow } from '../../../src/adapters/tools/output-window.js';

const NOTE = /\n\n\[(\d+) of (\d+) bytes are left out here\.\]\n\n/;

function windowOf(partBytes: number, ...chunks: (string | Uint8Array)[]): OutputWindow {
  const window = new OutputWindow(partBytes);
  for (const chunk of chunks) window.add(Buffer.from(chunk));
  return window;
}

test('keeps what fits as it is', () => {
  expect(windowOf(4).text()).toBe('');
  expect(windowOf(4, 'abc', 'de', 'fgh').text()).toBe('abcdefgh');
});

test('keeps head and tail of what does not fit, and says how much is left out', () => {
  expect(windowOf(4, 'abcdefghi').text()).toBe('abcd\n\n[1 of 9 bytes are left out here.]\n\nfghi');
});

test('leaves out a character that the cut goes through', () => {
  expect(windowOf(4, 'abcé', 'x'.repeat(10), '€yz').text()).toBe(
    'abc\n\n[12 of 20 bytes are left out here.]\n\nyz',
  );
});

test('takes bytes that are no text', () => {
  expect(windowOf(4, Uint8Array.of(0xff, 0x41, 0x80)).text()).toBe('\uFFFDA\uFFFD');
});

test('whatever the pieces, the ends are those of the whole', () => {
  const letters = fc.stringMatching(/^[a-z]*$/);
  fc.assert(
    fc.property(fc.array(letters), fc.integer({ min: 1, max: 20 }), (chunks, partBytes) => {
      const whole = chunks.join('');
      const window = windowOf(partBytes, ...chunks);

      expect(window.totalBytes).toBe(whole.length);
      expect(window.omittedBytes).toBe(Math.max(0, whole.length - 2 * partBytes));
      const [head = '', omitted = '0', total = String(whole.length), tail = ''] = window.text().split(NOTE);
      expect([Number(omitted), Number(total)]).toEqual([window.omittedBytes, whole.length]);
      if (window.omittedBytes === 0) expect(head).toBe(whole);
      else expect([head, tail]).toEqual([whole.slice(0, partBytes), whole.slice(-partBytes)]);
    }),
  );
});

test('knows the last line, without what ends it', () => {
  expect(windowOf(8).lastLine(100)).toBe('');
  expect(windowOf(8, 'one\ntwo\n\n').lastLine(100)).toBe('two');
  expect(windowOf(8, '10 %\r20 %').lastLine(100)).toBe('20 %');
  expect(windowOf(100, 'x'.repeat(50)).lastLine(10)).toBe('x'.repeat(10));
  expect(windowOf(4, 'abcdefgh\nijk').lastLine(100)).toBe('ijk');
});
