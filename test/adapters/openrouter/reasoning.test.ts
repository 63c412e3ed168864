import {
  ReasoningDetails,
  sameFamily,
  toReasoning,
  visibleReasoning,
} from '../../../src/adapters/openrouter/reasoning.js';
import { toWireBody } from '../../../src/adapters/openrouter/to-wire.js';
import type { JsonValue } from '../../../src/core/json.js';
import type { ReasoningOptions } from '../../../src/core/run-input.js';

const CLAUDE = 'anthropic/claude-opus-4.5';
const asked = (reasoning: ReasoningOptions, maxOutputTokens = 8_192, model = CLAUDE) =>
  toReasoning({ model, reasoning, maxOutputTokens });
const gathered = (...chunks: JsonValue[][]): JsonValue[] => {
  const details = new ReasoningDetails();
  for (const chunk of chunks) details.add(chunk);
  return details.list();
};

describe('the reasoning that is asked for', () => {
  it.each<[ReasoningOptions, unknown]>([
    [{ effort: 'xhigh' }, { effort: 'xhigh' }],
    [{ effort: 'none' }, { effort: 'none' }],
    [{ maxTokens: 2_000 }, { max_tokens: 2_000 }],
    [{ maxTokens: 2_000, effort: 'low' }, { max_tokens: 2_000 }],
    [{ exclude: true }, { exclude: true }],
    [
      { effort: 'high', exclude: false },
      { effort: 'high', exclude: false },
    ],
    [{}, undefined],
  ])('%j is %j', (options, expected) => {
    expect(asked(options)).toEqual(expected);
  });

  it('leaves room for an answer, and is not asked for where there is none', () => {
    expect(asked({ maxTokens: 8_192 })).toEqual({ max_tokens: 4_096 });
    expect(asked({ maxTokens: 4_000 }, 3_000)).toEqual({ max_tokens: 1_500 });
    expect(asked({ maxTokens: 500 }, 1_024)).toBeUndefined();
    expect(asked({ maxTokens: 500, exclude: true }, 1_024)).toEqual({ exclude: true });
  });

  it('has no effort where Anthropic would think as much as it may write', () => {
    expect(asked({ effort: 'low' }, 1_024)).toBeUndefined();
    expect(asked({ effort: 'low' }, 1_025)).toEqual({ effort: 'low' });
    expect(asked({ effort: 'none' }, 64)).toEqual({ effort: 'none' });
    expect(asked({ effort: 'low' }, 64, 'openai/gpt-5')).toEqual({ effort: 'low' });
  });
});

describe('reasoning details of a stream', () => {
  const text = (words: string, more: object = {}) => ({ type: 'reasoning.text', text: words, ...more });

  it('are joined where they are pieces of one text; the first format and signature count', () => {
    expect(
      gathered(
        [text('a', { format: 'anthropic-claude-v1', signature: null, index: 0 })],
        [text('b', { format: 'other', signature: '', index: 0 })],
        [{ type: 'reasoning.text', signature: 'S', index: 0 }],
        [{ type: 'reasoning.text', signature: 'T', index: 0 }],
      ),
    ).toEqual([text('ab', { format: 'anthropic-claude-v1', signature: 'S', index: 0 })]);
  });

  it('take a signature that comes after the answer has begun', () => {
    // Chunks of content alone bring an empty list.
    expect(
      gathered([text('a', { index: 0 })], [], [], [{ type: 'reasoning.text', signature: 'S', index: 0 }]),
    ).toEqual([text('a', { signature: 'S', index: 0 })]);
  });

  it('stay two texts where the first is signed and the second stands elsewhere', () => {
    const signed = text('a', { signature: 'S', index: 0 });
    expect(gathered([signed], [text('b', { index: 1 })])).toEqual([signed, text('b', { index: 1 })]);
  });

  it('are kept as they are, in order, when they are anything else', () => {
    const others: JsonValue[] = [
      { type: 'reasoning.summary', summary: ' the', id: 'r' },
      { type: 'reasoning.summary', summary: ' the', id: 'r' },
      { type: 'reasoning.encrypted', data: 'x', id: null, format: 'google-gemini-v1' },
      {
        type: 'reasoning.server_tool_call',
        tool_name: 'web',
        arguments: '{}',
        result: 'r',
        tool_call_id: 't',
      },
      { type: 'reasoning.of_tomorrow', anything: 1 },
    ];
    expect(gathered(others)).toEqual(others);
    expect(gathered([])).toEqual([]);
  });
});

describe('what is shown of reasoning', () => {
  it.each<[string, JsonValue, string]>([
    ['its text', { reasoning: 'so', reasoning_details: [{ type: 'reasoning.text', text: 'so' }] }, 'so'],
    ['its text under the other name', { reasoning_content: 'so' }, 'so'],
    ['texts and summaries of details', { reasoning_details: [{ text: 'a' }, { summary: 'b' }] }, 'ab'],
    ['nothing that is sealed', { reasoning_details: [{ type: 'reasoning.encrypted', data: 'x' }] }, ''],
    ['nothing that was withheld', { reasoning: '[REDACTED]' }, ''],
    [
      'what stands beside what was withheld',
      { reasoning_details: [{ text: '[REDACTED]' }, { text: 'b' }] },
      'b',
    ],
  ])('is %s', (_what, delta, expected) => {
    expect(visibleReasoning(delta)).toBe(expected);
  });
});

describe('reasoning that goes back', () => {
  const sent = (reasoning: JsonValue[]): Record<string, unknown> => {
    const body = toWireBody({
      model: CLAUDE,
      items: [{ role: 'assistant', content: 'x', reasoning, model: CLAUDE }],
      tools: [],
      toolChoice: 'auto',
      maxOutputTokens: 1,
      metadata: {},
      sessionId: 's',
    });
    const { messages }: { messages: Record<string, unknown>[] } = JSON.parse(body);
    return messages[0] ?? {};
  };

  it('keeps the calls that a server has made while it thought', () => {
    const call = { type: 'reasoning.server_tool_call', tool_name: 'web', arguments: '{}', result: 'r' };
    expect(sent([call, call])['reasoning_details']).toEqual([call, call]);
  });

  it.each<[string, JsonValue[]]>([
    ['with details', [{ type: 'reasoning.encrypted', data: 'x' }]],
    ['with details that are left out', [{ type: 'reasoning.text', text: 'unsigned' }]],
    ['with an empty list', []],
  ])('is never a text: %s', (_name, reasoning) => {
    expect(sent(reasoning)).not.toHaveProperty('reasoning');
    expect(sent(reasoning)).not.toHaveProperty('reasoning_content');
  });
});

describe('sameFamily', () => {
  it.each([
    ['anthropic/claude-a', 'anthropic/claude-b:thinking', true],
    ['~anthropic/claude-latest', 'anthropic/claude-b', true],
    ['anthropic/claude-a', 'google/gemini', false],
    ['gpt-4o-2024-08-06', 'gpt-4o', true],
    ['gpt-4o-2024-08-06', 'openai/gpt-4o', true],
    ['llama3.1', 'gpt-4o', false],
    ['google/gemini', 'openrouter/auto', true],
    ['google/gemini', '@preset/mine', true],
  ])('%s and %s: %s', (one, other, expected) => {
    expect(sameFamily(one, other)).toBe(expected);
    expect(sameFamily(other, one)).toBe(expected);
  });
});
