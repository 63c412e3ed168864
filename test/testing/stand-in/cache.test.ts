import { ask, get, MODEL, post, reader, start, stopAll } from './support.js';

afterEach(stopAll);

const CACHE = { 'X-OpenRouter-Cache': 'true' };
const status = (answer: { headers: Headers }): string | null =>
  answer.headers.get('x-openrouter-cache-status');

describe('the response cache', () => {
  test('replays a complete answer for nothing, under a new id', async () => {
    let nowMs = Date.UTC(2026, 0, 1);
    const server = await start(
      (_request, { callCount }) => ({ text: `answer ${callCount}`, toolCalls: [{ name: 'look' }] }),
      { now: () => nowMs, generationMisses: 0 },
    );
    const body = { tools: [{ type: 'function', function: { name: 'look' } }] };
    const first = await ask(server, body, CACHE);
    nowMs += 5_000;
    const again = await ask(server, body, CACHE);
    expect(status(first)).toBe('MISS');
    expect(status(again)).toBe('HIT');
    const sourceId = first.headers.get('x-generation-id');
    expect(Object.fromEntries(again.headers)).toMatchObject({
      'x-openrouter-cache-age': '5',
      'x-openrouter-cache-ttl': '300',
      'x-openrouter-cache-source-id': sourceId,
    });
    expect(again.headers.get('x-generation-id')).not.toBe(sourceId);
    expect(again).toMatchObject({
      text: 'answer 1',
      calls: first.calls,
      finish: ['tool_calls'],
      usage: { prompt_tokens: 0, completion_tokens: 0, cost: 0 },
    });
    expect(server.ledger).toMatchObject([
      { cached: false, completed: true },
      {
        cached: true,
        completed: true,
        costNanoUsd: 0,
        promptTokens: 0,
        completionTokens: 0,
        cacheSourceId: sourceId,
        attempt: 2,
      },
    ]);
    expect((await get(server, `/generation?id=${again.headers.get('x-generation-id')}`)).body).toMatchObject({
      data: { total_cost: 0, response_cache_source_id: sourceId },
    });
  });

  test.each<[string, object, Record<string, string>]>([
    ['without the header', {}, {}],
    ['from another key', {}, { ...CACHE, authorization: 'Bearer other' }],
    ['for another model', { model: 'openai/stand-in-gpt' }, CACHE],
    ['not streamed', { stream: false }, CACHE],
    ['with another nonce', { metadata: { longhaul_step: '2' } }, CACHE],
    [
      'with its properties in another order',
      { metadata: undefined, messages: [{ content: 'hi', role: 'user' }] },
      CACHE,
    ],
    ['told to clear', {}, { ...CACHE, 'X-OpenRouter-Cache-Clear': 'true' }],
  ])('does not answer a request %s', async (_name, body, headers) => {
    const server = await start({ text: 'x' });
    await ask(server, {}, CACHE);
    expect(status(await post(server, { stream: true, ...body }, { headers }))).not.toBe('HIT');
    expect(server.ledger.every(({ cached }) => !cached)).toBe(true);
  });

  test('answers a request that differs in white space and attribution only', async () => {
    const server = await start({ text: 'x' });
    await ask(server, {}, CACHE);
    const body = JSON.stringify(
      { model: MODEL, messages: [{ role: 'user', content: 'hi' }], stream: true },
      null,
      2,
    );
    const response = await fetch(`${server.url}/chat/completions`, {
      method: 'POST',
      body,
      headers: { ...CACHE, 'X-Title': 'other', authorization: 'Bearer sk-or-v1-test-canary' },
    });
    expect(response.headers.get('x-openrouter-cache-status')).toBe('HIT');
    await response.text();
  });

  test('forgets after its time to live', async () => {
    let nowMs = 0;
    const server = await start({ text: 'x' }, { now: () => nowMs });
    const headers = { ...CACHE, 'X-OpenRouter-Cache-TTL': '10' };
    await ask(server, {}, headers);
    nowMs = 9_999;
    expect(status(await ask(server, {}, headers))).toBe('HIT');
    nowMs = 10_000;
    expect(status(await ask(server, {}, headers))).toBe('MISS');
  });

  test.each([
    { kind: 'truncate', afterChunks: 2 },
    { kind: 'mid-stream-error', code: 502 },
    { kind: 'reset', afterChunks: 2 },
    { kind: 'no-done' },
    { kind: 'http', status: 429 },
  ] as const)('keeps nothing of an answer with the fault $kind', async (fault) => {
    const server = await start((_request, { attempt }) => ({
      text: 'x',
      ...(attempt === 1 ? { fault } : {}),
    }));
    await ask(server, {}, CACHE);
    expect(status(await ask(server, {}, CACHE))).toBe('MISS');
    expect(status(await ask(server, {}, CACHE))).toBe('HIT');
  });

  test('keeps an answer whose reader died after its last chunk', async () => {
    const server = await start({ text: 'whole', fault: { kind: 'hold-open-after-done' } });
    const hangUp = new AbortController();
    const response = await post(server, { stream: true }, { headers: CACHE, signal: hangUp.signal });
    await reader(response).until((text) => text.includes('[DONE]'));
    hangUp.abort();
    await server.idle();
    expect(server.ledger[0]).toMatchObject({ completed: true, cancelled: false });
    const again = await ask(server, {}, CACHE);
    expect(again).toMatchObject({ text: 'whole', usage: { cost: 0 } });
    expect(again.headers.get('x-openrouter-cache-source-id')).toBe(server.ledger[0]?.id);
  });

  test.each<[string, string, boolean]>([
    [
      'keeps an answer whose reader died after its last token, which is all its provider had to write',
      'TEN',
      true,
    ],
    ['keeps nothing of an answer whose reader died before its last token', 'TEN', false],
  ])('%s', async (_name, text, sawAll) => {
    const server = await start({ text, chunkChars: 1, chunkDelayMs: 20 });
    const hangUp = new AbortController();
    const response = await post(server, { stream: true }, { headers: CACHE, signal: hangUp.signal });
    await reader(response).until((seen) => seen.includes(`"content":"${sawAll ? 'N' : 'T'}"`));
    hangUp.abort();
    await server.idle();
    const [first] = server.ledger;
    expect(first).toMatchObject({ completed: sawAll, cancelled: !sawAll });
    const again = await ask(server, {}, CACHE);
    expect(status(again)).toBe(sawAll ? 'HIT' : 'MISS');
    expect(again.headers.get('x-openrouter-cache-source-id')).toBe(sawAll ? first?.id : null);
  });
});
