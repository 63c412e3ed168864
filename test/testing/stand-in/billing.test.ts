import type { LedgerEntry } from '../../../src/testing/stand-in/ledger.js';
import { defaultModels, type StandInModel } from '../../../src/testing/stand-in/models.js';
import type { StandIn } from '../../../src/testing/stand-in/stand-in.js';
import { ask, drain, get, KEY, MODEL, post, reader, start, stopAll } from './support.js';

afterEach(stopAll);

const only = (server: StandIn): LedgerEntry => {
  expect(server.ledger).toHaveLength(1);
  return server.ledger[0] as LedgerEntry; // The line above failed otherwise.
};

/** `[[{"role":"user","content":"hi"}],[]]` is 38 characters: 10 tokens. */
const PROMPT_TOKENS = 10;

describe('the bill', () => {
  test('is tokens times price, in whole nano-dollars, and usage says the same in dollars', async () => {
    const server = await start({ text: 'x'.repeat(41) });
    const { usage } = await ask(server, { metadata: { longhaul_step: '3' } });
    expect(usage).toMatchObject({ prompt_tokens: PROMPT_TOKENS, completion_tokens: 11, cost: 0.000027 });
    expect(only(server)).toMatchObject({
      model: MODEL,
      metadata: { longhaul_step: '3' },
      promptTokens: PROMPT_TOKENS,
      completionTokens: 11,
      costNanoUsd: PROMPT_TOKENS * 500 + 11 * 2_000,
      completed: true,
      cancelled: false,
      cached: false,
      open: false,
      finishReason: 'stop',
      attempt: 1,
    });
  });

  test('can be scripted', async () => {
    const server = await start({
      text: 'x',
      usage: { promptTokens: 7, completionTokens: 5, cachedTokens: 3, reasoningTokens: 2 },
      costNanoUsd: 123_456_789,
    });
    const { usage } = await ask(server, { max_tokens: 1 });
    expect(usage).toMatchObject({
      prompt_tokens: 7,
      completion_tokens: 5,
      total_tokens: 12,
      cost: 0.123456789,
      prompt_tokens_details: { cached_tokens: 3 },
      completion_tokens_details: { reasoning_tokens: 2 },
    });
    expect(only(server).costNanoUsd).toBe(123_456_789);
  });

  const DEAR: StandInModel = {
    id: MODEL,
    promptNanoUsd: 100,
    completionNanoUsd: 1_000,
    requestNanoUsd: 7,
    cacheReadNanoUsd: 10,
    cacheWriteNanoUsd: 125,
  };

  test('has requests and both kinds of cached tokens at their own prices', async () => {
    const server = await start(
      { text: 'x', usage: { promptTokens: 50, completionTokens: 5, cachedTokens: 30, cacheWriteTokens: 4 } },
      { models: [DEAR] },
    );
    const { usage } = await ask(server);
    const costNanoUsd = 7 + 16 * 100 + 30 * 10 + 4 * 125 + 5 * 1_000;
    expect(only(server).costNanoUsd).toBe(costNanoUsd);
    expect(usage).toMatchObject({
      cost: costNanoUsd / 1e9,
      prompt_tokens_details: { cached_tokens: 30, cache_write_tokens: 4 },
      cost_details: {
        upstream_inference_prompt_cost: (7 + 16 * 100 + 30 * 10 + 4 * 125) / 1e9,
        upstream_inference_completions_cost: 0.000005,
      },
    });
  });

  test.each([
    [20, 20 * 100 + 1_000],
    [21, 21 * 200 + 1_000],
    [30, 30 * 200 + 1_000],
    [31, 31 * 200 + 3_000],
  ])('of a prompt of %d tokens is that of its tier', async (promptTokens, costNanoUsd) => {
    const tiers = [
      { abovePromptTokens: 20, promptNanoUsd: 200 },
      { abovePromptTokens: 30, completionNanoUsd: 3_000 },
    ];
    const server = await start(
      { text: 'x', usage: { promptTokens, completionTokens: 1 } },
      { models: [{ ...DEAR, requestNanoUsd: 0, tiers }] },
    );
    await ask(server);
    expect(only(server).costNanoUsd).toBe(costNanoUsd);
  });

  test.each([400, 402, 429, 500, 503, 524])('is none for an answer of status %d', async (status) => {
    const server = await start({ text: 'x', fault: { kind: 'http', status } }, { models: [DEAR] });
    expect((await post(server, {})).status).toBe(status);
    expect(server.ledger).toEqual([]);
    expect((await get(server, '/key')).body).toMatchObject({ data: { usage: 0 } });
  });

  test('of an own provider key is upstream', async () => {
    const server = await start(
      { text: 'x' },
      {
        models: [{ id: MODEL, promptNanoUsd: 100, completionNanoUsd: 1_000, byok: true }],
        generationMisses: 0,
      },
    );
    const { usage, headers } = await ask(server);
    expect(usage).toMatchObject({
      is_byok: true,
      cost: 0,
      cost_details: { upstream_inference_cost: 0.000002 },
    });
    expect(only(server).costNanoUsd).toBe(2_000);
    expect((await get(server, `/generation?id=${headers.get('x-generation-id')}`)).body).toMatchObject({
      data: { is_byok: true, total_cost: 0, upstream_inference_cost: 0.000002 },
    });
  });

  test('of a free model is zero, of an unpriced one unknown', async () => {
    const server = await start({ text: 'x' });
    expect((await ask(server, { model: 'stand-in/free' })).usage).toMatchObject({ cost: 0 });
    expect((await ask(server, { model: 'stand-in/unpriced' })).usage).toMatchObject({ cost: null });
  });

  test('counts requests of the same run, step and purpose', async () => {
    const server = await start({ text: 'x' });
    for (const longhaul_purpose of ['step', 'step', 'review'])
      await ask(server, { metadata: { longhaul_run: 'r', longhaul_step: '0', longhaul_purpose } });
    expect(server.ledger.map(({ attempt }) => attempt)).toEqual([1, 2, 1]);
  });
});

/** Reads an answer until it has seen a text, then hangs up, and waits until the server noticed. */
async function hangUpAfter(server: StandIn, body: object, text: string): Promise<void> {
  const hangUp = new AbortController();
  const response = await post(server, body, { signal: hangUp.signal });
  await reader(response).until((seen) => seen.includes(text));
  hangUp.abort();
  await server.idle();
}

describe('a client that hangs up', () => {
  const TEXT = 'abcdefgh'.repeat(100);
  const slow = { text: TEXT, chunkChars: 8, fault: { kind: 'stall', afterChunks: 3 } } as const;

  test('pays for what was streamed, where the provider can be stopped', async () => {
    const server = await start(slow);
    await hangUpAfter(server, { stream: true }, 'abcdefgh"');
    expect(only(server)).toMatchObject({
      completed: false,
      cancelled: true,
      open: false,
      completionTokens: 4,
      costNanoUsd: PROMPT_TOKENS * 500 + 4 * 2_000,
      finishReason: null,
    });
  });

  test('pays for everything, where it cannot', async () => {
    const server = await start(slow);
    await hangUpAfter(server, { stream: true, model: 'google/stand-in-gemini' }, 'abcdefgh"');
    expect(only(server)).toMatchObject({
      cancelled: true,
      completionTokens: 200,
      costNanoUsd: PROMPT_TOKENS * 300 + 200 * 2_500,
    });
  });

  test('pays for everything, when nothing was streamed', async () => {
    const server = await start(slow);
    await hangUpAfter(server, {}, 'abcdefgh');
    expect(only(server)).toMatchObject({ cancelled: true, streamed: false, completionTokens: 200 });
  });

  test('pays for the prompt even if it never saw a header', async () => {
    let asked = (): void => undefined;
    const wasAsked = new Promise<void>((resolve) => (asked = resolve));
    const server = await start(() => {
      asked();
      return { text: TEXT, fault: { kind: 'hang-before-headers' } };
    });
    const hangUp = new AbortController();
    const answer = post(server, { stream: true }, { signal: hangUp.signal });
    await wasAsked;
    hangUp.abort();
    await expect(answer).rejects.toThrow();
    await server.idle();
    expect(only(server)).toMatchObject({
      cancelled: true,
      completionTokens: 0,
      costNanoUsd: PROMPT_TOKENS * 500,
    });
  });

  test('finds what it paid by generation id', async () => {
    const server = await start(slow);
    await hangUpAfter(server, { stream: true }, 'abcdefgh"');
    const path = `/generation?id=${only(server).id}`;
    expect((await get(server, path)).status).toBe(404);
    expect(await get(server, path)).toMatchObject({
      status: 200,
      body: {
        data: {
          cancelled: true,
          native_tokens_completion: 4,
          tokens_prompt: PROMPT_TOKENS,
          total_cost: 0.000013,
          finish_reason: null,
        },
      },
    });
  });
});

describe('GET /generation', () => {
  test('answers 404 as often as told, then the data', async () => {
    const server = await start({ text: 'x' }, { generationMisses: 3 });
    const { headers } = await ask(server);
    const path = `/generation?id=${headers.get('x-generation-id')}`;
    const seen = [];
    for (let lookup = 0; lookup < 4; lookup += 1) seen.push((await get(server, path)).status);
    expect(seen).toEqual([404, 404, 404, 200]);
  });

  test('answers 404 for a generation that is under way, and for one that never was', async () => {
    const server = await start(
      { text: 'xxxx', fault: { kind: 'stall', afterChunks: 2 } },
      { generationMisses: 0 },
    );
    const hangUp = new AbortController();
    const response = await post(server, { stream: true }, { signal: hangUp.signal });
    expect(server.ledger[0]).toMatchObject({ open: true });
    expect((await get(server, `/generation?id=${response.headers.get('x-generation-id')}`)).status).toBe(404);
    expect((await get(server, '/generation?id=gen-none')).status).toBe(404);
    hangUp.abort();
  });
});

describe('the account', () => {
  test('is charged per key', async () => {
    const server = await start({ text: 'x' }, { creditLimitNanoUsd: 1_000_000_000 });
    await ask(server);
    await ask(server, {}, { authorization: 'Bearer other' });
    expect((await get(server, '/key')).body).toMatchObject({
      data: { limit: 1, limit_remaining: 0.999993, usage: 0.000007 },
    });
    expect((await get(server, '/credits')).body).toEqual({
      data: { total_credits: 1, total_usage: 0.000007 },
    });
  });

  test('refuses with 402 what it could not pay at worst, and says how much it can', async () => {
    const server = await start({ text: 'x' }, { creditLimitNanoUsd: PROMPT_TOKENS * 500 + 100 * 2_000 });
    const refused = await post(server, { max_tokens: 101 });
    expect(refused.status).toBe(402);
    expect(await refused.json()).toMatchObject({
      error: {
        code: 402,
        message: expect.stringContaining('You requested up to 101 tokens, but can only afford 100'),
        metadata: { error_type: 'payment_required' },
      },
    });
    expect((await post(server, {})).status).toBe(402);
    expect((await post(server, { max_tokens: 100 })).status).toBe(200);
  });

  test('counts a request, its tier and its cache at their prices before it says what can be paid', async () => {
    const priced: StandInModel = {
      id: MODEL,
      promptNanoUsd: 1,
      completionNanoUsd: 1,
      requestNanoUsd: 1_000,
      tiers: [{ abovePromptTokens: PROMPT_TOKENS - 1, promptNanoUsd: 500, completionNanoUsd: 2_000 }],
    };
    const creditLimitNanoUsd = 1_000 + PROMPT_TOKENS * 500 + 100 * 2_000;
    const server = await start({ text: 'x' }, { creditLimitNanoUsd, models: [priced] });
    const refused = await post(server, { max_tokens: 101 });
    expect(refused.status).toBe(402);
    expect(await refused.json()).toMatchObject({
      error: { message: expect.stringContaining('can only afford 100') },
    });
    expect((await post(server, { max_tokens: 100 })).status).toBe(200);
  });

  test('of a key that is not on the list is refused', async () => {
    const server = await start({ text: 'x' }, { apiKeys: [KEY] });
    expect((await post(server, {})).status).toBe(200);
    const refused = await post(server, {}, { headers: { authorization: 'Bearer wrong' } });
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({
      error: { code: 401, metadata: { error_type: 'authentication' } },
    });
    expect((await fetch(`${server.url}/key`)).status).toBe(401);
    expect((await fetch(`${server.url}/models`)).status).toBe(200);
  });
});

describe('what tests can look at', () => {
  test('is served to other processes too', async () => {
    const server = await start({ text: 'x' });
    await ask(server);
    const base = `http://127.0.0.1:${server.port}/__stand-in`;
    expect(await (await fetch(`${base}/ledger`)).json()).toEqual(server.ledger);
    expect(await (await fetch(`${base}/requests`)).json()).toEqual(server.requests);
  });

  test('has bodies, limits and generation ids, and no key', async () => {
    const server = await start({ text: 'x' });
    const { headers } = await ask(server, { max_tokens: 5 });
    await ask(server, {});
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        path: '/api/v1/chat/completions',
        status: 200,
        maxTokens: 5,
        problem: null,
        generationId: headers.get('x-generation-id'),
        body: { model: MODEL, max_tokens: 5 },
        bodyHash: server.ledger[0]?.bodyHash,
      },
      { maxTokens: null },
    ]);
    expect(JSON.stringify([server.requests, server.ledger])).not.toContain(KEY);
  });
});

test('GET /models lists every model with its price as decimal text', async () => {
  const { body } = await get(await start({}), '/models');
  const listed = (body as { data: { id: string; pricing: { prompt: string } }[] }).data; // Checked by the next lines.
  expect(listed.map(({ id }) => id)).toEqual(defaultModels.map(({ id }) => id));
  expect(listed.map(({ pricing }) => pricing.prompt)).toEqual([
    '0.0000005',
    '0.000003',
    '0.00000125',
    '0.0000003',
    '0',
    '-1',
  ]);
});

test('GET /models lists every other price that a model has', async () => {
  const models: StandInModel[] = [
    {
      id: MODEL,
      promptNanoUsd: 100,
      completionNanoUsd: 1_000,
      requestNanoUsd: 7,
      cacheReadNanoUsd: 10,
      cacheWriteNanoUsd: 125,
      tiers: [{ abovePromptTokens: 200_000, promptNanoUsd: 200, cacheReadNanoUsd: 20 }],
    },
  ];
  expect((await get(await start({}, { models }), '/models')).body).toMatchObject({
    data: [
      {
        pricing: {
          prompt: '0.0000001',
          completion: '0.000001',
          request: '0.000000007',
          input_cache_read: '0.00000001',
          input_cache_write: '0.000000125',
          overrides: [{ min_prompt_tokens: 200_000, prompt: '0.0000002', input_cache_read: '0.00000002' }],
        },
      },
    ],
  });
});

test('stop() ends streams that are under way', async () => {
  const server = await start({ text: 'xxxx', fault: { kind: 'stall', afterChunks: 2, comments: true } });
  const response = await post(server, { stream: true });
  const read = drain(response);
  await server.stop();
  expect((await read).broke).toBe(true);
});
