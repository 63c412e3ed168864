import fc from 'fast-check';
import { promptSize, utf8SizeBytes } from '../../../src/core/context/prompt-size.js';
import type { RunState } from '../../../src/core/state.js';
import type { TranscriptItem } from '../../../src/core/transcript.js';
import { running } from '../support/run.js';

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc
    .array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 30 })
    .map((units) => String.fromCharCode(...units)),
);
const jsons = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)));
const items: fc.Arbitrary<TranscriptItem> = fc.oneof(
  fc.record({ role: fc.constant('user' as const), content: texts }),
  fc.record({ role: fc.constant('tool' as const), callId: texts, content: texts }),
  fc.record(
    {
      role: fc.constant('assistant' as const),
      content: texts,
      calls: fc.array(fc.record({ id: texts, name: texts, args: texts }), { maxLength: 3 }),
      reasoning: fc.array(jsons, { maxLength: 2 }),
    },
    { requiredKeys: ['role', 'content'] },
  ),
);

/** A prepared run with this transcript. */
function withTranscript(transcript: TranscriptItem[], fields: Partial<RunState> = {}): RunState {
  return { ...running().state, transcript, ...fields };
}

const user = (content: string): TranscriptItem => ({ role: 'user', content });

/** Bytes of all that the model reads of an item, counted with Node. */
function bytesOf(item: TranscriptItem): number {
  const parts = [item.content];
  if (item.role === 'tool') parts.push(item.callId);
  if (item.role === 'assistant') {
    for (const { id, name, args } of item.calls ?? []) parts.push(id, name, args);
    if (item.reasoning) parts.push(JSON.stringify(item.reasoning));
  }
  return parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
}

describe('the size of text', () => {
  it('is what it takes in UTF-8, lone surrogates included', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(utf8SizeBytes(text)).toBe(Buffer.byteLength(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['', 0],
    ['\u007f', 1],
    ['\u0080', 2],
    ['\u07ff', 2],
    ['\u0800', 3],
    ['\ud7ff', 3],
    ['\ud800', 3],
    ['\udbff\udfff', 4],
    ['\udc00\ud800', 6],
    ['\udc00\udc00', 6],
    ['\ud800\ud800\udc00', 7],
    ['\ue000', 3],
    ['🧹', 4],
  ])('of %j is %d', (text, sizeBytes) => {
    expect(utf8SizeBytes(text)).toBe(sizeBytes);
    expect(Buffer.byteLength(text)).toBe(sizeBytes);
  });
});

describe('the size of a prompt', () => {
  it('is at most one token for each byte of tools and transcript, beside frames', () => {
    fc.assert(
      fc.property(fc.array(items, { maxLength: 8 }), (transcript) => {
        const sizeBytes = transcript.reduce((sum, item) => sum + bytesOf(item), 900);
        const { mostTokens, expectedTokens } = promptSize(withTranscript(transcript));
        expect(mostTokens).toBeGreaterThanOrEqual(sizeBytes + 1_024);
        expect(mostTokens).toBeLessThanOrEqual(sizeBytes + 1_024 + transcript.length * 4 * 16);
        expect(expectedTokens).toBe(Math.ceil(sizeBytes / 3));
      }),
    );
  });

  it('counts 16 tokens for the frame of each message and of each call', () => {
    const size = (transcript: TranscriptItem[]) => promptSize(withTranscript(transcript)).mostTokens;
    const empty = size([]);
    expect(empty).toBe(1_024 + 900);
    expect(size([user('ab')]) - empty).toBe(2 + 16);
    const calls = [{ id: 'i', name: 'n', args: '{}' }];
    expect(size([{ role: 'assistant', content: 'ab', calls }]) - empty).toBe(2 + 4 + 2 * 16);
  });

  it('counts no tools where none are known', () => {
    const state = withTranscript([]);
    expect(promptSize({ ...state, prepared: null })).toEqual({ mostTokens: 1_024, expectedTokens: 0 });
  });

  it('grows with what is added, and never by less than a token for four bytes of it', () => {
    fc.assert(
      fc.property(fc.array(items, { maxLength: 5 }), items, (transcript, item) => {
        const before = promptSize(withTranscript(transcript));
        const after = promptSize(withTranscript([...transcript, item]));
        expect(after.mostTokens - before.mostTokens).toBeGreaterThan(JSON.stringify(item.content).length / 8);
        expect(after.mostTokens - before.mostTokens).toBeGreaterThanOrEqual(bytesOf(item) / 4);
        expect(after.expectedTokens).toBeGreaterThanOrEqual(before.expectedTokens);
      }),
    );
  });

  describe('once the server has counted a part of it', () => {
    const calibration = { model: 'maker/first', version: 1, promptTokens: 1_000 };
    const transcript = [user('x'.repeat(9_000)), user('abcdef')];

    it('is that count with a margin, and one token for each byte that came since', () => {
      expect(promptSize(withTranscript(transcript, { calibration }))).toEqual({
        mostTokens: 1_020 + 6 + 16,
        expectedTokens: 1_000 + 2,
      });
    });

    const uncounted = promptSize(withTranscript(transcript));

    it('is as if nobody had counted for another model, whose tokens are others', () => {
      const other = { ...calibration, model: 'maker/second' };
      expect(promptSize(withTranscript(transcript, { calibration: other }))).toEqual(uncounted);
      expect(uncounted.mostTokens).toBeGreaterThan(9_000);
    });

    it('is as if nobody had counted where several models may answer', () => {
      const { prepared, model } = running({ models: ['maker/second'] }).state;
      const several = { calibration, prepared };
      expect(promptSize(withTranscript(transcript, several))).toEqual(uncounted);
      const last = {
        ...several,
        calibration: { ...calibration, model: 'maker/second' },
        model: { ...model, index: 1 },
      };
      expect(promptSize(withTranscript(transcript, last)).expectedTokens).toBe(1_002);
    });

    it('is as if nobody had counted when the transcript is shorter than what was counted', () => {
      const state = withTranscript(transcript, { calibration: { ...calibration, version: 3 } });
      expect(promptSize(state).mostTokens).toBeGreaterThan(9_000);
      const whole = withTranscript(transcript, { calibration: { ...calibration, version: 2 } });
      expect(promptSize(whole)).toEqual({ mostTokens: 1_020, expectedTokens: 1_000 });
    });
  });
});
