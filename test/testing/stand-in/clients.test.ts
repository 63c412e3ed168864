import { OpenRouter } from '@openrouter/sdk';
import OpenAI from 'openai';
import type { Fault } from '../../../src/testing/stand-in/faults.js';
import type { Reply } from '../../../src/testing/stand-in/script.js';
import type { StandIn } from '../../../src/testing/stand-in/stand-in.js';
import { ask, KEY, MODEL, start, stopAll } from './support.js';

afterEach(stopAll);

const RICH: Reply = {
  reasoning: 'Left, then right.',
  text: 'Let me look.',
  toolCalls: [
    { name: 'look', args: { at: 'left' } },
    { name: 'look', args: { at: 'right' } },
  ],
};
const MODELS = [
  'stand-in/agent',
  'anthropic/stand-in-claude',
  'openai/stand-in-gpt',
  'google/stand-in-gemini',
  'stand-in/unpriced',
];
const messages = [{ role: 'user' as const, content: 'hi' }];

describe("OpenRouter's own SDK parses", () => {
  const sdkFor = (server: StandIn): OpenRouter => new OpenRouter({ apiKey: KEY, serverURL: server.url });

  test.each(MODELS)('whole answers of %s', async (model) => {
    const sdk = sdkFor(await start(RICH));
    const result = await sdk.chat.send({ chatRequest: { model, messages, stream: false } });
    expect(result).toMatchObject({
      model,
      choices: [{ finishReason: 'tool_calls', message: { toolCalls: [{}, {}] } }],
      usage: { completionTokens: expect.any(Number) },
    });
  });

  test.each(MODELS)('every chunk of a stream of %s', async (model) => {
    const sdk = sdkFor(await start(RICH));
    const stream = await sdk.chat.send({ chatRequest: { model, messages, stream: true } });
    const chunks = [];
    if (!(Symbol.asyncIterator in stream)) throw new Error('no stream');
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.at(-2)).toMatchObject({ choices: [{ finishReason: 'tool_calls' }] });
    expect(chunks.at(-1)).toMatchObject({ usage: { completionTokens: expect.any(Number) } });
  });

  test('models, a generation, the key and credits', async () => {
    const server = await start({ text: 'x' }, { generationMisses: 0, creditLimitNanoUsd: 5_000_000_000 });
    const sdk = sdkFor(server);
    const { headers } = await ask(server);
    const id = headers.get('x-generation-id') ?? '';
    expect(await sdk.generations.getGeneration({ id })).toMatchObject({
      data: { id, totalCost: 0.000007, cancelled: false },
    });
    expect(await sdk.apiKeys.getCurrentKeyMetadata()).toMatchObject({
      data: { limit: 5, limitRemaining: 4.999993 },
    });
    expect(await sdk.credits.getCredits()).toMatchObject({ data: { totalCredits: 5 } });
    expect(JSON.stringify(await sdk.models.list())).toContain('stand-in/agent');
  });

  test('models with every kind of price', async () => {
    const tiers = [{ abovePromptTokens: 9, promptNanoUsd: 2, cacheWriteNanoUsd: 3 }];
    const models = [
      { id: MODEL, promptNanoUsd: 1, completionNanoUsd: 2, requestNanoUsd: 3, cacheReadNanoUsd: 4, tiers },
    ];
    const listed = await sdkFor(await start({}, { models })).models.list();
    expect(JSON.stringify(listed)).toContain('"minPromptTokens":9');
  });

  test('refusals for a price and for too many requests', async () => {
    const server = await start({ text: 'x' }, { rateLimit: { perSecond: 1 } });
    const sdk = sdkFor(server);
    const chatRequest = { model: MODEL, messages, stream: false as const };
    await expect(
      sdk.chat.send({ chatRequest: { ...chatRequest, provider: { maxPrice: { prompt: '0.1' } } } }),
    ).rejects.toMatchObject({ name: 'NotFoundResponseError' });
    await expect(sdk.chat.send({ chatRequest }, { retries: { strategy: 'none' } })).rejects.toMatchObject({
      name: 'TooManyRequestsResponseError',
    });
  });

  test('a refusal as its own error class', async () => {
    const sdk = sdkFor(await start({ fault: { kind: 'http', status: 402 } }));
    await expect(
      sdk.chat.send({ chatRequest: { model: MODEL, messages, stream: false } }),
    ).rejects.toMatchObject({ name: 'PaymentRequiredResponseError' });
  });
});

describe('the openai client', () => {
  const clientFor = (server: StandIn): OpenAI =>
    new OpenAI({ apiKey: KEY, baseURL: server.url, maxRetries: 0, logLevel: 'off' });

  test('streams an answer with calls', async () => {
    const client = clientFor(await start(RICH));
    const runner = client.chat.completions.stream({ model: MODEL, messages });
    expect(await runner.finalContent()).toBe('Let me look.');
    const { choices, usage } = await runner.finalChatCompletion();
    expect(
      choices[0]?.message.tool_calls?.map((call) => call.type === 'function' && call.function.arguments),
    ).toEqual(['{"at":"left"}', '{"at":"right"}']);
    expect(usage).toMatchObject({ prompt_tokens: 10, cost: expect.any(Number) });
  });

  test('gets an answer in one piece', async () => {
    const result = await clientFor(await start(RICH)).chat.completions.create({ model: MODEL, messages });
    expect(result.choices[0]?.message).toMatchObject({
      content: 'Let me look.',
      tool_calls: [{ type: 'function' }, { type: 'function' }],
    });
  });

  async function readAll(fault: Fault): Promise<{ chunkCount: number; error: unknown }> {
    const client = clientFor(await start({ text: 'abcdefghijkl', chunkChars: 4, fault }));
    let chunkCount = 0;
    try {
      for await (const _chunk of await client.chat.completions.create({
        model: MODEL,
        messages,
        stream: true,
      }))
        chunkCount += 1;
      return { chunkCount, error: null };
    } catch (error) {
      return { chunkCount, error };
    }
  }

  // What openai 6.49 makes of each fault is the reason why an adapter has to look closer.
  test.each<[string, Fault, object | null, number]>([
    ['a truncated stream', { kind: 'truncate', afterChunks: 3 }, null, 3],
    ['an end inside of JSON', { kind: 'cut-json' }, null, 2],
    ['a JSON error with status 200', { kind: 'ok-with-error' }, null, 0],
    ['a stream without [DONE]', { kind: 'no-done' }, null, 6],
    ['a missing last blank line', { kind: 'no-final-blank-line' }, null, 5],
    ['a mid-stream error', { kind: 'mid-stream-error', code: 502 }, { status: undefined, code: 502 }, 2],
    [
      'a mid-stream error of string code',
      { kind: 'mid-stream-error', code: 'server_error', choices: 'absent' },
      { status: undefined, code: 'server_error' },
      2,
    ],
    ['an error event', { kind: 'event-error' }, { status: undefined, code: 429 }, 2],
    ['a garbage line', { kind: 'garbage-line' }, { name: 'SyntaxError' }, 2],
    ['a reset', { kind: 'reset', afterChunks: 2 }, { name: 'TypeError', message: 'terminated' }, 2],
    [
      'a 429',
      { kind: 'http', status: 429, headers: { 'retry-after': '7' } },
      { status: 429, error: { metadata: { error_type: 'rate_limit_exceeded' } } },
      0,
    ],
  ])('meets %s', async (_name, fault, error, chunkCount) => {
    const found = await readAll(fault);
    if (error === null) expect(found.error).toBeNull();
    else expect(found.error).toMatchObject(error);
    expect(found.chunkCount).toBe(chunkCount);
  });
});
