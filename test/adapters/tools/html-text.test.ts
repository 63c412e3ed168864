import fc from 'fast-check';
import { htmlToText } from '../../../src/adapters/tools/html-text.js';

const text = (html: string) => htmlToText(html, 'https://example.com/docs/page');

test.each([
  ['words and white space', '  a\n\t b  ', 'a b'],
  ['paragraphs and headings', '<h1>One</h1><p>two</p><p>three</p>', 'One\n\ntwo\n\nthree'],
  ['lines', 'a<br>b<br/>c<div>d</div>', 'a\nb\nc\nd'],
  ['lists', '<ul><li>a</li><li>b</ul>', 'a\nb'],
  ['tables', '<table><tr><td>a<td>b<tr><th>c</th></table>', 'a b\nc'],
  ['inline markup', '<b>bo</b>ld <i>x</i>', 'bold x'],
  [
    'scripts and styles',
    'a<SCRIPT>if (1 < 2) "<p>"</script>b<style>p{}</style >c<svg><text>x</text></svg>d',
    'abcd',
  ],
  ['an element that is closed at once', 'a<svg/>b', 'ab'],
  ['a script without an end', 'a<script>b', 'a'],
  ['comments and declarations', '<!doctype html>a<!-- <p>x --> -->b<?php x ?>c', 'a -->bc'],
  ['a comment without an end', 'a<!-- b', 'a'],
  [
    'entities',
    '&lt;a&gt; &amp;amp; &#65;&#x1F600;&#0;&#xD800; &unknown; &copy',
    '<a> &amp; A😀 &unknown; &copy',
  ],
  ['what looks like markup', 'a < b <3 <> </ >', 'a < b <3 <> </ >'],
  ['a > within an attribute', '<p title="a > b">x</p>', 'x'],
  ['a tag without an end', 'a<p title="x', 'a'],
  ['letters that change length in lower case', 'İİİ<script>x</script>b', 'İİİb'],
  ['preformatted text', '<pre>a\n  b\n\tc</pre>  d  e', 'a\n  b\n    c\n\nd e'],
  [
    'links',
    '<a href="/x?a=1&amp;b=2">one</a> <a class=y href=two>two</a>',
    'one (https://example.com/x?a=1&b=2) two (https://example.com/docs/two)',
  ],
  [
    'links that lead nowhere',
    '<a href="#x">a</a><a href="javascript:x">b</a><a name=n>c</a><a href="mailto:x@y">d</a><a href="http://">e</a>',
    'abcde',
  ],
  [
    'a link within an open link',
    '<a href=/1>a<a href=/2>b</a>',
    'a (https://example.com/1)b (https://example.com/2)',
  ],
  ['nothing', '', ''],
])('reads %s', (_, html, expected) => {
  expect(text(html)).toBe(expected);
});

test.each([
  '<',
  '<a ',
  '<script',
  '<!--',
  '<a href="',
  "<a '",
  '<script>',
  '</',
  '<pre>',
  '&#',
  '&amp',
  '<a href=x',
  ' \n',
  '<p "\'>',
  '<a href href ',
])('takes a page of nothing but %j in no time', (piece) => {
  const html = piece.repeat(2_000_000 / piece.length);
  const startedAt = performance.now();

  text(html);

  expect(performance.now() - startedAt).toBeLessThan(10_000);
});

test('never throws, whatever the page', () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '</',
    '<!--',
    '-->',
    '"',
    "'",
    '=',
    'a',
    'script',
    'href',
    '&',
    '#',
    ';',
    '😀',
    '\uD800',
    ' ',
    '\n',
    '<pre',
    '/',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) =>
      expect(typeof text(pieces.join(''))).toBe('string'),
    ),
  );
});
