import { createOpenRouterModel } from '../../../src/adapters/openrouter/model.js';
import { fallbacksFor } from '../../../src/adapters/openrouter/reasoning.js';
import type { JsonValue } from '../../../src/core/json.js';
import type { TranscriptItem } from '../../../src/core/transcript.js';
import type { ModelPort, ModelRequest } from '../../../src/ports/model.js';
import { defaultModels } from '../../../src/testing/stand-in/models.js';
import { startStandIn, type StandIn } from '../../../src/testing/stand-in/stand-in.js';

const CLAUDE = 'anthropic/stand-in-claude';
const GPT = 'openai/stand-in-gpt';
const GEMINI = 'google/stand-in-gemini';
const PLAIN = 'stand-in/agent';

const sealedBy = (model: string): TranscriptItem => ({
  role: 'assistant',
  content: 'x',
  reasoning: [{ type: 'reasoning.encrypted', data: `of ${model}` }],
  model,
});
const stay = (models: string[], ...items: TranscriptItem[]) => fallbacksFor({ model: CLAUDE, models, items });

describe('the fallbacks that the server may turn to', () => {
  it('are all of them as long as nobody has sealed anything', () => {
    const plain: JsonValue[] = [
      { type: 'reasoning.text', text: 'so', format: 'unknown' },
      { type: 'reasoning.text', text: 'so' },
      { type: 'reasoning.server_tool_call', tool_name: 'web', arguments: '{}', result: '' },
    ];
    expect(stay([GPT, GEMINI])).toEqual([GPT, GEMINI]);
    expect(
      stay(
        [GPT, GEMINI],
        { role: 'assistant', content: 'x', reasoning: plain, model: PLAIN },
        { role: 'assistant', content: 'x', reasoning: [], model: CLAUDE },
        { role: 'assistant', content: 'x' },
      ),
    ).toEqual([GPT, GEMINI]);
  });

  it.each<[string, TranscriptItem[], string[]]>([
    ['could not read what the first one has sealed', [sealedBy(CLAUDE)], ['anthropic/other']],
    ['would miss what it has sealed itself', [sealedBy(GEMINI)], [GPT, 'anthropic/other']],
    ['has the one trouble, or the other', [sealedBy(CLAUDE), sealedBy(GEMINI)], ['anthropic/other']],
  ])('are none that %s', (_why, items, expected) => {
    expect(stay([GPT, 'anthropic/other', GEMINI], ...items)).toEqual(expected);
  });

  it('are none that miss what they have sealed over the responses API', () => {
    const item = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' };
    expect(stay([GPT], { role: 'assistant', content: 'x', reasoning: [item], model: GPT })).toEqual([]);
  });
});

describe('a transcript of several families', () => {
  let server: StandIn;
  let model: ModelPort;
  const isDown = new Set<string>();
  beforeAll(async () => {
    server = await startStandIn({
      models: defaultModels,
      script: (_request, context) => {
        if (isDown.has(context.model)) return { fault: { kind: 'http', status: 503 } };
        return context.stepIndex < 3
          ? { reasoning: 'hm', toolCalls: [{ name: 'look' }], finishReason: 'tool_calls' }
          : { text: 'Done.' };
      },
    });
    model = createOpenRouterModel({ apiKey: 'sk-or-v1-test', baseUrl: server.url });
  });
  afterAll(() => server.stop());

  const items: TranscriptItem[] = [{ role: 'user', content: 'go' }];
  async function step(asked: string, models: string[]): Promise<string> {
    const request: ModelRequest = {
      model: asked,
      models,
      items,
      tools: [{ name: 'look', description: 'l', parameters: { type: 'object' } }],
      toolChoice: 'auto',
      maxOutputTokens: 2_000,
      metadata: { longhaul_step: String(items.length), longhaul_nonce: asked },
      sessionId: 'r',
    };
    const answer = await model.call(request, { signal: new AbortController().signal });
    const { text: content, calls, reasoning } = answer;
    items.push({ role: 'assistant', content, calls, reasoning, model: answer.model });
    items.push(...calls.map(({ id }) => ({ role: 'tool' as const, callId: id, content: 'seen' })));
    return answer.model;
  }
  const lastModels = (): unknown => Object(server.requests.at(-1)?.body)['models'];

  it('is refused by nobody, whichever model answers when', async () => {
    // The first model is out, and the server itself turns to Gemini, which seals what it thinks.
    isDown.add(CLAUDE);
    expect(await step(CLAUDE, [GEMINI])).toBe(GEMINI);
    // Claude is back. Gemini would miss its own details now, so the server must not turn to it.
    isDown.delete(CLAUDE);
    expect(await step(CLAUDE, [GEMINI, GPT])).toBe(CLAUDE);
    expect(lastModels()).toEqual([GPT]);
    // The run turns to Gemini by itself, and Gemini gets what is its own.
    expect(await step(GEMINI, [])).toBe(GEMINI);
    expect(await step(CLAUDE, [GEMINI, GPT])).toBe(CLAUDE);
    expect(lastModels()).toBeUndefined();
    expect(server.requests.map(({ problem }) => problem)).toEqual([null, null, null, null]);
  });

  it('would be refused by Gemini without its own details, which this test can see', async () => {
    const stripped = items.map((item) =>
      item.role === 'assistant' ? { ...item, model: 'other/maker' } : item,
    );
    const request: ModelRequest = {
      model: GEMINI,
      items: [...stripped, { role: 'user', content: 'on' }],
      tools: [],
      toolChoice: 'auto',
      maxOutputTokens: 10,
      metadata: {},
      sessionId: 'r',
    };
    await expect(model.call(request, { signal: new AbortController().signal })).rejects.toThrow(
      /reasoning details to be preserved/,
    );
  });
});
