import { resultText } from '../../../src/adapters/mcp/result-text.js';

const text = (words: string) => ({ type: 'text' as const, text: words });

test.each([
  ['texts line by line', { content: [text('a'), text('b')] }, 'a\nb'],
  ['nothing as such', { content: [] }, '(no output)'],
  ['structure where there is no text', { content: [], structuredContent: { a: [1] } }, '{"a":[1]}'],
  ['text in the place of the same structure', { content: [text('one')], structuredContent: { a: 1 } }, 'one'],
  [
    'the text of a resource',
    { content: [{ type: 'resource' as const, resource: { uri: 'a:b', mimeType: 'text/x', text: 'hi' } }] },
    '(the resource a:b of type text/x)\nhi',
  ],
  [
    'the size of bytes',
    {
      content: [
        { type: 'audio' as const, mimeType: 'audio/wav', data: 'AAAA' },
        { type: 'resource' as const, resource: { uri: 'a:b', blob: 'AAAA' } },
      ],
    },
    '(audio of type audio/wav, 3 bytes, not shown)\n(the resource a:b, 3 bytes, not shown)',
  ],
  [
    'links',
    { content: [{ type: 'resource_link' as const, uri: 'a:b', name: 'n', description: 'about' }] },
    '(a link to the resource a:b: n, about)',
  ],
])('shows %s', (_, result, words) => {
  expect(resultText(result)).toBe(words);
});
