import fc from 'fast-check';
import { readVerdict } from '../../../src/core/review/review-brief.js';

describe('a verdict', () => {
  it.each<[string, string, string]>([
    ['the word alone', '[DONE]', ''],
    ['the word after what was looked at', 'I looked at all of it.\n[DONE]', 'I looked at all of it.'],
    ['the word with blanks around its line', 'Fine.\n  [DONE] \t', 'Fine.'],
    ['the word before empty lines', 'Fine.\r\n[DONE]\r\n\n  \n', 'Fine.'],
  ])('passes with %s', (_what, text, gaps) => {
    expect(readVerdict(text)).toEqual({ passed: true, gaps });
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['a mention in a sentence', 'The answer is not [DONE]'],
    ['a mention at the end of the last line', 'Say [DONE]'],
    ['words after it on its line', '[DONE] with one gap'],
    ['a full stop', '[DONE].'],
    ['small letters', '[done]'],
    ['no brackets', 'DONE'],
    ['stars', '**[DONE]**'],
    ['quotes', '`[DONE]`'],
    ['a fence', '```\n[DONE]\n```'],
    ['a list', '- [DONE]'],
    ['the word as a line in the middle', 'Not yet:\n[DONE]\nwould be wrong.'],
    ['a line that only a carriage return parts', 'Not yet\r[DONE]'],
    ['two of it', '[DONE] [DONE]'],
  ])('does not pass with %s', (_what, text) => {
    expect(readVerdict(text)).toEqual({ passed: false, gaps: text.trim() });
  });

  it.each(['length', 'content_filter', 'error'])(
    'that was broken off (%s) has no last line, whatever it ends with',
    (finish) => {
      const text = 'The answer writes\n[DONE]';
      expect(readVerdict(text, finish)).toEqual({ passed: false, gaps: text });
    },
  );

  const piece = fc.constantFrom('[DONE]', '\n', '\r\n', ' ', 'x', '.', '\t', '\u2028', '\u00a0', '- ');
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece).map((pieces) => pieces.join('')),
  );

  it('passes never unless its last line that is not empty is the word and nothing else', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const last = text
          .split('\n')
          .filter((line) => line.trim() !== '')
          .at(-1);
        expect(readVerdict(text).passed).toBe(last?.trim() === '[DONE]');
      }),
    );
  });

  it('never passes with anything behind the word', () => {
    fc.assert(
      fc.property(texts, fc.string({ minLength: 1 }), (before, after) => {
        fc.pre(after.trim() !== '' && after.trim() !== '[DONE]' && !/\n\s*\[DONE\]\s*$/.test(after));
        expect(readVerdict(`${before}\n[DONE]${after}`).passed).toBe(false);
      }),
    );
  });

  it('loses nothing that a reviewer has found', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { passed, gaps } = readVerdict(text);
        expect(passed ? `${gaps}\n[DONE]`.trim() : gaps).toBe(passed ? normal(text) : text.trim());
      }),
    );
  });
});

/** A verdict that passes, with its last line and the blanks before it as they are told. */
function normal(text: string): string {
  const before = text.trimEnd().split('\n').slice(0, -1).join('\n').trim();
  return `${before}\n[DONE]`.trim();
}
