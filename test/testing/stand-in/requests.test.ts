import fc from 'fast-check';
import { isDearerThan, type StandInModel } from '../../../src/testing/stand-in/models.js';
import { ask, drain, KEY, MODEL, post, start, stopAll, userSays } from './support.js';

afterEach(stopAll);

const tool = (name: string, parameters: object = { type: 'object' }): object => ({
  type: 'function',
  function: { name, parameters },
});
const pairs = (count: number): object =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']));

describe('a request that no provider would take is refused with 400', () => {
  test.each<[string, object, RegExp]>([
    ['no messages', { messages: undefined }, /'messages'/],
    ['a message without role', { messages: [{ content: 'x' }] }, /'messages\[0\]\.role'/],
    ['no model', { model: undefined }, /No models provided/],
    ['max_tokens 0', { max_tokens: 0 }, /'max_tokens'/],
    ['a temperature of 3', { temperature: 3 }, /'temperature'/],
    ['an empty list of tools', { tools: [] }, /'tools': empty array/],
    ['a tool name with a dot', { tools: [tool('a.b')] }, /'tools\[0\]\.function\.name': .*pattern/],
    ['parameters that are no object schema', { tools: [tool('a', { type: 'array' })] }, /type: "object"/],
    ['two tools of one name', { tools: [tool('a'), tool('a')] }, /Tool names must be unique/],
    ['tool_choice without tools', { tool_choice: 'none' }, /only allowed when 'tools' are specified/],
    [
      'tool_choice of another tool',
      { tools: [tool('a')], tool_choice: { type: 'function', function: { name: 'b' } } },
      /'b' not found/,
    ],
    ['17 pairs of metadata', { metadata: pairs(17) }, /at most 16 properties/],
    ['a metadata key of 65 characters', { metadata: { ['k'.repeat(65)]: 'v' } }, /metadata/],
    ['a metadata value of 513 characters', { metadata: { k: 'v'.repeat(513) } }, /'metadata\.k'/],
    ['a metadata value that is a number', { metadata: { k: 1 } }, /'metadata\.k'/],
    [
      'a broken transcript',
      { messages: [...userSays('hi'), { role: 'tool', tool_call_id: 'a', content: 'x' }] },
      /must be a response to a preceeding message/,
    ],
  ])('%s', async (_name, body, words) => {
    const server = await start({ text: 'x' });
    const response = await post(server, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: {
        code: 400,
        message: expect.stringMatching(words),
        metadata: { error_type: 'invalid_request' },
      },
    });
    expect(server.requests[0]).toMatchObject({ status: 400, problem: expect.stringMatching(words) });
    expect(server.ledger).toEqual([]);
  });

  test('no JSON', async () => {
    const server = await start({ text: 'x' });
    const response = await fetch(`${server.url}/chat/completions`, {
      method: 'POST',
      body: '{',
      headers: { authorization: `Bearer ${KEY}` },
    });
    expect(response.status).toBe(400);
    expect(server.requests[0]?.body).toBe('{');
  });

  test('an unknown model, with its availability', async () => {
    const response = await post(await start({ text: 'x' }), { model: 'no/such' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: {
        code: 400,
        message: 'no/such is not a valid model ID',
        availability: { code: 'model_not_found', retryable: false, requested_models: ['no/such'] },
      },
    });
  });

  test('more tokens than the model can read', async () => {
    const server = await start(
      { text: 'x' },
      { models: [{ id: MODEL, promptNanoUsd: 1, completionNanoUsd: 1, contextLength: 20 }] },
    );
    expect((await post(server, { max_tokens: 10 })).status).toBe(200);
    const refused = await post(server, { max_tokens: 11 });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: {
        message: expect.stringContaining('maximum context length is 20 tokens'),
        metadata: { error_type: 'context_length_exceeded' },
      },
    });
  });
});

test.each<[string, object]>([
  ['at the bounds of metadata', { metadata: { ...pairs(15), ['k'.repeat(64)]: 'v'.repeat(512) } }],
  ['with tool_choice none and tools', { tools: [tool('a')], tool_choice: 'none' }],
  [
    'without max_tokens, with OpenRouter fields',
    { session_id: 's', provider: { sort: 'price' }, reasoning: { effort: 'low' }, usage: { include: true } },
  ],
])('a request %s is taken', async (_name, body) => {
  expect((await post(await start({ text: 'x' }), body)).status).toBe(200);
});

describe('models[]', () => {
  const models = ['openai/stand-in-gpt', 'stand-in/free'];

  test('the next one answers and is paid when one is down', async () => {
    const server = await start((_request, { model }) => ({ text: model }), {
      models: [
        { id: MODEL, promptNanoUsd: 1, completionNanoUsd: 1, down: true },
        { id: 'openai/stand-in-gpt', promptNanoUsd: 10, completionNanoUsd: 100 },
        { id: 'stand-in/free', promptNanoUsd: 0, completionNanoUsd: 0 },
      ],
    });
    const answer = await ask(server, { models });
    expect(answer.text).toBe('openai/stand-in-gpt');
    expect(answer.raw).not.toContain(`"model":"${MODEL}"`);
    expect(server.ledger).toMatchObject([{ model: 'openai/stand-in-gpt', costNanoUsd: 10 * 10 + 5 * 100 }]);
  });

  test('the next one answers when one gives an HTTP error', async () => {
    const server = await start((_request, { model }) =>
      model === MODEL ? { fault: { kind: 'http', status: 429 } } : { text: model },
    );
    expect((await ask(server, { models })).text).toBe('openai/stand-in-gpt');
  });

  test('all of them down is a 503 that may be tried again', async () => {
    const down = [MODEL, ...models].map((id) => ({ id, promptNanoUsd: 1, completionNanoUsd: 1, down: true }));
    const response = await post(await start({ text: 'x' }, { models: down }), { models });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({
      error: { availability: { code: 'temporarily_unavailable', retryable: true, retry_after: 1 } },
    });
  });

  test('an unknown fallback is refused', async () => {
    expect((await post(await start({ text: 'x' }), { models: ['no/such'] })).status).toBe(400);
  });
});

describe('max_price', () => {
  const DEAR = 'stand-in/dear';
  const models: StandInModel[] = [
    {
      id: DEAR,
      promptNanoUsd: 300,
      completionNanoUsd: 2_500,
      requestNanoUsd: 1_000,
      tiers: [{ abovePromptTokens: 100, promptNanoUsd: 600 }],
    },
    { id: MODEL, promptNanoUsd: 1, completionNanoUsd: 1 },
    { id: 'stand-in/unpriced', promptNanoUsd: null, completionNanoUsd: null },
  ];
  const within = { prompt: 0.3, completion: 2.5, request: 0.000001 };
  const ask404 = (body: object) => start({ text: 'x' }, { models }).then((server) => post(server, body));

  test.each<[string, object, number]>([
    ['takes a model of just that price', within, 200],
    ['takes prices as text', { prompt: '0.3', completion: '2.5', request: '0.000001' }, 200],
    ['takes what it says nothing about', {}, 200],
    ['refuses a dearer prompt', { ...within, prompt: 0.299999 }, 404],
    ['refuses a dearer answer', { ...within, completion: '2.4' }, 404],
    ['refuses a dearer request', { ...within, request: 0 }, 404],
    ['refuses a word', { prompt: 'cheap' }, 400],
  ])('%s', async (_name, max_price, status) => {
    expect((await ask404({ model: DEAR, provider: { max_price } })).status).toBe(status);
  });

  test('goes by the tier of the prompt', async () => {
    const messages = userSays('x'.repeat(1_000));
    expect((await ask404({ model: DEAR, messages, provider: { max_price: within } })).status).toBe(404);
    const max_price = { ...within, prompt: 0.6 };
    expect((await ask404({ model: DEAR, messages, provider: { max_price } })).status).toBe(200);
  });

  test('refuses in the way of OpenRouter, for nothing', async () => {
    const server = await start({ text: 'x' }, { models });
    const response = await post(server, { model: DEAR, provider: { max_price: { prompt: 0 } } });
    expect(await response.json()).toMatchObject({
      error: {
        code: 404,
        metadata: { error_type: 'not_found' },
        availability: { code: 'constraint_filtered', retryable: false, requested_models: [DEAR] },
      },
    });
    expect(server.ledger).toEqual([]);
  });

  test('lets the next model answer', async () => {
    const server = await start((_request, { model }) => ({ text: model }), { models });
    const provider = { max_price: { prompt: 0.001 } };
    expect((await ask(server, { model: DEAR, models: [MODEL], provider })).text).toBe(MODEL);
  });

  test('is the same in the eyes of a reader of GET /models, for any price', async () => {
    const prices = fc.record({
      promptNanoUsd: fc.integer({ min: 0, max: 1e9 }),
      completionNanoUsd: fc.integer({ min: 0, max: 1e9 }),
      requestNanoUsd: fc.integer({ min: 0, max: 1e12 }),
    });
    fc.assert(
      fc.property(prices, fc.constantFrom('prompt', 'completion', 'request'), (price, name) => {
        const model = { id: MODEL, ...price };
        const max = {
          prompt: (price.promptNanoUsd * 1e6) / 1e9,
          completion: (price.completionNanoUsd * 1e6) / 1e9,
          request: price.requestNanoUsd / 1e9,
        };
        expect(isDearerThan(model, max, 0)).toBe(false);
        expect(isDearerThan(model, { ...max, [name]: max[name] - 1e-6 }, 0)).toBe(true);
      }),
    );
  });
});

describe('a model that refuses tool_choice none', () => {
  const models: StandInModel[] = [
    { id: MODEL, promptNanoUsd: 1, completionNanoUsd: 1, refusesToolChoiceNone: true },
  ];
  const tools = [tool('a')];

  test('says 400 and why', async () => {
    const server = await start({ text: 'x' }, { models });
    const response = await post(server, { tools, tool_choice: 'none' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining('tool_choice'), metadata: { error_type: 'invalid_request' } },
    });
    expect(server.requests[0]?.problem).toContain('tool_choice');
    expect(server.ledger).toEqual([]);
  });

  test.each([{ tools, tool_choice: 'auto' }, { tools }, {}])('takes %j', async (body) => {
    expect((await post(await start({ text: 'x' }, { models }), body)).status).toBe(200);
  });
});

describe('the rate limit', () => {
  test('refuses what is above it with 429 for the rest of the second, and keeps it in the log', async () => {
    let nowMs = Date.UTC(2026, 0, 1);
    const server = await start(
      { text: 'x' },
      { now: () => nowMs, rateLimit: { perSecond: 2, retryAfterSeconds: 7 } },
    );
    const burst = async (): Promise<number[]> => {
      const seen = [];
      for (let n = 0; n < 4; n += 1) seen.push((await post(server, {})).status);
      return seen;
    };
    expect(await burst()).toEqual([200, 200, 429, 429]);
    nowMs += 999;
    const refused = await post(server, {});
    expect(refused.status).toBe(429);
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'retry-after': '7',
      'x-ratelimit-limit': '2',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(Date.UTC(2026, 0, 1) + 1_000),
    });
    expect(await refused.json()).toMatchObject({
      error: { code: 429, metadata: { error_type: 'rate_limit_exceeded' } },
    });
    nowMs += 1;
    expect(await burst()).toEqual([200, 200, 429, 429]);
    expect(server.requests.map(({ status }) => status)).toEqual([
      200, 200, 429, 429, 429, 200, 200, 429, 429,
    ]);
    expect(server.ledger).toHaveLength(4);
  });

  test('says to come back in a second unless told otherwise', async () => {
    const server = await start({ text: 'x' }, { rateLimit: { perSecond: 0 } });
    expect((await post(server, {})).headers.get('retry-after')).toBe('1');
  });
});

test('a script that throws is a 500 that says so', async () => {
  const server = await start(() => {
    throw new Error('no more lines');
  });
  const response = await post(server, {});
  expect(response.status).toBe(500);
  expect((await drain(response)).text).toContain('no more lines');
});
