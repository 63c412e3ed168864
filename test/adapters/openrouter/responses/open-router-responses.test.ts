import { inspect } from 'node:util';
import { AgentError, OpenRouterResponses } from '../../../../src/index.js';
import type { TranscriptItem } from '../../../../src/core/transcript.js';
import type { ModelRequest } from '../../../../src/ports/model.js';
import { startStandIn, type StandIn } from '../../../../src/testing/stand-in/stand-in.js';

const MODEL = 'openai/stand-in-gpt';
const KEY = 'sk-or-v1-canary-0123456789';
const messages: TranscriptItem[] = [{ role: 'user', content: 'Where is it?' }];
const tools = [{ name: 'look', description: 'looks', parameters: { type: 'object' } }];

let server: StandIn;
beforeEach(async () => {
  server = await startStandIn({
    script: ({ tools: offered }) =>
      offered === undefined
        ? { text: 'There.' }
        : { reasoning: 'Hm.', toolCalls: [{ name: 'look', args: { at: 'left' } }] },
  });
});
afterEach(() => server.stop());

const made = (more: object = {}): OpenRouterResponses =>
  new OpenRouterResponses({ id: MODEL, apiKey: KEY, baseUrl: server.url, ...more });
const bodies = (): unknown[] => server.requests.map(({ body }) => body);

it('has defaults for everything but the key', () => {
  expect(new OpenRouterResponses()).toMatchObject({
    id: 'openai/gpt-oss-20b',
    name: 'OpenRouterResponses',
    provider: 'OpenRouter',
    baseUrl: 'https://openrouter.ai/api/v1',
    models: [],
    store: false,
    reasoning: undefined,
  });
});

it('refuses to store', () => {
  expect(new OpenRouterResponses({ store: false }).store).toBe(false);
  expect(() => new OpenRouterResponses({ store: true })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('stateless') }),
  );
});

it('needs a key for OpenRouter when it is used, and for no other server', async () => {
  await expect(new OpenRouterResponses().respond({ messages })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('apiKey'),
  });
  expect(() => new OpenRouterResponses().port).toThrow(AgentError);
  const { text } = await new OpenRouterResponses({ id: MODEL, baseUrl: `${server.url}//` }).respond({
    messages,
  });
  expect(text).toBe('There.');
});

it('makes a call with tools, and the next with what came of it', async () => {
  const model = made({ models: ['stand-in/agent'], reasoning: { effort: 'low' } });
  const { text, calls, reasoning } = await model.respond({ messages, tools });
  expect(calls).toMatchObject([{ name: 'look', args: '{"at":"left"}' }]);
  const [call] = calls;
  const { text: answer } = await model.respond({
    messages: [
      ...messages,
      { role: 'assistant', content: text, calls, reasoning, model: MODEL },
      { role: 'tool', callId: call?.id ?? '', content: 'Nothing.' },
    ],
  });
  expect(answer).toBe('There.');
  expect(server.requests.map(({ path, problem }) => [path, problem])).toEqual([
    ['/api/v1/responses', null],
    ['/api/v1/responses', null],
  ]);
  expect(bodies()[0]).toMatchObject({
    model: MODEL,
    models: ['stand-in/agent'],
    max_output_tokens: 4096,
    reasoning: { effort: 'low' },
    store: false,
  });
  expect(JSON.stringify(bodies()[1])).toContain('"encrypted_content"');
  expect(new Set(bodies().map((body) => Object(body).session_id)).size).toBe(1);
});

it('asks anew each time', async () => {
  const model = made();
  const answers = [await model.respond({ messages }), await model.respond({ messages })];
  expect(answers.map(({ cached }) => cached)).toEqual([false, false]);
});

it('gives a port whose calls all go over this wire', async () => {
  const { port } = made({ models: ['stand-in/agent'], reasoning: { effort: 'low' } });
  const request: ModelRequest = {
    model: MODEL,
    wire: 'chat',
    items: messages,
    tools: [],
    toolChoice: 'auto',
    maxOutputTokens: 100,
    metadata: {},
    sessionId: 's',
  };
  const options = { signal: new AbortController().signal };
  await port.call(request, options);
  await port.call({ ...request, model: 'stand-in/agent', reasoning: { effort: 'high' } }, options);
  expect(server.requests.every(({ path }) => path === '/api/v1/responses')).toBe(true);
  expect(bodies()).toMatchObject([
    { model: MODEL, models: ['stand-in/agent'], reasoning: { effort: 'low' } },
    { model: 'stand-in/agent', reasoning: { effort: 'high' } },
  ]);
  expect(bodies()[1]).not.toHaveProperty('models');
  expect(await port.describe(MODEL)).toMatchObject({ id: MODEL });
});

it('does not show its key', () => {
  const model = made();
  expect(`${inspect(model, { depth: 9, showHidden: true })} ${JSON.stringify(model)}`).not.toContain(
    'canary',
  );
});
