import fc from 'fast-check';
import { MAX_EVENT_CHARS, SseDecoder, type SseEvent } from '../../../src/adapters/openrouter/sse.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function decode(...pieces: Uint8Array[]): { events: SseEvent[]; stray: string } {
  const decoder = new SseDecoder();
  const events = pieces.flatMap((piece) => decoder.push(piece));
  events.push(...decoder.end());
  return { events, stray: decoder.stray };
}

const data = (text: string): string[] => decode(bytes(text)).events.map((event) => event.data);

describe('SseDecoder', () => {
  it.each([
    ['plain events', 'data: a\n\ndata: b\n\n', ['a', 'b']],
    ['carriage returns', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    ['no space after the colon', 'data:a\n\n', ['a']],
    ['one space only is taken off', 'data:  a\n\n', [' a']],
    ['several data lines of one event', 'data: a\ndata: b\n\n', ['a\nb']],
    ['comments before, between and inside', ': x\n\n: y\ndata: a\n: z\n\n', ['a']],
    ['other fields', 'id: 1\nretry: 5\ndata: a\n\n', ['a']],
    ['a last event without its blank line', 'data: a\n\ndata: b\n', ['a', 'b']],
    ['a last event without any line end', 'data: a\n\ndata: b', ['a', 'b']],
    ['the end mark', 'data: [DONE]\n\n', ['[DONE]']],
    ['nothing', '', []],
  ])('decodes %s', (_name, text, expected) => {
    expect(data(text)).toEqual(expected);
  });

  it('names the event', () => {
    expect(decode(bytes('event: error\ndata: a\n\ndata: b\n\n')).events).toEqual([
      { event: 'error', data: 'a' },
      { event: '', data: 'b' },
    ]);
  });

  it('keeps what is no event stream', () => {
    expect(decode(bytes('<html>\n<body>x</body>')).stray).toBe('<html>\n<body>x</body>\n');
    expect(decode(bytes('{"error":{"code":502}}')).stray).toBe('{"error":{"code":502}}\n');
  });

  it('takes time in proportion to the bytes, though each comes by itself', () => {
    const decoder = new SseDecoder();
    const byte = bytes('x');
    const startedMs = Date.now();
    decoder.push(bytes('data: '));
    for (let n = 0; n < 1_000_000; n++) decoder.push(byte);
    expect(decoder.push(bytes('\n\n'))).toEqual([{ event: '', data: 'x'.repeat(1_000_000) }]);
    // Searched and joined anew for each byte, it would take minutes.
    expect(Date.now() - startedMs).toBeLessThan(15_000);
  });

  it.each([
    ['a line', 'data: '.padEnd(65_536, 'x'), 'x'.repeat(65_536)],
    ['an event of many lines', `data: ${'x'.repeat(65_536)}\n`, `data: ${'x'.repeat(65_536)}\n`],
    ['a comment', `: ${'x'.repeat(65_536)}`, 'x'.repeat(65_536)],
  ])('gives %s up that does not end', (_name, first, more) => {
    const decoder = new SseDecoder();
    decoder.push(bytes(first));
    const goOn = () => {
      for (let n = 0; n < MAX_EVENT_CHARS / 65_536; n++) decoder.push(bytes(more));
    };
    expect(goOn).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }));
  });

  it('lets any number of events and comments pass that do end', () => {
    const decoder = new SseDecoder();
    const text = bytes(`: ${'x'.repeat(65_536)}\ndata: ${'x'.repeat(65_536)}\n\nid: ${'x'.repeat(65_536)}\n`);
    let events = 0;
    for (let n = 0; n < 600; n++) events += decoder.push(text).length;
    expect(events).toBe(600);
  });

  it('gives the same events however the bytes are cut', () => {
    const text = ': c\n\ndata: {"t":"żółw 🐢"}\r\n\r\nevent: error\ndata: x\ndata: y\n\ndata: [DONE]\n\n';
    const whole = bytes(text);
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 12 }), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), whole.length];
        const pieces = edges.slice(1).map((edge, i) => whole.slice(edges[i], edge));
        expect(decode(...pieces)).toEqual(decode(whole));
      }),
    );
  });
});
