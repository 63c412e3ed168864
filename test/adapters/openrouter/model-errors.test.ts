import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createOpenRouterModel } from '../../../src/adapters/openrouter/model.js';
import { isAgentError, type AgentError } from '../../../src/core/errors.js';
import type { ModelRequest } from '../../../src/ports/model.js';
import {
  answers,
  chunk,
  DONE,
  FINISH,
  HELLO,
  ScriptedServer,
  sse,
  streams,
  USAGE_CHUNK,
  type Script,
} from './scripted-server.js';

const KEY = 'sk-or-v1-canary-0123456789abcdef';
const PROMPT = 'canary of the prompt';
const REQUEST: ModelRequest = {
  model: 'test/model',
  items: [{ role: 'user', content: PROMPT }],
  tools: [],
  toolChoice: 'auto',
  maxOutputTokens: 1000,
  metadata: {},
  sessionId: 'r',
};

const server = new ScriptedServer();
beforeAll(() => server.start());
afterAll(() => server.stop());
beforeEach(() => server.seen.splice(0));

async function errorAt(baseUrl: string, apiKey = KEY): Promise<AgentError> {
  const promise = createOpenRouterModel({ apiKey, baseUrl }).call(REQUEST, {
    signal: new AbortController().signal,
  });
  const error: unknown = await promise.then(
    (answer) => new Error(`an answer: ${answer.text}`),
    (thrown) => thrown,
  );
  if (!isAgentError(error)) throw error;
  return error;
}

/** Where nobody listens any more. */
async function closedUrl(): Promise<string> {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as AddressInfo; // A TCP server's address is an object.
  await new Promise((resolve) => closed.close(resolve));
  return `http://127.0.0.1:${port}/api/v1`;
}

function errorOf(script: Script): Promise<AgentError> {
  server.script = script;
  return errorAt(server.baseUrl);
}

const everything = (error: AgentError): string =>
  [
    error.stack,
    error.message,
    JSON.stringify(error),
    JSON.stringify(error.details),
    String(error.cause),
  ].join('\n');

const DISCONNECTED = {
  code: 502,
  message: 'Provider disconnected',
  metadata: { error_type: 'provider_unavailable', provider_name: 'Groq' },
};

describe('an answer that is not complete', () => {
  it.each([
    ['the body ends after some text', streams(chunk({ content: 'a' }))],
    ['the body ends without finish reason', streams(chunk({ content: 'a' }), USAGE_CHUNK, DONE)],
    ['the body ends inside an event', streams(chunk({ content: 'a' }), 'data: {"id":"gen-1","choi')],
    [
      'the body ends inside a finish',
      streams(chunk({ content: 'a' }), `data: ${JSON.stringify(FINISH).slice(0, -4)}`),
    ],
    ['usage and [DONE] are missing', streams(chunk({ content: 'a' }), FINISH)],
    ['nothing is in the body', streams()],
    ['only [DONE] is in the body', streams(DONE)],
    ['an event is garbage', streams(chunk({ content: 'a' }), 'data: {garbage}\n\n', ...HELLO, DONE)],
  ])('is MODEL_STREAM_TRUNCATED: %s', async (_name, script) => {
    expect(await errorOf(script)).toMatchObject({ code: 'MODEL_STREAM_TRUNCATED', retryable: true });
    expect(server.seen).toHaveLength(1);
  });

  it('names the provider', async () => {
    expect((await errorOf(streams(chunk({ content: 'a' })))).details).toEqual({
      provider: 'Anthropic',
      generationId: 'gen-header',
    });
  });
});

describe('an error inside an answer with status 200', () => {
  it.each([
    [
      'in mid-stream',
      streams(chunk({ content: 'a' }), { ...chunk({}, { finish_reason: 'error' }), error: DISCONNECTED }),
    ],
    [
      'in mid-stream, followed by [DONE]',
      streams(chunk({ content: 'a' }), { id: 'gen-1', choices: [], error: DISCONNECTED }, DONE),
    ],
    ['after a finish reason', streams(...HELLO, { error: DISCONNECTED })],
    [
      'in a choice',
      streams({ choices: [{ index: 0, finish_reason: 'error', delta: {}, error: DISCONNECTED }] }),
    ],
    ['as JSON instead of a stream', answers(200, { error: DISCONNECTED, user_id: 'user_x' })],
    [
      'as JSON with a failed choice',
      answers(200, {
        choices: [{ index: 0, finish_reason: 'error', message: { content: 'partial' }, error: DISCONNECTED }],
      }),
    ],
  ])('is seen %s', async (_name, script) => {
    expect(await errorOf(script)).toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      retryable: true,
      details: { status: 502, errorType: 'provider_unavailable', provider: 'Groq' },
      message: expect.stringContaining('Provider disconnected'),
    });
  });

  it.each([
    [
      'with a word for a code',
      { ...chunk({}), error: { code: 'server_error', message: 'Provider disconnected' } },
      'MODEL_UNAVAILABLE',
    ],
    [
      'with rate_limit_exceeded',
      { error: { code: 429, message: 'slow', metadata: { error_type: 'rate_limit_exceeded' } } },
      'MODEL_RATE_LIMITED',
    ],
    ['in an error frame', 'event: error\ndata: {"code":429,"message":"slow"}\n\n', 'MODEL_RATE_LIMITED'],
  ])('is classified %s', async (_name, event, code) => {
    expect(await errorOf(streams(chunk({ content: 'a' }), event))).toMatchObject({ code, retryable: true });
  });

  it('is a page of HTML', async () => {
    const error = await errorOf(
      answers(200, '<html><script>var x = 1</script><body>Please <b>log in</b></body></html>'),
    );
    expect(error).toMatchObject({ code: 'MODEL_UNREACHABLE', retryable: true });
    expect(error.message).toContain('it sent no event stream but: Please log in');
  });
});

describe('an error status', () => {
  it.each([
    [400, 'MODEL_BAD_REQUEST', false],
    [401, 'MODEL_AUTH', false],
    [402, 'MODEL_PAYMENT', false],
    [408, 'MODEL_UNAVAILABLE', true],
    [429, 'MODEL_RATE_LIMITED', true],
    [500, 'MODEL_UNAVAILABLE', true],
    [503, 'MODEL_UNAVAILABLE', true],
    [529, 'MODEL_UNAVAILABLE', true],
  ])('%d becomes %s after one request', async (status, code, retryable) => {
    const error = await errorOf(
      answers(status, { error: { code: status, message: 'because' }, user_id: 'u' }),
    );
    expect(error).toMatchObject({
      code,
      retryable,
      details: { status },
      message: expect.stringContaining('because'),
    });
    expect(server.seen).toHaveLength(1);
  });

  it('carries when to come back', async () => {
    const body = { error: { code: 429, message: 'slow', metadata: { error_type: 'rate_limit_exceeded' } } };
    expect((await errorOf(answers(429, body, { 'retry-after': '7' }))).details).toEqual({
      status: 429,
      errorType: 'rate_limit_exceeded',
      delayMs: 7_000,
      unbilled: true,
    });
  });

  it('carries what could be afforded', async () => {
    const message =
      'This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 30104.';
    const error = await errorOf(answers(402, { error: { code: 402, message } }));
    expect(error).toMatchObject({
      code: 'MODEL_PAYMENT',
      details: { status: 402, affordableTokens: 30_104 },
    });
  });

  it('carries the provider and its own words', async () => {
    const metadata = {
      raw: 'Gemini models require OpenRouter reasoning details to be preserved',
      provider_name: 'Google AI Studio',
    };
    const error = await errorOf(
      answers(400, { error: { message: 'Provider returned error', code: 400, metadata } }),
    );
    expect(error.message).toContain(
      '(provider Google AI Studio): Provider returned error: Gemini models require',
    );
    expect(error.details).toEqual({ status: 400, provider: 'Google AI Studio', unbilled: true });
  });

  it.each([
    ['HTML', answers(502, '<html><body>Bad gateway</body></html>'), 'Bad gateway'],
    ['an empty body', answers(502, ''), 'no body'],
    [
      'an envelope of its own',
      answers(400, { success: false, error: { name: 'ZodError', message: '[{"path":["model"]}]' } }),
      '"path":["model"]',
    ],
  ])('may come with %s', async (_name, script, words) => {
    expect((await errorOf(script)).message).toContain(words);
  });
});

describe('a broken connection', () => {
  it('is MODEL_UNREACHABLE when it is refused', async () => {
    const url = await closedUrl();
    const error = await errorAt(url);
    expect(error).toMatchObject({
      code: 'MODEL_UNREACHABLE',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(error.message).toContain(new URL(url).host);
  });

  it.each([
    ['before the headers', ((response) => response.socket?.resetAndDestroy()) as Script],
    [
      'in mid-stream',
      ((response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(sse(chunk({ content: 'a' })), () => response.socket?.resetAndDestroy());
      }) as Script,
    ],
    [
      'by an end before the announced length',
      ((response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'content-length': '9999' });
        response.write(sse(chunk({ content: 'a' })), () => response.socket?.end());
      }) as Script,
    ],
  ])('is MODEL_UNREACHABLE when it is reset %s', async (_name, script) => {
    expect(await errorOf(script)).toMatchObject({ code: 'MODEL_UNREACHABLE', retryable: true });
    expect(server.seen).toHaveLength(1);
  });
});

describe('what a failed call may have cost', () => {
  const json = { error: { code: 0, message: 'no' } };
  const reset =
    (...events: object[]): Script =>
    (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-generation-id': 'gen-header' });
      response.write(sse(...events), () => response.socket?.resetAndDestroy());
    };

  it.each<[string, Script]>([
    ...[400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 524, 529].map(
      (status): [string, Script] => [`the API says ${status}`, answers(status, json)],
    ),
    ['a page says 429', answers(429, '<html>')],
    ['a page says 503', answers(503, '<html>')],
  ])('is nothing when %s', async (_name, script) => {
    expect((await errorOf(script)).details).toMatchObject({ unbilled: true });
  });

  it('is nothing when no connection could be made', async () => {
    expect((await errorAt(await closedUrl())).details).toEqual({ unbilled: true });
  });

  it.each<[string, Script]>([
    // The server behind it may still be at work.
    ...[502, 504, 520, 524].map((status): [string, Script] => [
      `a gateway says ${status}`,
      answers(status, '<html><body>Bad gateway</body></html>'),
    ]),
    ['the connection broke before the headers', (response) => response.socket?.resetAndDestroy()],
    ['the connection broke in mid-stream', reset(chunk({ content: 'a' }))],
    ['the stream ended early', streams(chunk({ content: 'a' }))],
    ['the stream holds garbage', streams('data: {garbage}\n\n', ...HELLO, DONE)],
    ['the answer is an error', streams({ error: DISCONNECTED })],
    ['the answer is a JSON error', answers(200, { error: DISCONNECTED })],
    ['the answer is a page', answers(200, '<html>')],
  ])('is not known when %s', async (_name, script) => {
    expect((await errorOf(script)).details).not.toHaveProperty('unbilled');
  });

  it('is not known when nothing came in time', async () => {
    server.script = () => undefined;
    const silent = createOpenRouterModel({ apiKey: KEY, baseUrl: server.baseUrl, firstContentTimeoutMs: 30 });
    const error: unknown = await silent
      .call(REQUEST, { signal: new AbortController().signal })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'MODEL_STALLED', details: {} });
    expect(error).not.toHaveProperty('details.unbilled');
  });

  it.each<[string, Script, string]>([
    ['the stream ended early', streams(chunk({ content: 'a' })), 'gen-header'],
    ['the connection broke', reset(chunk({ content: 'a' })), 'gen-header'],
    ['there is garbage', streams('data: {garbage}\n\n', ...HELLO), 'gen-header'],
    ['the answer is an error', streams({ error: DISCONNECTED }), 'gen-header'],
    ['an error status has a header', answers(500, json, { 'x-generation-id': 'gen-500' }), 'gen-500'],
    [
      'only the chunks name it',
      (response) => response.end(sse(chunk({ content: 'a' }), { error: DISCONNECTED })),
      'gen-1',
    ],
    ['only the JSON names it', answers(200, { id: 'gen-7', error: DISCONNECTED }), 'gen-7'],
  ])('can be asked about by generation id when %s', async (_name, script, generationId) => {
    expect((await errorOf(script)).details).toMatchObject({ generationId });
  });

  it('has the generation id of a call that stalled', async () => {
    server.script = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-generation-id': 'gen-slow' });
      response.flushHeaders();
    };
    const silent = createOpenRouterModel({
      apiKey: KEY,
      baseUrl: server.baseUrl,
      firstContentTimeoutMs: 1_000,
    });
    await expect(silent.call(REQUEST, { signal: new AbortController().signal })).rejects.toMatchObject({
      code: 'MODEL_STALLED',
      details: { generationId: 'gen-slow' },
    });
  });
});

describe('what an error tells', () => {
  const echo =
    (status: number): Script =>
    (response, request) =>
      answers(status, {
        error: {
          code: status || 502,
          message: `bad header Authorization: ${request.headers.authorization}; key=${KEY}`,
          metadata: { raw: `request was ${request.body}`, provider_name: KEY },
        },
      })(response, request);

  it.each([
    ['an error status', echo(400)],
    ['a retryable status', echo(503)],
    ['status 200', echo(200)],
    [
      'mid-stream',
      ((response, request) =>
        streams({
          error: {
            code: 502,
            message: `${request.headers.authorization} ${request.body}`,
            metadata: { error_type: KEY },
          },
        })(response, request)) as Script,
    ],
    [
      'a page of HTML',
      ((response, request) =>
        answers(200, `<p>${'x'.repeat(480)}${request.headers.authorization}${request.body}</p>`)(
          response,
          request,
        )) as Script,
    ],
    [
      'an error page',
      ((response, request) =>
        answers(500, `${'x'.repeat(19_990)} ${KEY} ${request.body}`)(response, request)) as Script,
    ],
    [
      'garbage in the stream',
      ((response, request) =>
        streams(`data: {${request.headers.authorization} ${request.body}}\n\n`, 'data: x\n\n')(
          response,
          request,
        )) as Script,
    ],
  ])('is neither the key nor the request, though the server echoes them: %s', async (_name, script) => {
    const told = everything(await errorOf(script));
    expect(told).not.toContain('canary');
    expect(told).not.toContain(KEY.slice(0, 16));
  });

  it('is not a key of any other shape either', async () => {
    const apiKey = 'canary.key.of.another.server';
    server.script = (response, request) =>
      answers(400, {
        error: { message: `the key ${request.headers.authorization?.slice('Bearer '.length)} is wrong` },
      })(response, request);
    const told = everything(await errorAt(server.baseUrl, apiKey));
    expect(told).toContain('the key [redacted] is wrong');
    expect(told).not.toContain('canary');
  });

  it('is not the key when the key cannot even be sent', async () => {
    const told = everything(await errorAt(server.baseUrl, `${KEY}\n${KEY}`));
    expect(told).not.toContain('canary');
  });

  it('is at most 500 characters of the server, in whole characters', async () => {
    const error = await errorOf(
      answers(500, { error: { code: 500, message: `${'x'.repeat(499)}🐢${'y'.repeat(999)}` } }),
    );
    expect(error.message).toMatch(/: x{499}\ufffd$/);
  });

  it('holds no cause, which history would keep', async () => {
    expect((await errorOf(answers(500, { error: { message: 'no' } }))).cause).toBeUndefined();
  });

  it('is not printed', async () => {
    const spies = (['log', 'warn', 'error', 'debug', 'info'] as const).map((name) =>
      jest.spyOn(console, name).mockImplementation(() => undefined),
    );
    await errorOf(streams('data: {garbage}\n\n', 'data: x\n\n'));
    await errorOf(echo(500));
    const printed = spies.flatMap((spy) => spy.mock.calls);
    for (const spy of spies) spy.mockRestore();
    expect(printed).toEqual([]);
  });
});
