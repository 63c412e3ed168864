import { withPlainBodies } from '../../../src/adapters/openrouter/plain-body.js';
import { toResponsesBody } from '../../../src/adapters/openrouter/responses/to-body.js';
import { toWireBody } from '../../../src/adapters/openrouter/to-wire.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { ModelRequest } from '../../../src/ports/model.js';

const BASE = 'http://127.0.0.1:8000/v1';
const CHAT = `${BASE}/chat/completions`;
const RESPONSES = `${BASE}/responses`;
const REQUEST: ModelRequest = {
  model: 'anthropic/claude',
  models: ['anthropic/other'],
  items: [
    { role: 'system', content: 's' },
    { role: 'user', content: 'u' },
    {
      role: 'assistant',
      content: '',
      calls: [{ id: 'a', name: 'f', args: '{}' }],
      reasoning: [{ type: 'reasoning.encrypted', data: 'x' }],
    },
    { role: 'tool', callId: 'a', content: 't' },
  ],
  tools: [{ name: 'f', description: '', parameters: {} }],
  toolChoice: 'auto',
  maxOutputTokens: 2_000,
  temperature: 0,
  reasoning: { effort: 'low' },
  maxPrice: { promptNanoUsdPerMillion: 1, completionNanoUsdPerMillion: 1, requestNanoUsd: 0 },
  metadata: { longhaul_run: 'r' },
  sessionId: 'r',
};
const FULL = toWireBody(REQUEST);

type Server = (body: JsonObject) => Response;
const ok = (): Response => new Response('fine');
const refusal = (body: unknown, status = 400): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });

function talkTo(server: Server, baseUrl = BASE) {
  const seen: string[] = [];
  const send = withPlainBodies(async (_url, init) => {
    const body = typeof init?.body === 'string' ? init.body : '';
    seen.push(body);
    return server(JSON.parse(body));
  }, baseUrl);
  return { seen, post: (body = FULL, url = CHAT) => send(url, { method: 'POST', body }) };
}

describe('a server that takes everything', () => {
  it('is sent everything, as it stands', async () => {
    const { seen, post } = talkTo(ok);
    await post();
    expect(seen).toEqual([FULL]);
  });
});

describe('a server that refuses what it does not know', () => {
  it.each<[string, unknown, number]>([
    ['OpenAI', { error: { message: "Unknown parameter: 'session_id'.", param: 'session_id' } }, 400],
    [
      'older OpenAI',
      { error: { message: 'Unrecognized request arguments supplied: models, provider' } },
      400,
    ],
    [
      'OpenAI, of metadata',
      { error: { message: "The 'metadata' parameter is only allowed when 'store' is enabled." } },
      400,
    ],
    [
      'pydantic',
      {
        detail: [
          { type: 'extra_forbidden', loc: ['body', 'session_id'], msg: 'Extra inputs are not permitted' },
        ],
      },
      422,
    ],
    [
      'Groq',
      { error: { message: "property 'reasoning' is unsupported, did you mean 'reasoning_effort'?" } },
      400,
    ],
    [
      'Fireworks',
      { error: { message: "Extra inputs are not permitted, field: 'messages[2].reasoning_details'" } },
      400,
    ],
    [
      'LiteLLM',
      { error: { message: "UnsupportedParamsError: mistral does not support parameters: ['metadata']" } },
      400,
    ],
  ])('in the words of %s is sent what OpenAI knows, now and from then on', async (_who, words, status) => {
    const { seen, post } = talkTo((body) => ('session_id' in body ? refusal(words, status) : ok()));
    expect((await post()).status).toBe(200);
    expect((await post()).status).toBe(200);
    expect(seen).toHaveLength(3);
    expect(seen[2]).toBe(seen[1]);
    expect(JSON.parse(seen[1] ?? '')).toEqual({
      model: 'anthropic/claude',
      messages: [
        { role: 'system', content: 's' },
        { role: 'user', content: 'u' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'a', content: 't' },
      ],
      tools: [{ type: 'function', function: { name: 'f', description: '', parameters: {} } }],
      tool_choice: 'auto',
      temperature: 0,
      reasoning_effort: 'low',
      max_tokens: 2_000,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('is sent less by all requests that were under way when it first refused one', async () => {
    const { post } = talkTo((body) =>
      'session_id' in body ? refusal({ detail: 'Unknown: session_id' }) : ok(),
    );
    const responses = await Promise.all([post(), post(), post()]);
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('is told the limit by the name that it wants, one refusal after the other', async () => {
    const { seen, post } = talkTo((body) => {
      if ('models' in body) return refusal({ error: { message: 'Unrecognized request argument: models' } });
      if ('max_tokens' in body)
        return refusal({
          error: { message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead." },
        });
      return ok();
    });
    expect((await post()).status).toBe(200);
    expect(seen).toHaveLength(3);
    expect(JSON.parse(seen[2] ?? '')).toMatchObject({ max_completion_tokens: 2_000 });
  });

  it('is sent on the responses API what OpenAI knows there', async () => {
    const full = toResponsesBody({ ...REQUEST, reasoning: { maxTokens: 1_024 } });
    const refused = refusal({ error: { message: "Unknown parameter: 'models'." } });
    const { seen, post } = talkTo((body) => ('models' in body ? refused : ok()));
    expect((await post(full, RESPONSES)).status).toBe(200);
    const { cache_control, models, provider, session_id, reasoning, ...others } = JSON.parse(full);
    expect([cache_control, models, provider, session_id].every((field) => field !== undefined)).toBe(true);
    expect(reasoning).toEqual({ max_tokens: 1_024, summary: 'auto' });
    expect(JSON.parse(seen[1] ?? '')).toEqual({ ...others, reasoning: { summary: 'auto' } });
  });

  it('has its refusal passed on, whole, when leaving out does not help', async () => {
    const words = { error: { message: "Unknown parameter: 'session_id'." } };
    const { seen, post } = talkTo(() => refusal(words));
    const response = await post();
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(words);
    expect(seen).toHaveLength(2);
  });
});

describe('nothing is left out', () => {
  const naming = { error: { message: "Unknown parameter: 'session_id'." } };
  it.each<[string, Server, string, string]>([
    [
      'for another reason',
      () => refusal({ error: { message: 'maximum context length is 10 tokens' } }),
      BASE,
      CHAT,
    ],
    [
      'for a limit that is too large',
      () => refusal({ error: { message: "'max_tokens' or 'max_completion_tokens' is too large: 8192." } }),
      BASE,
      CHAT,
    ],
    [
      'for a field that is OpenAI’s',
      () => refusal({ error: { message: "Unknown parameter: 'tools'." } }),
      BASE,
      CHAT,
    ],
    [
      'for a field that is valid but wrong',
      () => refusal({ error: { message: "Invalid 'metadata': too long" } }),
      BASE,
      CHAT,
    ],
    ['for another status', () => refusal(naming, 500), BASE, CHAT],
    ['at OpenRouter', () => refusal(naming), 'https://openrouter.ai/api/v1', CHAT],
    ['at a region of OpenRouter', () => refusal(naming), 'https://eu.openrouter.ai/api/v1', CHAT],
    ['of another API', () => refusal(naming), BASE, `${BASE}/embeddings`],
  ])('%s', async (_why, server, baseUrl, url) => {
    const { seen, post } = talkTo(server, baseUrl);
    expect(await (await post(FULL, url)).json()).toHaveProperty('error');
    expect(seen).toEqual([FULL]);
  });

  it('where a way to OpenRouter has shown itself', async () => {
    let isFirst = true;
    const { seen, post } = talkTo(() => {
      const headers = { 'x-generation-id': 'gen-1' };
      const response = isFirst ? new Response('fine', { headers }) : refusal(naming);
      isFirst = false;
      return response;
    });
    await post();
    expect((await post()).status).toBe(400);
    expect(seen).toEqual([FULL, FULL]);
  });
});
