import fc from 'fast-check';
import { CHAT_WIRE } from '../../../../src/adapters/openrouter/chat-wire.js';
import {
  toChatDetails,
  toReasoningItems,
} from '../../../../src/adapters/openrouter/responses/reasoning-bridge.js';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import { reasoning } from './response-events.js';

const text = (said: string, more: JsonObject = {}): JsonObject => ({
  type: 'reasoning.text',
  text: said,
  ...more,
});
const summary = (said: string, more: JsonObject = {}): JsonObject => ({
  type: 'reasoning.summary',
  summary: said,
  ...more,
});
const sealed = (data: string, more: JsonObject = {}): JsonObject => ({
  type: 'reasoning.encrypted',
  data,
  ...more,
});
const OPENAI = { format: 'openai-responses-v1' };
const ANTHROPIC = { format: 'anthropic-claude-v1' };

describe('reasoning of the chat wire, as items', () => {
  it('puts summaries and their seal into one item', () => {
    expect(
      toReasoningItems([
        summary('a', { id: null, index: 0, ...OPENAI }),
        summary('b', { index: 1, ...OPENAI }),
        sealed('S', { id: 'rs_1', index: 1, ...OPENAI }),
        sealed('T', { id: 'rs_2', ...OPENAI }),
      ]),
    ).toEqual([
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [
          { type: 'summary_text', text: 'a' },
          { type: 'summary_text', text: 'b' },
        ],
        encrypted_content: 'S',
        ...OPENAI,
      },
      { type: 'reasoning', id: 'rs_2', summary: [], encrypted_content: 'T', ...OPENAI },
    ]);
  });

  it('keeps each signed block an item of its own, with an id that is always the same', () => {
    const details = [
      text('a', { signature: 'A', index: 0, ...ANTHROPIC }),
      text('b', { signature: 'B', index: 1, ...ANTHROPIC }),
    ];
    const items = toReasoningItems(details);
    expect(items).toMatchObject([
      { content: [{ type: 'reasoning_text', text: 'a' }], signature: 'A', ...ANTHROPIC },
      { content: [{ type: 'reasoning_text', text: 'b' }], signature: 'B', ...ANTHROPIC },
    ]);
    const ids = items.map(({ id }) => id);
    expect(ids).toEqual(ids.map(() => expect.stringMatching(/^rs_[0-9a-f]{24}$/)));
    expect(new Set(ids).size).toBe(2);
    expect(toReasoningItems(details)).toEqual(items);
  });

  it('leaves items as they are, and what is neither out', () => {
    const item = reasoning('rs_1', { odd: 1 });
    const odd: JsonValue[] = [{ type: 'reasoning.server_tool_call' }, 'x', null, { type: 'message' }];
    expect(toReasoningItems([item, ...odd, reasoning('rs_2')])).toEqual([item, reasoning('rs_2')]);
  });
});

describe('reasoning items, as details of the chat wire', () => {
  it('tells each of what an item holds', () => {
    const item = reasoning('rs_1', {
      summary: [{ type: 'summary_text', text: 'a' }],
      content: [{ type: 'reasoning_text', text: 'b' }],
      signature: 'B',
    });
    expect(toChatDetails([{ type: 'message' }, item])).toEqual([
      summary('a', { index: 1, ...OPENAI }),
      text('b', { signature: 'B', index: 1, ...OPENAI }),
      sealed('sealed rs_1', { id: 'rs_1', index: 1, ...OPENAI }),
    ]);
  });

  it('leaves details as they are', () => {
    const details = [text('a', { odd: 1 }), { type: 'reasoning.server_tool_call' }];
    expect(toChatDetails(details)).toEqual(details);
  });

  const detailsSent = (told: JsonValue[]): unknown =>
    JSON.parse(
      CHAT_WIRE.toBody({
        model: 'deepseek/x',
        items: [
          { role: 'user', content: 'go' },
          { role: 'assistant', content: 'x', reasoning: told, model: 'deepseek/x' },
        ],
        tools: [],
        toolChoice: 'auto',
        maxOutputTokens: 1,
        metadata: {},
        sessionId: 's',
      }),
    ).messages[1].reasoning_details;

  it('sends none where nothing is left to say, but an empty list where there was one', () => {
    expect(detailsSent([{ type: 'reasoning', id: 'rs_1', summary: [] }])).toBeUndefined();
    expect(detailsSent([])).toEqual([]);
    expect(detailsSent([reasoning('rs_1')])).toMatchObject([{ data: 'sealed rs_1' }]);
  });
});

test('what came over the chat wire is the same after a turn on the other', () => {
  const word = fc.string({ minLength: 1 });
  const block = fc.oneof(
    fc
      .record({ text: word, signature: word })
      .map((block) => [text(block.text, { signature: block.signature, ...ANTHROPIC })]),
    fc
      .record({ summaries: fc.array(word, { maxLength: 3 }), data: word, id: fc.uuid() })
      .map(({ summaries, data, id }) => [
        ...summaries.map((said) => summary(said, OPENAI)),
        sealed(data, { id, ...OPENAI }),
      ]),
  );
  fc.assert(
    fc.property(fc.array(block), (blocks) => {
      const details = blocks.flatMap((each, index) => each.map((detail) => ({ ...detail, index })));
      expect(toChatDetails(toReasoningItems(details))).toEqual(details);
    }),
  );
});
