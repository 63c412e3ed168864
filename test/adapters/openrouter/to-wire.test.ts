import fc from 'fast-check';
import { parseDecimal, toNanoUsdExact } from '../../../src/adapters/openrouter/cost.js';
import { toWireBody } from '../../../src/adapters/openrouter/to-wire.js';
import type { JsonValue } from '../../../src/core/json.js';
import type { TranscriptItem } from '../../../src/core/transcript.js';
import type { ModelRequest } from '../../../src/ports/model.js';

const request = (more: Partial<ModelRequest> = {}): ModelRequest => ({
  model: 'anthropic/claude-sonnet-4.5',
  items: [{ role: 'user', content: 'go' }],
  tools: [],
  toolChoice: 'auto',
  maxOutputTokens: 1000,
  metadata: { longhaul_step: '3', longhaul_run: 'r', longhaul_purpose: 'step' },
  sessionId: 'r',
  ...more,
});

const parse = (more: Partial<ModelRequest>): Record<string, unknown> => JSON.parse(toWireBody(request(more)));
const messages = (...items: TranscriptItem[]): unknown => parse({ items })['messages'];
const sentDetails = (items: TranscriptItem[], model?: string): unknown[] =>
  (parse({ items, ...(model !== undefined && { model }) })['messages'] as Record<string, unknown>[]).map(
    (each) => each['reasoning_details'],
  );
const thought = (reasoning: JsonValue[], model?: string): TranscriptItem => ({
  role: 'assistant',
  content: 'x',
  reasoning,
  ...(model !== undefined && { model }),
});

describe('toWireBody', () => {
  it('names the highest price in dollars, and none when none is given', () => {
    const maxPrice = {
      promptNanoUsdPerMillion: 3_000_000_000,
      completionNanoUsdPerMillion: 12_500_001,
      requestNanoUsd: 0,
    };
    expect(parse({ maxPrice })['provider']).toEqual({
      max_price: { prompt: 3, completion: 0.012500001, request: 0 },
    });
    expect(toWireBody(request({ maxPrice }))).toContain(
      '"provider":{"max_price":{"completion":0.012500001,"prompt":3,"request":0}}',
    );
    expect(parse({})).not.toHaveProperty('provider');
  });

  it('names a highest price that reads back as the same nano-dollars', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 14 }), (nanoUsd) => {
        const maxPrice = {
          promptNanoUsdPerMillion: nanoUsd,
          completionNanoUsdPerMillion: nanoUsd,
          requestNanoUsd: nanoUsd,
        };
        const read = /"prompt":([^,]*),/.exec(toWireBody(request({ maxPrice })))?.[1];
        const exact = parseDecimal(read);
        expect(exact && toNanoUsdExact([exact])).toBe(nanoUsd);
      }),
    );
  });

  it('is a whole request', () => {
    const body = parse({
      models: ['b/c'],
      temperature: 0,
      reasoning: { effort: 'low' },
      maxOutputTokens: 2000,
      tools: [{ name: 'f', description: 'd', parameters: { type: 'object' } }],
    });
    expect(body).toEqual({
      model: 'anthropic/claude-sonnet-4.5',
      models: ['b/c'],
      messages: [{ role: 'user', content: 'go' }],
      max_tokens: 2000,
      tools: [
        { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' } } },
      ],
      tool_choice: 'auto',
      temperature: 0,
      reasoning: { effort: 'low' },
      cache_control: { type: 'ephemeral' },
      metadata: { longhaul_run: 'r', longhaul_step: '3', longhaul_purpose: 'step' },
      session_id: 'r',
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('leaves out what was not asked for', () => {
    expect(Object.keys(parse({ model: 'stand-in/agent', models: [], reasoning: {} }))).toEqual([
      'max_tokens',
      'messages',
      'metadata',
      'model',
      'session_id',
      'stream',
      'stream_options',
    ]);
  });

  it('keeps the tools when no call is wanted, because the transcript may hold calls', () => {
    const tools = [{ name: 'f', description: 'd', parameters: {} }];
    expect(parse({ tools, toolChoice: 'none' })).toMatchObject({
      tool_choice: 'none',
      tools: [{ function: { name: 'f' } }],
    });
  });

  it('gives equal bytes to equal requests, whatever order they were made in', () => {
    const a = { name: 'a', description: '', parameters: { x: 1, y: { b: 1, a: 2 } } };
    const b = { description: '', name: 'b', parameters: {} };
    const one = toWireBody(request({ tools: [b, a], metadata: { p: '1', q: '2' } }));
    const other = toWireBody(
      request({
        tools: [{ ...a, parameters: { y: { a: 2, b: 1 }, x: 1 } }, b],
        metadata: { q: '2', p: '1' },
      }),
    );
    expect(one).toBe(other);
  });

  it('writes each kind of message', () => {
    expect(
      messages(
        { role: 'system', content: 's' },
        { role: 'user', content: 'u' },
        { role: 'assistant', content: '', calls: [{ id: 'a', name: 'f', args: '{"x":1}' }] },
        { role: 'tool', callId: 'a', content: 't' },
        { role: 'assistant', content: 'said', calls: [] },
      ),
    ).toEqual([
      { role: 'system', content: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral' } }] },
      { role: 'user', content: 'u' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } }],
      },
      { role: 'tool', tool_call_id: 'a', content: 't' },
      { role: 'assistant', content: 'said' },
    ]);
  });

  it('repairs what a provider would refuse: half characters and made-up tool names', () => {
    expect(
      messages(
        { role: 'user', content: 'cut \ud83d' },
        {
          role: 'assistant',
          content: '',
          calls: [
            { id: 'a', name: 'read file!', args: '{}' },
            { id: 'b', name: '', args: '{}' },
          ],
        },
      ),
    ).toMatchObject([
      { content: 'cut \ufffd' },
      { tool_calls: [{ function: { name: 'read_file_' } }, { function: { name: 'unknown' } }] },
    ]);
  });

  it('keeps within the limits of metadata and session id', () => {
    const long = 'x'.repeat(600);
    expect(parse({ metadata: { longhaul_run: long }, sessionId: long })).toMatchObject({
      metadata: { longhaul_run: 'x'.repeat(512) },
      session_id: 'x'.repeat(256),
    });
  });
});

describe('reasoning details in a request', () => {
  const signed = {
    type: 'reasoning.text',
    text: 'a',
    signature: 'S',
    format: 'anthropic-claude-v1',
    index: 0,
  };

  it('go back unmodified and in order, beside the calls', () => {
    const reasoning = [
      { type: 'reasoning.encrypted', data: 'z', id: null, format: 'google-gemini-v1', index: 0 },
      signed,
    ];
    const item: TranscriptItem = {
      role: 'assistant',
      content: '',
      calls: [{ id: 'a', name: 'f', args: '{}' }],
      reasoning,
      model: 'anthropic/claude',
    };
    expect(messages(item)).toEqual([
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
        reasoning_details: reasoning,
      },
    ]);
  });

  it.each([
    ['an unsigned Anthropic text', [{ ...signed, signature: '' }], undefined],
    [
      'an unsigned text of no format, which means Anthropic',
      [{ type: 'reasoning.text', text: 'a' }],
      undefined,
    ],
    [
      'an unsigned Gemini text',
      [{ type: 'reasoning.text', text: 'a', format: 'google-gemini-v1' }],
      undefined,
    ],
    ['an unsigned text beside others', [{ ...signed, signature: null }, signed], [signed]],
    [
      'an unsigned text of another format',
      [{ type: 'reasoning.text', text: 'a', format: 'unknown' }],
      [{ type: 'reasoning.text', text: 'a', format: 'unknown' }],
    ],
    ['an empty list', [], []],
  ])('with %s', (_name, reasoning, expected) => {
    expect(sentDetails([thought(reasoning)])).toEqual([expected]);
  });

  it.each([
    ['a text with its signature', signed, { ...signed, index: 5 }],
    [
      'an encrypted detail by id',
      { type: 'reasoning.encrypted', id: 'e', data: '1' },
      { type: 'reasoning.encrypted', id: 'e', data: '2' },
    ],
    [
      'an encrypted detail by data',
      { type: 'reasoning.encrypted', id: null, data: '1' },
      { type: 'reasoning.encrypted', data: '1' },
    ],
    [
      'a summary by id and words',
      { type: 'reasoning.summary', id: 'e', summary: 's' },
      { type: 'reasoning.summary', id: 'e', summary: 's' },
    ],
  ])('are sent once over the whole transcript: %s', (_name, first, again) => {
    expect(sentDetails([thought([first]), thought([again])])).toEqual([[first], undefined]);
  });

  it.each([
    ['two signatures of one text', signed, { ...signed, signature: 'T' }],
    [
      'pieces of summaries without id',
      { type: 'reasoning.summary', id: null, summary: ' the' },
      { type: 'reasoning.summary', id: null, summary: ' the' },
    ],
    ['details of an unknown kind', { type: 'reasoning.new', x: 1 }, { type: 'reasoning.new', x: 1 }],
  ])('are no duplicates: %s', (_name, first, again) => {
    expect(sentDetails([thought([first]), thought([again])])).toEqual([[first], [again]]);
  });

  it('stay behind when another family wrote them', () => {
    const items = [thought([signed], 'anthropic/claude-4.5-sonnet-20250929')];
    expect(sentDetails(items, 'anthropic/claude-opus-4.5')).toEqual([[signed]]);
    expect(sentDetails(items, 'google/gemini-3-pro')).toEqual([undefined]);
  });
});
