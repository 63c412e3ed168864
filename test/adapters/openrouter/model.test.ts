import { createOpenRouterModel, type OpenRouterOptions } from '../../../src/adapters/openrouter/model.js';
import type { ModelAnswer, ModelListener, ModelRequest } from '../../../src/ports/model.js';
import {
  answers,
  chunk,
  COMMENT,
  DONE,
  FINISH,
  hangsAfter,
  HELLO,
  ScriptedServer,
  sse,
  streams,
  USAGE,
  USAGE_CHUNK,
  type Script,
} from './scripted-server.js';

const REQUEST: ModelRequest = {
  model: 'test/model',
  items: [{ role: 'user', content: 'go' }],
  tools: [{ name: 'f', description: 'd', parameters: { type: 'object' } }],
  toolChoice: 'auto',
  maxOutputTokens: 1000,
  metadata: { longhaul_run: 'r', longhaul_step: '0', longhaul_purpose: 'step' },
  sessionId: 'r',
};

const server = new ScriptedServer();
beforeAll(() => server.start());
afterAll(() => server.stop());
beforeEach(() => server.seen.splice(0));

const model = (more: Partial<OpenRouterOptions> = {}) =>
  createOpenRouterModel({ apiKey: 'sk-or-v1-test', baseUrl: server.baseUrl, ...more });

interface CallOptions extends Partial<OpenRouterOptions> {
  request?: Partial<ModelRequest>;
  signal?: AbortSignal;
  listener?: ModelListener;
}

function call(
  script: Script,
  { request, signal = new AbortController().signal, listener = {}, ...options }: CallOptions = {},
): Promise<ModelAnswer> {
  server.script = script;
  return model(options).call({ ...REQUEST, ...request }, { signal, listener });
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: { code?: unknown }) => error.code,
  );

const MODELS = { data: [{ id: 'test/model', pricing: { prompt: '0.000001', completion: '0.000002' } }] };

/** Streams the events for the call and answers the question for the list of models. */
const streamsWithPrices =
  (...events: (object | string)[]): Script =>
  (response, request) =>
    request.path.endsWith('/models')
      ? answers(200, MODELS)(response, request)
      : streams(...events)(response, request);

describe('a call', () => {
  it('returns the complete answer', async () => {
    expect(await call(streams(COMMENT, ...HELLO, DONE))).toEqual({
      text: 'Hello',
      calls: [],
      reasoning: [],
      model: 'test/model',
      finishReason: 'stop',
      usage: { promptTokens: 10, completionTokens: 4, cachedTokens: 0 },
      cost: { kind: 'reported', nanoUsd: 140_000 },
      generationId: 'gen-header',
      cached: false,
      cacheSourceId: null,
    });
  });

  it('asks once, as OpenRouter wants to be asked', async () => {
    await call(streams(...HELLO, DONE), { appTitle: 'mine' });
    expect(server.seen).toHaveLength(1);
    expect(server.seen[0]).toMatchObject({
      method: 'POST',
      path: '/api/v1/chat/completions',
      headers: {
        authorization: 'Bearer sk-or-v1-test',
        'content-type': 'application/json',
        'x-openrouter-cache': 'true',
        'x-openrouter-cache-ttl': '3600',
        'x-openrouter-title': 'mine',
      },
    });
    expect(JSON.parse(server.seen[0]?.body ?? '')).toMatchObject({
      model: 'test/model',
      stream: true,
      max_tokens: 1000,
      session_id: 'r',
    });
  });

  it('sends the same bytes at every attempt', async () => {
    await call(streams(...HELLO, DONE));
    await call(streams(...HELLO, DONE));
    expect(server.seen[0]?.body).toBe(server.seen[1]?.body);
  });

  it('tells what it hears as it comes, the generation id first', async () => {
    const heard: unknown[] = [];
    const listener: ModelListener = {
      onHeaders: (info) => heard.push(info),
      onText: (text) => heard.push(text),
      onReasoning: (text) => heard.push({ reasoning: text }),
      onToolArgs: (delta) => heard.push(delta),
    };
    const events = [
      chunk({
        content: '',
        reasoning: 'hm',
        reasoning_details: [{ type: 'reasoning.text', text: 'hm', signature: 'S' }],
      }),
      chunk({ content: 'Hi' }),
      chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{}' } }] }),
      chunk({}, { finish_reason: 'tool_calls' }),
      USAGE_CHUNK,
      DONE,
    ];
    const answer = await call(streams(...events), { listener });
    expect(heard).toEqual([
      { generationId: 'gen-header' },
      { reasoning: 'hm' },
      'Hi',
      { index: 0, name: 'f', text: '' },
      { index: 0, name: null, text: '{}' },
    ]);
    expect(answer).toMatchObject({
      text: 'Hi',
      calls: [{ id: 'a', name: 'f', args: '{}' }],
      reasoning: [{ text: 'hm', signature: 'S' }],
      finishReason: 'tool_calls',
    });
  });

  it('has the generation id before the body begins', async () => {
    let finish = (): void => undefined;
    const script: Script = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-generation-id': 'gen-early' });
      response.flushHeaders();
      finish = () => response.end(sse(...HELLO, DONE));
    };
    const answer = await call(script, { listener: { onHeaders: () => finish() } });
    expect(answer.generationId).toBe('gen-early');
  });

  it('takes the generation id from the chunks when no header has it', async () => {
    const withoutHeader: Script = (response) => response.end(sse(...HELLO, DONE));
    expect((await call(withoutHeader)).generationId).toBe('gen-1');
  });

  it('makes up the same call ids at every attempt at a step, and others for another step', async () => {
    const events = [
      chunk({ tool_calls: [{ index: 0, function: { name: 'f', arguments: '{}' } }] }),
      FINISH,
      USAGE_CHUNK,
      DONE,
    ];
    const idAt = async (step: string): Promise<string | undefined> =>
      (await call(streams(...events), { request: { metadata: { longhaul_step: step } } })).calls[0]?.id;
    const first = await idAt('1');
    expect(first).toMatch(/^call_[0-9a-f]{12}_0$/);
    expect(await idAt('1')).toBe(first);
    expect(await idAt('2')).not.toBe(first);
  });

  it.each([
    [
      'usage chunk with empty choices',
      [...HELLO.slice(0, 3), { id: 'gen-1', choices: [], usage: USAGE }, DONE],
    ],
    ['debug chunk first', [{ choices: [], debug: {} }, ...HELLO, DONE]],
    ['no [DONE]', HELLO],
    ['no usage', [...HELLO.slice(0, 3), DONE]],
    ['garbage after the end', [...HELLO, 'data: {garbage}\n\n', DONE]],
    ['an end inside an event that adds nothing', [...HELLO, 'data: {"id":"gen-1","cho']],
    ['a last event without its blank line', [...HELLO.slice(0, 3), `data: ${JSON.stringify(USAGE_CHUNK)}`]],
    ['carriage returns', [sse(...HELLO, DONE).replaceAll('\n', '\r\n')]],
    [
      'an answer that is no stream',
      [
        JSON.stringify(
          {
            id: 'gen-1',
            choices: [{ index: 0, finish_reason: 'stop', message: { content: 'Hello' } }],
            usage: USAGE,
          },
          null,
          1,
        ),
      ],
    ],
  ])('is complete with %s', async (_name, events) => {
    expect(await call(streamsWithPrices(...events))).toMatchObject({ text: 'Hello', finishReason: 'stop' });
  });

  it('ends when [DONE] came but the connection stays open', async () => {
    expect(await call(hangsAfter(...HELLO, DONE))).toMatchObject({ text: 'Hello' });
  });

  it('ends when finish and usage came but neither [DONE] nor the end of the body', async () => {
    expect(await call(hangsAfter(...HELLO))).toMatchObject({ text: 'Hello' });
  });

  it('keeps a complete answer when the connection breaks after it', async () => {
    const script: Script = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(sse(...HELLO), () => response.socket?.resetAndDestroy());
    };
    expect(await call(script)).toMatchObject({ text: 'Hello' });
  });

  it('uses one connection for calls that follow each other', async () => {
    const ports = new Set<number | undefined>();
    server.script = (response, request) => {
      ports.add(response.socket?.remotePort);
      streams(...HELLO, DONE)(response, request);
    };
    const same = model();
    for (let i = 0; i < 3; i += 1) {
      await same.call(REQUEST, { signal: new AbortController().signal });
      // The connection is free again once the loop has come round.
      await new Promise(setImmediate);
    }
    expect(ports.size).toBe(1);
  });
});

describe('the cost of a call', () => {
  const uncosted = (usage: object): object[] => [...HELLO.slice(0, 3), chunk({}, { usage })];

  it.each([
    ['what it reports', { prompt_tokens: 0, completion_tokens: 0 }, 'gen-source'],
    ['what it reports, and names no source', { prompt_tokens: 10, completion_tokens: 4, cost: 0.5 }, null],
  ])('is 0 for an answer of the response cache, whatever %s', async (_name, usage, sourceId) => {
    const script: Script = (response) => {
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'x-openrouter-cache-status': 'HIT',
        ...(sourceId !== null && { 'x-openrouter-cache-source-id': sourceId }),
      });
      response.end(sse(...uncosted(usage), DONE));
    };
    expect(await call(script)).toMatchObject({
      cached: true,
      cost: { kind: 'reported', nanoUsd: 0 },
      cacheSourceId: sourceId,
    });
  });

  it('has no source without a hit', async () => {
    const script: Script = (response) => {
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'x-openrouter-cache-status': 'MISS',
        'x-openrouter-cache-source-id': 'gen-stray',
      });
      response.end(sse(...HELLO, DONE));
    };
    expect(await call(script)).toMatchObject({ cached: false, cacheSourceId: null });
  });

  it('is estimated from the price list when the server does not say', async () => {
    const answer = await call(
      streamsWithPrices(...uncosted({ prompt_tokens: 10, completion_tokens: 4, cost: null }), DONE),
    );
    expect(answer.cost).toEqual({ kind: 'estimated', nanoUsd: 18_000 });
  });

  it('is estimated when the server writes a bare NaN, which is no JSON', async () => {
    const usage = JSON.stringify(
      chunk({}, { usage: { prompt_tokens: 10, completion_tokens: 4, cost: 'COST' } }),
    );
    const answer = await call(
      streamsWithPrices(...HELLO.slice(0, 3), `data: ${usage.replace('"COST"', 'NaN')}\n\n`, DONE),
    );
    expect(answer).toMatchObject({ text: 'Hello', cost: { kind: 'estimated', nanoUsd: 18_000 } });
  });

  const PRICE = { promptNanoUsdPerMillion: 5e6, completionNanoUsdPerMillion: 7e6, requestNanoUsd: 1 };
  const USED = { prompt_tokens: 10, completion_tokens: 4 };

  it('is estimated from a configured price without a look at the list', async () => {
    const answer = await call(streams(...uncosted(USED), DONE), { prices: { 'test/model': PRICE } });
    expect(answer.cost).toEqual({ kind: 'estimated', nanoUsd: 79 });
    expect(server.seen).toHaveLength(1);
  });

  it('is estimated at the dearest that was asked for, when who answered is on no list', async () => {
    const prices = { 'my/one': PRICE, 'my/two': { ...PRICE, promptNanoUsdPerMillion: 9e6 } };
    const renamed = HELLO.slice(0, 3).map((each) => ({ ...each, model: 'my-one-q4.gguf' }));
    const last = chunk({}, { usage: USED, model: 'my-one-q4.gguf' });
    const asked = { prices, request: { model: 'my/one', models: ['my/two'] } };
    expect((await call(streamsWithPrices(...renamed, last, DONE), asked)).cost).toEqual({
      kind: 'estimated',
      nanoUsd: 119,
    });
    const partly = { prices, request: { model: 'my/one', models: ['my/three'] } };
    expect((await call(streamsWithPrices(...renamed, last, DONE), partly)).cost).toEqual({ kind: 'unknown' });
  });

  it.each([
    ['no usage at all', null],
    ['all zeros', { prompt_tokens: 0, completion_tokens: 0, cost: 0 }],
    ['a negative cost and no tokens', { cost: -1 }],
  ])('is unknown, not zero, with %s', async (_name, usage) => {
    const answer = await call(streamsWithPrices(...uncosted({ ...usage }), DONE));
    expect(answer.cost).toEqual({ kind: 'unknown' });
  });

  it('is unknown when there is no price list either, and the answer is kept', async () => {
    const script: Script = (response, request) =>
      request.path.endsWith('/models')
        ? response.socket?.destroy()
        : streams(...uncosted({ prompt_tokens: 10 }), DONE)(response, request);
    expect(await call(script)).toMatchObject({ text: 'Hello', cost: { kind: 'unknown' } });
  });
});

describe('silence', () => {
  // The limit that is not meant is out of reach.
  const BEFORE_CONTENT = { firstContentTimeoutMs: 500, stallTimeoutMs: 20_000 };
  const AFTER_CONTENT = { firstContentTimeoutMs: 20_000, stallTimeoutMs: 60 };

  const beating =
    (...events: (object | string)[]): Script =>
    (response, request) => {
      hangsAfter(...events)(response, request);
      const beat = setInterval(() => response.write(COMMENT), 10);
      response.on('close', () => clearInterval(beat));
    };

  it.each([
    ['no headers', () => undefined, BEFORE_CONTENT],
    ['no content, with comments', beating(), BEFORE_CONTENT],
    ['no content, without comments', hangsAfter(), BEFORE_CONTENT],
    ['nothing after the first content, with comments', beating(chunk({ content: 'a' })), AFTER_CONTENT],
    ['nothing after the first content, without comments', hangsAfter(chunk({ content: 'a' })), AFTER_CONTENT],
    ['empty deltas only', beating(chunk({ content: '' })), BEFORE_CONTENT],
    ['no usage after the finish reason', hangsAfter(FINISH), AFTER_CONTENT],
  ])('ends the call: %s', async (_name, script: Script, patience) => {
    const closed = new Promise((resolve) => {
      server.script = (response, request) => {
        response.on('close', resolve);
        script(response, request);
      };
    });
    const promise = call(server.script, patience);
    await expect(promise).rejects.toMatchObject({
      code: 'MODEL_STALLED',
      retryable: true,
      message: expect.stringContaining(`${Math.min(...Object.values(patience))} ms`),
    });
    await closed;
  });

  it('does not end a call whose content keeps coming', async () => {
    const script: Script = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      let left = 20;
      const beat = setInterval(() => {
        left -= 1;
        response.write(sse(chunk({ reasoning: 'x' })));
        if (left > 0) return;
        clearInterval(beat);
        response.end(sse(...HELLO, DONE));
      }, 40);
    };
    expect(await call(script, { stallTimeoutMs: 500 })).toMatchObject({
      text: 'Hello',
    });
  });
});

describe('a cancelled call', () => {
  const reason = new Error('the run was cancelled');

  it('does not begin', async () => {
    await expect(call(streams(...HELLO, DONE), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(server.seen).toHaveLength(0);
  });

  it.each([
    ['before the headers', () => undefined],
    ['in mid-stream', hangsAfter(chunk({ content: 'partial' }))],
  ])('rejects with the reason and leaves the server: %s', async (_name, script: Script) => {
    const controller = new AbortController();
    const closed = new Promise((resolve) => {
      server.script = (response, request) => {
        response.on('close', resolve);
        script(response, request);
        setTimeout(() => controller.abort(reason), 30);
      };
    });
    await expect(call(server.script, { signal: controller.signal })).rejects.toBe(reason);
    await closed;
  });

  it.each([
    ['and the body stays open', hangsAfter(...HELLO)],
    ['and the body ends', streams(...HELLO, DONE)],
    ['with the end of the body', streams(...HELLO.slice(2), sse(chunk({ content: 'lo' })).trimEnd())],
  ])('never returns an answer, not even when all of it came %s', async (_name, script) => {
    const controller = new AbortController();
    const onText = (text: string): void => {
      if (text === 'lo') controller.abort(reason);
    };
    await expect(call(script, { signal: controller.signal, listener: { onText } })).rejects.toBe(reason);
  });
});

describe('describe and checkKey', () => {
  it('describe asks the list', async () => {
    server.script = answers(200, MODELS);
    expect(await model().describe('test/model')).toMatchObject({ id: 'test/model' });
    expect(await model().describe('test/other')).toBeNull();
    expect(server.seen[0]).toMatchObject({ method: 'GET', path: '/api/v1/models' });
  });

  it('describe knows nothing of a server without a list, but for what is configured', async () => {
    server.script = answers(404, 'Not found');
    const price = { promptNanoUsdPerMillion: 1, completionNanoUsdPerMillion: 2, requestNanoUsd: 3 };
    expect(await model({ prices: { 'my/model': price } }).describe('my/model')).toMatchObject({ price });
    expect(await model().describe('test/model')).toBeUndefined();
    server.script = answers(200, '<html>');
    expect(await model().describe('test/model')).toBeUndefined();
  });

  it('checkKey tells what is left', async () => {
    server.script = answers(200, { data: { limit_remaining: 74.5 } });
    expect(await model().checkKey()).toEqual({ limitRemainingUsd: 74.5 });
    server.script = answers(200, { data: { limit_remaining: null } });
    expect(await model().checkKey()).toEqual({ limitRemainingUsd: null });
    expect(server.seen[0]).toMatchObject({
      method: 'GET',
      path: '/api/v1/key',
      headers: { authorization: 'Bearer sk-or-v1-test' },
    });
  });

  it.each<[string, Script]>([
    ['404 with a page', answers(404, 'no')],
    ['404 with words of its own', answers(404, { error: { code: 404, message: 'Not Found' } })],
    ['405', answers(405, '')],
    ['501', answers(501, 'no')],
    ['with the page of a site', answers(200, '<html>')],
    ['with JSON about something else', answers(200, { status: 'ok' })],
  ])(
    'checkKey refuses no key, but says that it is unchecked, where the server answers %s',
    async (_how, script) => {
      server.script = script;
      expect(await model().checkKey()).toEqual({ limitRemainingUsd: null, unchecked: true });
    },
  );

  it.each([
    [401, 'MODEL_AUTH'],
    [403, 'MODEL_AUTH'],
    [429, 'MODEL_UNREACHABLE'],
    [500, 'MODEL_UNREACHABLE'],
  ])('both take %d for %s', async (status, code) => {
    server.script = answers(status, { error: { code: status, message: 'no' } });
    expect(await codeOf(model().checkKey())).toBe(code);
    expect(await codeOf(model().describe('m'))).toBe(code);
  });
});

describe('generation', () => {
  const ask = (data: object | null, status = 200): ReturnType<ReturnType<typeof model>['generation']> => {
    server.script = answers(status, data === null ? 'no' : { data });
    return model().generation('gen-1/?', new AbortController().signal);
  };
  const COUNTS = {
    native_tokens_prompt: 11,
    native_tokens_completion: 5,
    tokens_prompt: 9,
    tokens_completion: 4,
  };

  it('asks by id and tells cost and tokens', async () => {
    expect(
      await ask({ ...COUNTS, total_cost: 0.0000000011, is_byok: false, upstream_inference_cost: 7 }),
    ).toEqual({
      costNanoUsd: 2,
      promptTokens: 11,
      completionTokens: 5,
    });
    expect(server.seen[0]).toMatchObject({ method: 'GET', path: '/api/v1/generation?id=gen-1%2F%3F' });
  });

  it('falls back to the counts of the common tokenizer', async () => {
    const data = { total_cost: 1, native_tokens_prompt: null, tokens_prompt: 9, tokens_completion: 4 };
    expect(await ask(data)).toEqual({ costNanoUsd: 1e9, promptTokens: 9, completionTokens: 4 });
  });

  it.each<[string, object, object | null]>([
    [
      'an own key',
      { total_cost: 0.1, is_byok: true, upstream_inference_cost: 0.2 },
      { costNanoUsd: 300_000_000 },
    ],
    [
      'an own key whose bill is missing',
      { total_cost: 0.1, is_byok: true, upstream_inference_cost: null },
      null,
    ],
    ['a replay', { total_cost: 0.1, is_byok: true, response_cache_source_id: 'gen-0' }, { costNanoUsd: 0 }],
    ['a generation that was free', { total_cost: 0 }, { costNanoUsd: 0 }],
    ['a negative cost', { total_cost: -1 }, null],
    ['a cost that is a word', { total_cost: 'soon' }, null],
    ['no cost', {}, null],
  ])('reads %s', async (_name, data, expected) => {
    const found = await ask({ ...COUNTS, ...data });
    if (expected === null) expect(found).toBeNull();
    else expect(found).toMatchObject(expected);
  });

  const NOT_YET = answers(404, { error: { code: 404, message: 'Generation gen-1 not found' }, user_id: 'u' });
  const isKnown = async (script: Script, port = model()): ReturnType<typeof port.generation> => {
    server.script = script;
    return port.generation('gen-1', new AbortController().signal);
  };

  it('is null for a generation that OpenRouter does not know yet', async () => {
    expect(await isKnown(NOT_YET)).toBeNull();
  });

  it.each<[string, Script]>([
    ['404 with a page', answers(404, '<html>404</html>')],
    ['404 without a body', answers(404, '')],
    ['404 with a detail', answers(404, { detail: 'Not Found' })],
    ['404 with an error that is a text', answers(404, { error: 'Not Found' })],
    ['404 with an error about the URL', answers(404, { error: { message: 'Invalid URL', code: null } })],
    ['405', answers(405, { error: { code: 405, message: 'Method Not Allowed' } })],
    ['501', answers(501, 'no')],
    ['with the page of a site', answers(200, '<html>')],
  ])('is undefined where the server has no such question and answers %s', async (_how, script) => {
    expect(await isKnown(script)).toBeUndefined();
  });

  it('takes a page for one in front of a server that has answered before', async () => {
    const port = model();
    expect(await isKnown(answers(404, '<html>'), port)).toBeUndefined();
    expect(await isKnown(NOT_YET, port)).toBeNull();
    expect(await isKnown(answers(404, '<html>'), port)).toBeNull();
  });

  it.each([
    [401, 'MODEL_AUTH'],
    [500, 'MODEL_UNREACHABLE'],
  ])('takes %d for %s, which cost nothing', async (status, code) => {
    await expect(ask(null, status)).rejects.toMatchObject({ code, details: { status, unbilled: true } });
  });

  it('rejects with the reason of who gave up', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    await expect(model().generation('gen-1', AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.seen).toHaveLength(0);
    server.script = () => controller.abort(reason);
    await expect(model().generation('gen-1', controller.signal)).rejects.toBe(reason);
  });
});
