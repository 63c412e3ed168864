import { OpenRouter } from '@openrouter/sdk';
import OpenAI from 'openai';
import type { Fault } from '../../../src/testing/stand-in/faults.js';
import type { Reply, Script } from '../../../src/testing/stand-in/script.js';
import type { StandIn } from '../../../src/testing/stand-in/stand-in.js';
import { drain, get, KEY, linesOf, MODEL, start, stopAll } from './support.js';

afterEach(stopAll);

const RICH: Reply = {
  reasoning: 'Left, then right.',
  text: 'Let me look.',
  phase: 'commentary',
  toolCalls: [
    { name: 'look', args: { at: 'left' } },
    { name: 'look', args: { at: 'right' } },
  ],
};
const MODELS = [
  MODEL,
  'anthropic/stand-in-claude',
  'openai/stand-in-gpt',
  'google/stand-in-gemini',
  'stand-in/unpriced',
];
const SHORT = { id: MODEL, promptNanoUsd: 1, completionNanoUsd: 1, contextLength: 10 };

function post(server: StandIn, body: object = {}, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.url}/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}`, ...headers },
    body: JSON.stringify({ model: MODEL, input: 'hi', ...body }),
  });
}

interface Event {
  type: string;
  sequence_number: number;
  [key: string]: unknown;
}

async function eventsOf(server: StandIn, body: object = {}): Promise<{ events: Event[]; raw: string }> {
  const { text: raw } = await drain(await post(server, { stream: true, ...body }));
  // What other tests call chunks is whatever stands behind `data:`.
  return { events: linesOf(raw).chunks as unknown as Event[], raw };
}

const problemOf = async (body: object): Promise<unknown> => {
  const response = await post(await start({ text: 'x' }), body);
  const { error } = Object(await response.json());
  return [response.status, error?.message];
};

describe("OpenRouter's own SDK parses", () => {
  const sdkFor = (server: StandIn): OpenRouter => new OpenRouter({ apiKey: KEY, serverURL: server.url });

  const readStream = async (server: StandIn, model = MODEL): Promise<{ type: string }[]> => {
    const stream = await sdkFor(server).responses.send({
      responsesRequest: { model, input: 'hi', stream: true },
    });
    if (!(Symbol.asyncIterator in stream)) throw new Error('no stream');
    const events = [];
    for await (const event of stream) events.push(event);
    return events;
  };

  test.each(MODELS)('whole responses of %s', async (model) => {
    const sdk = sdkFor(await start(RICH));
    const result = await sdk.responses.send({ responsesRequest: { model, input: 'hi', stream: false } });
    expect(result).toMatchObject({ model, status: 'completed', usage: { outputTokens: expect.any(Number) } });
    expect('output' in result && result.output.map(({ type }) => type).slice(-3)).toEqual([
      'message',
      'function_call',
      'function_call',
    ]);
  });

  test.each(MODELS)('every event of a stream of %s', async (model) => {
    const events = await readStream(await start(RICH), model);
    expect(events.at(-1)).toMatchObject({
      type: 'response.completed',
      response: { usage: { outputTokens: expect.any(Number) } },
    });
    expect(JSON.stringify(events)).not.toContain('"isUnknown":true');
  });

  test.each<[string, Reply, object]>([
    ['cut', { text: 'x', finishReason: 'length' }, { type: 'response.incomplete' }],
    ['filtered', { text: 'x', finishReason: 'content_filter' }, { type: 'response.incomplete' }],
    ['failed', { fault: { kind: 'mid-stream-error', code: 502 } }, { type: 'response.failed' }],
    [
      'broken off by an error',
      { fault: { kind: 'mid-stream-error', code: 429, choices: 'empty' } },
      { type: 'error', code: 'rate_limit_exceeded' },
    ],
  ])('a stream that was %s', async (_name, reply, last) => {
    expect((await readStream(await start({ text: 'abc', ...reply }))).at(-1)).toMatchObject(last);
  });

  test('a refusal as its own error class', async () => {
    const sdk = sdkFor(await start({ fault: { kind: 'http', status: 402 } }));
    await expect(
      sdk.responses.send({ responsesRequest: { model: MODEL, input: 'hi', stream: false } }),
    ).rejects.toMatchObject({ name: 'PaymentRequiredResponseError' });
  });
});

test('the openai client streams a response with calls', async () => {
  const server = await start(RICH);
  const client = new OpenAI({ apiKey: KEY, baseURL: server.url, maxRetries: 0, logLevel: 'off' });
  const runner = client.responses.stream({ model: MODEL, input: 'hi' });
  const { output_text: text, output } = await runner.finalResponse();
  expect(text).toBe('Let me look.');
  expect(output.filter(({ type }) => type === 'function_call')).toHaveLength(2);
});

describe('a streamed response', () => {
  test('tells its events in the order of OpenRouter, numbered from 0', async () => {
    const server = await start({ text: 'hi', toolCalls: [{ name: 'w', args: { a: 1 }, id: 'c1' }] });
    const { events, raw } = await eventsOf(server);
    expect(events.map(({ type }) => type.replace('response.', ''))).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'completed',
    ]);
    expect(events.map(({ sequence_number: n }) => n)).toEqual(events.map((_, n) => n));
    expect(events.at(-2)).toMatchObject({ output_index: 1, item: { call_id: 'c1', arguments: '{"a":1}' } });
    expect(raw.startsWith(': OPENROUTER PROCESSING\n\n')).toBe(true);
    expect(raw.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  test('says at its end what it said on the way, and what is said without a stream', async () => {
    const server = await start(RICH);
    const { events } = await eventsOf(server);
    const items = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item);
    const last = Object(events.at(-1)?.['response']);
    expect(last.output).toEqual(items);
    const whole = Object(await (await post(server)).json());
    expect(whole.output.map(({ type }: { type: string }) => type)).toEqual(
      last.output.map(({ type }: { type: string }) => type),
    );
    expect(whole.usage).toEqual(last.usage);
  });

  test('tells what the message says of itself', async () => {
    const { events } = await eventsOf(await start(RICH));
    const added = events.filter(({ type }) => type === 'response.output_item.added').map(({ item }) => item);
    expect(added).toContainEqual(expect.objectContaining({ type: 'message', phase: 'commentary' }));
  });
});

describe('the script of a response', () => {
  test('is asked in the words of chat completions', async () => {
    const seen: unknown[] = [];
    const script: Script = (request, { stepIndex }) => {
      seen.push({ ...request, stepIndex });
      return { text: 'x' };
    };
    await post(await start(script), {
      instructions: 'Be brief.',
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'go' }] },
        { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'S', format: 'openai-responses-v1' },
        { type: 'message', role: 'assistant', content: 'Looking.', phase: 'commentary' },
        { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1', output: 'seen' },
      ],
      tools: [{ type: 'function', name: 'look', parameters: { type: 'object' } }],
      tool_choice: 'none',
      max_output_tokens: 9,
      metadata: { longhaul_step: '1' },
      text: { format: { type: 'json_schema', name: 'a', schema: {} } },
    });
    expect(seen).toMatchObject([
      {
        stepIndex: 1,
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: [{ type: 'text', text: 'go' }] },
          {
            role: 'assistant',
            content: 'Looking.',
            tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }],
            reasoning_details: [{ type: 'reasoning.encrypted', data: 'S', id: 'rs_1' }],
          },
          { role: 'tool', tool_call_id: 'c1', content: 'seen' },
        ],
        tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }],
        tool_choice: 'none',
        max_tokens: 9,
        metadata: { longhaul_step: '1' },
        response_format: { type: 'json_schema', json_schema: { name: 'a' } },
      },
    ]);
  });
});

describe('a request is refused', () => {
  const user = { type: 'message', role: 'user', content: 'go' };
  const call = { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{}' };
  const output = { type: 'function_call_output', call_id: 'c1', output: 'seen' };
  const thought = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'S' };

  test.each<[string, object, RegExp]>([
    ['a call without its output', { input: [user, call] }, /^No tool output found for function call c1\.$/],
    [
      'an output without its call',
      { input: [user, output] },
      /^No tool call found for function call output with call_id c1\.$/,
    ],
    [
      'an output in the wrong place',
      { input: [user, call, user, output] },
      /did not have response messages: c1/,
    ],
    ['two outputs', { input: [user, call, output, output] }, /single result/],
    [
      'arguments that are no object',
      { input: [user, { ...call, arguments: '[' }, output] },
      /valid dictionary/,
    ],
    [
      'reasoning that leads to nothing',
      { input: [user, thought, user] },
      /^Item 'rs_1' of type 'reasoning' was provided without its required following item\.$/,
    ],
    [
      'an item that comes twice',
      { input: [user, thought, call, output, thought, call] },
      /^Duplicate item found with id rs_1/,
    ],
    [
      'an end with the assistant',
      { input: [user, { ...user, role: 'assistant' }] },
      /must end with a user message/,
    ],
    ['an item of no known type', { input: [{ type: 'item_reference', id: 'x' }] }, /^Invalid 'input/],
    ['no input', { input: [] }, /^Invalid 'input'/],
    ['a wish to be stored', { store: true }, /stateless/],
    ['a reference to what was stored', { previous_response_id: 'resp_1' }, /stateless/],
    [
      'tools of one name',
      { tools: ['a', 'a'].map((name) => ({ type: 'function', name, parameters: null })) },
      /unique/,
    ],
  ])('for %s', async (_name, body, words) => {
    expect(await problemOf(body)).toEqual([400, expect.stringMatching(words)]);
  });

  test('and the log tells why', async () => {
    const server = await start({ text: 'x' });
    await post(server, { input: [user, call], max_output_tokens: 7 });
    await post(server, { max_output_tokens: 7 });
    expect(server.requests).toMatchObject([
      { path: '/api/v1/responses', status: 400, problem: 'No tool output found for function call c1.' },
      { path: '/api/v1/responses', status: 200, problem: null, maxTokens: 7 },
    ]);
  });

  test('unless it is too long, which is told as an answer that ended for its length', async () => {
    const response = await post(await start({ text: 'x' }, { models: [SHORT] }), { max_output_tokens: 99 });
    expect([response.status, await response.json()]).toMatchObject([
      200,
      {
        status: 'incomplete',
        incomplete_details: { reason: 'max_output_tokens' },
        error_type: 'context_length_exceeded',
        output: [],
        usage: { input_tokens: 0, output_tokens: 0, cost: 0 },
      },
    ]);
  });
});

describe('a response', () => {
  test('has its bill, its generation and its place in the response cache', async () => {
    const server = await start(RICH, { generationMisses: 0 });
    const cache = { 'x-openrouter-cache': 'true' };
    const [first, second] = [await post(server, {}, cache), await post(server, {}, cache)];
    expect([first, second].map(({ headers }) => headers.get('x-openrouter-cache-status'))).toEqual([
      'MISS',
      'HIT',
    ]);
    const [bill, replay] = server.ledger;
    const { usage } = Object(await first.json());
    expect(usage).toMatchObject({
      input_tokens: bill?.promptTokens,
      output_tokens: bill?.completionTokens,
      cost: (bill?.costNanoUsd ?? 0) / 1e9,
    });
    expect(Object(await second.json()).usage).toMatchObject({ input_tokens: 0, output_tokens: 0, cost: 0 });
    expect(replay).toMatchObject({ cached: true, costNanoUsd: 0, cacheSourceId: bill?.id });
    expect(await get(server, `/generation?id=${bill?.id}`)).toMatchObject({
      body: { data: { id: bill?.id } },
    });
  });

  test('is not mixed up with a completion in the response cache', async () => {
    const server = await start({ text: 'x' });
    const headers = { 'x-openrouter-cache': 'true', authorization: `Bearer ${KEY}` };
    const body = JSON.stringify({ model: MODEL, input: 'hi', messages: [{ role: 'user', content: 'hi' }] });
    const statusOf = async (path: string): Promise<string | null> => {
      const response = await fetch(`${server.url}/${path}`, { method: 'POST', headers, body });
      return response.headers.get('x-openrouter-cache-status');
    };
    expect([await statusOf('responses'), await statusOf('chat/completions')]).toEqual(['MISS', 'MISS']);
  });

  const struck = async (fault: Fault, body: object = { stream: true }) => {
    const server = await start({ text: 'abcdefgh', chunkChars: 2, fault });
    const response = await post(server, body);
    const { text, broke } = await drain(response);
    await server.idle();
    return { text, broke, status: response.status, ...linesOf(text), bill: server.ledger[0] };
  };

  test('that failed in mid-stream costs nothing, in each of its forms', async () => {
    for (const [choices, type] of [
      ['error', 'response.failed'],
      ['empty', 'error'],
      ['absent', 'response.error'],
    ] as const) {
      const { chunks, bill, text } = await struck({ kind: 'mid-stream-error', code: 502, choices });
      expect(chunks.at(-1)).toMatchObject({ type, sequence_number: 2 });
      expect(text).toContain('"code":"server_error"');
      expect(text).toContain('"error_type":"provider_unavailable"');
      expect(bill).toMatchObject({ costNanoUsd: 0, completed: false });
    }
  });

  test.each<[string, Fault, object]>([
    ['truncated', { kind: 'truncate', afterChunks: 5 }, { broke: false, others: [] }],
    [
      'cut inside of JSON',
      { kind: 'cut-json', afterChunks: 5 },
      { broke: false, others: [expect.any(String)] },
    ],
    ['reset', { kind: 'reset', afterChunks: 5 }, { broke: true }],
  ])('that was %s is paid as far as it was written', async (_name, fault, expected) => {
    const { chunks, bill, ...rest } = await struck(fault);
    expect(rest).toMatchObject({ status: 200, ...expected });
    expect(chunks).toHaveLength(5);
    // Two of eight characters have been sent.
    expect(bill).toMatchObject({ completed: false, completionTokens: 1 });
  });

  test.each<[string, Fault, RegExp]>([
    ['garbage', { kind: 'garbage-line' }, /"delta":\n\n[^]*response\.completed/],
    [
      'an error frame',
      { kind: 'event-error' },
      /event: error\ndata: \{"type":"error","code":"rate_limit_exceeded"/,
    ],
    ['an error in its place', { kind: 'ok-with-error' }, /^\{"error":\{"code":502/],
    ['a page', { kind: 'html' }, /^<!doctype html>/],
    ['no usage', { kind: 'no-usage' }, /"status":"completed"(?![^]*input_tokens)/],
    ['a cost that is no number', { kind: 'cost', value: NaN }, /"cost":NaN/],
    ['no [DONE]', { kind: 'no-done' }, /response\.completed(?![^]*\[DONE\])/],
  ])('may come with %s', async (_name, fault, words) => {
    expect((await struck(fault)).text).toMatch(words);
  });

  test('that is not streamed and failed says so in its status', async () => {
    const { text } = await struck({ kind: 'choice-error', code: 429 }, {});
    expect(JSON.parse(text)).toMatchObject({
      status: 'failed',
      error: { code: 'rate_limit_exceeded' },
      error_type: 'rate_limit_exceeded',
    });
  });
});
