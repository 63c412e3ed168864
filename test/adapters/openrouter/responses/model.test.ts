import { createOpenRouterModel } from '../../../../src/adapters/openrouter/model.js';
import type { JsonObject } from '../../../../src/core/json.js';
import type { TranscriptItem } from '../../../../src/core/transcript.js';
import type { ModelAnswer, ModelRequest } from '../../../../src/ports/model.js';
import {
  answers,
  COMMENT,
  DONE,
  hangsAfter,
  ScriptedServer,
  sse,
  streams,
  type Script,
} from '../scripted-server.js';
import { completed, CREATED, done, message, reasoning, response, textDelta } from './response-events.js';

const REQUEST: ModelRequest = {
  model: 'test/model',
  wire: 'responses',
  items: [{ role: 'user', content: 'go' }],
  tools: [],
  toolChoice: 'auto',
  maxOutputTokens: 1000,
  metadata: { longhaul_run: 'r' },
  sessionId: 'r',
};

const server = new ScriptedServer();
beforeAll(() => server.start());
afterAll(() => server.stop());
beforeEach(() => server.seen.splice(0));

function call(script: Script, items: TranscriptItem[] = REQUEST.items.slice()): Promise<ModelAnswer> {
  server.script = script;
  const model = createOpenRouterModel({ apiKey: 'sk-or-v1-test', baseUrl: server.baseUrl });
  return model.call({ ...REQUEST, items }, { signal: new AbortController().signal });
}

const HELLO = [CREATED, textDelta('Hel'), textDelta('lo'), completed({ output: [message('Hello')] })];

describe('a response', () => {
  it.each<[string, Script]>([
    ['streamed', streams(COMMENT, ...HELLO, DONE)],
    ['without [DONE]', streams(...HELLO)],
    [
      'with named events',
      (reply) => {
        reply.writeHead(200, { 'content-type': 'text/event-stream' });
        reply.end(HELLO.map((event) => `event: ${JSON.stringify(event['type'])}\n${sse(event)}`).join(''));
      },
    ],
    ['that leaves the connection open', hangsAfter(...HELLO)],
    [
      'that breaks the connection after it',
      (reply) => {
        reply.writeHead(200, { 'content-type': 'text/event-stream' });
        reply.write(sse(...HELLO), () => reply.socket?.resetAndDestroy());
      },
    ],
    ['not streamed', answers(200, response({ output: [message('Hello')] }))],
  ])('is an answer: %s', async (_name, script) => {
    expect(await call(script)).toMatchObject({
      text: 'Hello',
      finishReason: 'stop',
      cost: { kind: 'reported', nanoUsd: 140_000 },
      usage: { promptTokens: 10, completionTokens: 4, cachedTokens: 3 },
    });
    expect(server.seen).toMatchObject([{ method: 'POST', path: '/api/v1/responses' }]);
  });

  it.each<[string, Script]>([
    ['its items are all there', streams(CREATED, done(0, message('Hello')), DONE)],
    ['it is still at work', answers(200, response({ status: 'in_progress' }))],
    [
      'it is of the other wire',
      streams({ choices: [{ delta: { content: 'x' }, finish_reason: 'stop' }] }, DONE),
    ],
  ])('is cut off without its end, though %s', async (_name, script) => {
    await expect(call(script)).rejects.toMatchObject({
      code: 'MODEL_STREAM_TRUNCATED',
      message: expect.stringContaining('without response.completed'),
    });
  });

  it.each<[string, JsonObject, string]>([
    ['a code', { type: 'error', code: 'rate_limit_exceeded', message: 'slow' }, 'MODEL_RATE_LIMITED'],
    [
      'the exact type beside a vague code',
      {
        type: 'response.failed',
        response: response({
          status: 'failed',
          error: { code: 'server_error', message: 'no' },
          error_type: 'payment_required',
        }),
      },
      'MODEL_PAYMENT',
    ],
    [
      'the length of the conversation',
      completed({ status: 'incomplete', usage: null }),
      'MODEL_CONTEXT_LENGTH',
    ],
  ])('fails for %s', async (_name, event, code) => {
    await expect(call(streams(CREATED, event, DONE))).rejects.toMatchObject({ code });
  });
});

test('reasoning and phase go back as they came', async () => {
  const items = [reasoning('rs_1', { odd: { kept: true } }), reasoning('rs_2')];
  const output = [...items, message('Looking.', { phase: 'commentary' })];
  const { text, reasoning: told, phase, model } = await call(streams(completed({ output }), DONE));
  const { seen } = server;
  await call(streams(...HELLO), [
    { role: 'user', content: 'go' },
    { role: 'assistant', content: text, reasoning: told, model, ...(phase !== undefined && { phase }) },
    { role: 'user', content: 'on' },
  ]);
  expect(JSON.parse(seen[1]?.body ?? '').input.slice(1, -1)).toEqual([
    ...items,
    { type: 'message', role: 'assistant', content: 'Looking.', phase: 'commentary' },
  ]);
});
