import { toResponsesBody } from '../../../../src/adapters/openrouter/responses/to-body.js';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import type { TranscriptItem } from '../../../../src/core/transcript.js';
import type { ModelRequest } from '../../../../src/ports/model.js';
import { reasoning } from './response-events.js';

const REQUEST: ModelRequest = {
  model: 'openai/gpt-5',
  items: [{ role: 'user', content: 'go' }],
  tools: [],
  toolChoice: 'auto',
  maxOutputTokens: 1000,
  metadata: { longhaul_run: 'r' },
  sessionId: 's',
};
const SCHEMA: JsonObject = { type: 'object', properties: { a: { type: 'string' } } };

const bodyOf = (more: Partial<ModelRequest> = {}): Record<string, JsonValue> =>
  JSON.parse(toResponsesBody({ ...REQUEST, ...more }));
const inputOf = (...items: TranscriptItem[]): JsonValue | undefined => bodyOf({ items })['input'];
const assistant = (more: Partial<Extract<TranscriptItem, { role: 'assistant' }>>): TranscriptItem => ({
  role: 'assistant',
  content: '',
  model: 'openai/gpt-5',
  ...more,
});
const call = (n: number) => ({ id: `call_${n}`, name: 'f', args: '{}' });
const callItem = (n: number): JsonObject => ({
  type: 'function_call',
  call_id: `call_${n}`,
  name: 'f',
  arguments: '{}',
});

describe('the body', () => {
  it('asks for a stream, for sealed reasoning, and that nothing is kept', () => {
    expect(bodyOf()).toEqual({
      model: 'openai/gpt-5',
      input: [{ type: 'message', role: 'user', content: 'go' }],
      include: ['reasoning.encrypted_content'],
      max_output_tokens: 1000,
      metadata: { longhaul_run: 'r' },
      session_id: 's',
      store: false,
      stream: true,
    });
  });

  it('names tools in an order of its own, and says that they are not strict', () => {
    const tools = ['b', 'a'].map((name) => ({ name, description: 'd', parameters: { type: 'object' } }));
    expect(bodyOf({ tools, toolChoice: 'none' })).toMatchObject({
      tools: [
        { type: 'function', name: 'a', description: 'd', parameters: { type: 'object' }, strict: false },
        { name: 'b' },
      ],
      tool_choice: 'none',
    });
  });

  it.each<[ModelRequest['reasoning'], JsonObject | undefined]>([
    [undefined, undefined],
    [{}, { summary: 'auto' }],
    [{ effort: 'high' }, { effort: 'high', summary: 'auto' }],
    [{ effort: 'none' }, { effort: 'none' }],
    [{ effort: 'low', exclude: true }, { effort: 'low' }],
    [{ exclude: true }, undefined],
    [{ maxTokens: 300 }, { max_tokens: 300, summary: 'auto' }],
  ])('asks for reasoning: %j', (asked, field) => {
    const body = bodyOf({ maxOutputTokens: 4000, ...(asked !== undefined && { reasoning: asked }) });
    expect(body['reasoning']).toEqual(field);
  });

  it('asks for an answer of a schema', () => {
    expect(bodyOf({ responseSchema: SCHEMA })['text']).toEqual({
      format: { type: 'json_schema', name: 'answer', schema: SCHEMA, strict: false },
    });
  });

  it('carries fallbacks, temperature and the highest price', () => {
    const maxPrice = { promptNanoUsdPerMillion: 2e9, completionNanoUsdPerMillion: 5e8, requestNanoUsd: 1 };
    expect(bodyOf({ models: ['a/b'], temperature: 0, maxPrice })).toMatchObject({
      models: ['a/b'],
      temperature: 0,
      provider: { max_price: { prompt: 2, completion: 0.5, request: 1e-9 } },
    });
  });

  it('only grows at its end when the conversation grows', () => {
    const items: TranscriptItem[] = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'go' },
      assistant({ content: 'a', calls: [call(0)], reasoning: [reasoning('rs_1')] }),
      { role: 'tool', callId: 'call_0', content: 'seen' },
      assistant({ content: 'b' }),
      { role: 'user', content: 'on' },
    ];
    const inputs = items.map((_, end) => {
      const body = toResponsesBody({ ...REQUEST, items: items.slice(0, end + 1) });
      return body.slice(0, body.indexOf('],"max_output_tokens"'));
    });
    const grows = inputs.slice(1).map((input, i) => input.startsWith(inputs[i] ?? '?'));
    expect(grows).toEqual([true, true, true, true, true]);
  });
});

describe('the input', () => {
  it('has each kind of message as its kind of item', () => {
    expect(
      inputOf(
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'go\ud83d' },
        assistant({ content: 'Looking.', calls: [{ id: 'call_0', name: 'a b', args: '{"a":1}' }] }),
        { role: 'tool', callId: 'call_0', content: 'seen' },
      ),
    ).toEqual([
      { type: 'message', role: 'system', content: 'Be brief.' },
      { type: 'message', role: 'user', content: 'go\ufffd' },
      { type: 'message', role: 'assistant', content: 'Looking.' },
      { type: 'function_call', call_id: 'call_0', name: 'a_b', arguments: '{"a":1}' },
      { type: 'function_call_output', call_id: 'call_0', output: 'seen' },
    ]);
  });

  it('has no message where the assistant only called', () => {
    expect(inputOf(assistant({ calls: [call(0)] }))).toEqual([callItem(0)]);
  });

  it('tells each message what it said of itself', () => {
    expect(inputOf(assistant({ content: 'x', phase: 'commentary' }))).toEqual([
      { type: 'message', role: 'assistant', content: 'x', phase: 'commentary' },
    ]);
  });

  it('has reasoning unchanged before what it led to', () => {
    const items = [reasoning('rs_1', { odd: [1] }), reasoning('rs_2')];
    expect(inputOf(assistant({ content: 'x', calls: [call(0)], reasoning: items }))).toEqual([
      ...items,
      { type: 'message', role: 'assistant', content: 'x' },
      callItem(0),
    ]);
  });

  it('has reasoning where it was, between calls', () => {
    const told = [{ type: 'message' }, reasoning('rs_1'), { type: 'function_call' }, reasoning('rs_2')];
    expect(inputOf(assistant({ content: 'x', calls: [call(0), call(1), call(2)], reasoning: told }))).toEqual(
      [
        { type: 'message', role: 'assistant', content: 'x' },
        reasoning('rs_1'),
        callItem(0),
        reasoning('rs_2'),
        callItem(1),
        callItem(2),
      ],
    );
  });

  const typesOf = (...items: TranscriptItem[]): unknown[] =>
    // The input is a list of items.
    (inputOf(...items) as JsonObject[]).map(({ type, id }) => id ?? type);

  it('has no reasoning of another family', () => {
    const told = { content: 'x', reasoning: [reasoning('rs_1')] };
    expect(typesOf(assistant({ ...told, model: 'anthropic/claude' }))).toEqual(['message']);
    expect(typesOf(assistant({ ...told, model: 'openai/other' }))).toEqual(['rs_1', 'message']);
  });

  it('has each reasoning item once', () => {
    const told = assistant({ content: 'x', reasoning: [reasoning('rs_1')] });
    expect(typesOf(told, { role: 'user', content: 'on' }, told)).toEqual([
      'rs_1',
      'message',
      'message',
      'message',
    ]);
  });

  it.each<[string, JsonObject, boolean]>([
    ['sealed, of OpenAI', reasoning('rs_1'), true],
    ['unsealed, of OpenAI', reasoning('rs_1', { encrypted_content: null }), false],
    [
      'signed, of Anthropic',
      { type: 'reasoning', id: 'rs_1', format: 'anthropic-claude-v1', signature: 's' },
      true,
    ],
    ['unsigned, of Anthropic', { type: 'reasoning', id: 'rs_1', format: 'anthropic-claude-v1' }, false],
    ['open, of no format', { type: 'reasoning', id: 'rs_1', content: [] }, true],
    ['open, of a format that nobody knows', { type: 'reasoning', id: 'rs_1', format: 'unknown' }, true],
  ])('has reasoning that its maker takes back: %s', (_name, item, isKept) => {
    const expected = isKept ? ['rs_1', 'message'] : ['message'];
    expect(typesOf(assistant({ content: 'x', reasoning: [item] }))).toEqual(expected);
  });
});
