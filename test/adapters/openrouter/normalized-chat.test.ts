import fc from 'fast-check';
import { createOpenRouterModel } from '../../../src/adapters/openrouter/model.js';
import { answerChat } from '../../../src/adapters/openrouter/normalized-chat.js';
import { isAgentError } from '../../../src/core/errors.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { ChatAnswer, ChatMessage } from '../../../src/ports/chat.js';
import type { Reply } from '../../../src/testing/stand-in/script.js';
import { startStandIn, type StandIn } from '../../../src/testing/stand-in/stand-in.js';
import { chunk, DONE, FINISH, ScriptedServer, streams, USAGE_CHUNK } from './scripted-server.js';

const MODEL = 'stand-in/agent';
const ASK = { role: 'user', content: 'go' };

let reply: Reply;
let standIn: StandIn;
beforeAll(async () => {
  standIn = await startStandIn({ script: () => reply });
});
afterAll(() => standIn.stop());
beforeEach(() => {
  reply = { text: 'Done.' };
});

const chat = (body: unknown, more: Partial<Parameters<typeof answerChat>[1]> = {}): Promise<ChatAnswer> =>
  answerChat(body, { model: createOpenRouterModel({ apiKey: 'sk-test', baseUrl: standIn.url }), ...more });
const chatRequests = () => standIn.requests.filter(({ path }) => path.endsWith('/chat/completions'));

/** The body that the server got for this request. */
async function sent(body: JsonObject): Promise<JsonObject> {
  await chat({ model: MODEL, messages: [ASK], ...body });
  // The stand-in takes nothing but objects.
  return chatRequests().at(-1)?.body as JsonObject;
}

/** The error that the body is refused with, and that nothing was sent. */
async function refusal(body: unknown): Promise<string> {
  const before = chatRequests().length;
  const error: unknown = await chat(body).catch((caught: unknown) => caught);
  expect(chatRequests().length).toBe(before);
  if (!isAgentError(error)) throw new Error(`not refused: ${JSON.stringify(error)}`);
  expect(error.code).toBe('INPUT_INVALID');
  return error.message;
}

const result = (id: string, content: unknown = 'ok') => ({ role: 'tool', tool_call_id: id, content });
const wireCall = (id: string, name: string, args: string) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});

describe('a chat request on the wire', () => {
  it('has the defaults of the contract', async () => {
    expect(await sent({})).toMatchObject({
      model: MODEL,
      messages: [ASK],
      max_tokens: 4096,
      temperature: 0,
    });
    expect(await sent({})).not.toHaveProperty('tools');
  });

  it('takes null, and an empty list of tools, for what is left out', async () => {
    const body = await sent({ tools: null, max_tokens: null, temperature: null, system: null });
    expect(body).toMatchObject({ messages: [ASK], max_tokens: 4096, temperature: 0 });
    expect(await sent({ tools: [] })).not.toHaveProperty('tools');
  });

  it('has the values that were given', async () => {
    expect(await sent({ max_tokens: 7, temperature: 0.5 })).toMatchObject({
      max_tokens: 7,
      temperature: 0.5,
    });
  });

  it.each([
    [
      'a whole tool',
      { name: 'f', description: 'd', input_schema: { type: 'object', required: ['a'] } },
      { name: 'f', description: 'd', parameters: { type: 'object', required: ['a'] } },
    ],
    [
      'a tool without description and schema',
      { name: 'f' },
      { name: 'f', description: '', parameters: { type: 'object', properties: {} } },
    ],
    [
      'a tool with neither, as null',
      { name: 'f', description: null, input_schema: null },
      { name: 'f', description: '', parameters: { type: 'object', properties: {} } },
    ],
  ])('has %s as a function', async (_what, tool, wire) => {
    const { tools, tool_choice: choice } = await sent({ tools: [tool] });
    expect([tools, choice]).toEqual([[{ type: 'function', function: wire }], 'auto']);
  });

  it.each<[string, { system?: unknown; messages: unknown[] }, unknown[]]>([
    [
      'the system text before all messages',
      { system: 'Be brief.', messages: [ASK] },
      [{ role: 'system', content: 'Be brief.' }, ASK],
    ],
    ['no system message for an empty text', { system: '', messages: [ASK] }, [ASK]],
    [
      'several system texts as one',
      {
        system: [
          { type: 'text', text: 'A' },
          { type: 'text', text: 'B' },
        ],
        messages: [ASK],
      },
      [{ role: 'system', content: 'A\nB' }, ASK],
    ],
    [
      'system messages where they stand',
      { system: 'A', messages: [{ role: 'system', content: 'B' }, ASK] },
      [{ role: 'system', content: 'A' }, { role: 'system', content: 'B' }, ASK],
    ],
    [
      'text parts joined',
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'a' },
              { type: 'text', text: 'b' },
            ],
          },
        ],
      },
      [{ role: 'user', content: 'a\nb' }],
    ],
    [
      'an assistant message of text',
      { messages: [ASK, { role: 'assistant', content: 'hm' }, ASK] },
      [ASK, { role: 'assistant', content: 'hm' }, ASK],
    ],
    [
      'calls of an answer, whatever their content',
      {
        messages: [
          ASK,
          { role: 'assistant', content: null, tool_calls: [{ id: 'a', name: 'f', input: { x: 1 } }] },
          result('a'),
          { role: 'assistant', content: 'hm', tool_calls: [{ id: 'b', name: 'g' }] },
          result('b', ''),
        ],
      },
      [
        ASK,
        { role: 'assistant', content: null, tool_calls: [wireCall('a', 'f', '{"x":1}')] },
        result('a'),
        { role: 'assistant', content: 'hm', tool_calls: [wireCall('b', 'g', '{}')] },
        result('b', ''),
      ],
    ],
    [
      'no calls for an empty list of them',
      { messages: [{ role: 'assistant', content: 'hm', tool_calls: [] }, ASK] },
      [{ role: 'assistant', content: 'hm' }, ASK],
    ],
    [
      "calls in OpenAI's shape",
      {
        messages: [
          ASK,
          {
            role: 'assistant',
            tool_calls: [wireCall('a', 'f', '{"x": 1}'), { id: 'b', function: { name: 'g', arguments: '' } }],
          },
          result('b'),
          result('a'),
        ],
      },
      [
        ASK,
        {
          role: 'assistant',
          content: null,
          tool_calls: [wireCall('a', 'f', '{"x": 1}'), wireCall('b', 'g', '{}')],
        },
        result('b'),
        result('a'),
      ],
    ],
    [
      "calls and results in Anthropic's shape",
      {
        messages: [
          ASK,
          {
            role: 'assistant',
            content: [
              { type: 'text', text: 'hm' },
              { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } },
              { type: 'tool_use', id: 'b', name: 'g', input: {} },
              { type: 'tool_use', id: 'c', name: 'g', input: {} },
            ],
          },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: '1' }] },
              { type: 'tool_result', tool_use_id: 'b', content: 'no', is_error: true },
              { type: 'tool_result', tool_use_id: 'c', is_error: false },
              { type: 'text', text: 'and' },
              { type: 'text', text: 'now?' },
            ],
          },
        ],
      },
      [
        ASK,
        {
          role: 'assistant',
          content: 'hm',
          tool_calls: [wireCall('a', 'f', '{"x":1}'), wireCall('b', 'g', '{}'), wireCall('c', 'g', '{}')],
        },
        result('a', '1'),
        result('b', '{"status":"failed","message":"no"}'),
        result('c', ''),
        { role: 'user', content: 'and\nnow?' },
      ],
    ],
    [
      'an id that comes again in another message, as some models number their calls',
      {
        messages: [
          ASK,
          { role: 'assistant', tool_calls: [{ id: 'call_0', name: 'f', input: {} }] },
          result('call_0'),
          ASK,
        ],
      },
      [
        ASK,
        { role: 'assistant', content: null, tool_calls: [wireCall('call_0', 'f', '{}')] },
        result('call_0'),
        ASK,
      ],
    ],
  ])('has %s', async (_what, body, messages) => {
    // What JSON holds, though the table types it loosely.
    expect((await sent(body as JsonObject))['messages']).toEqual(messages);
  });

  it('keeps own arguments named __proto__', async () => {
    const input: JsonObject = JSON.parse('{"__proto__":{"x":1}}');
    const assistant = { role: 'assistant', tool_calls: [{ id: 'a', name: 'f', input }] };
    const { messages } = await sent({ messages: [ASK, assistant, result('a', 'ok') as JsonObject] });
    expect(JSON.stringify(messages)).toContain(String.raw`{\"__proto__\":{\"x\":1}}`);
  });

  it('is no repetition for the response cache, but of one session with the same conversation', async () => {
    const longer = { messages: [ASK, { role: 'assistant', content: 'hm' }, ASK] };
    const bodies = [await sent({}), await sent({}), await sent(longer), await sent({ system: 'other' })];
    const [first, again, later, other] = bodies.map((body) => body['session_id']);
    expect([again, later]).toEqual([first, first]);
    expect(other).not.toBe(first);
    expect(new Set(bodies.map(({ metadata }) => JSON.stringify(metadata))).size).toBe(4);
  });
});

describe('a chat request that does not fit', () => {
  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'it: expected object'],
    ['a text', 'go', 'it: expected object'],
    ['no model', { messages: [ASK] }, 'model: expected string'],
    ['an empty model', { model: ' ', messages: [ASK] }, 'model: must not be empty'],
    ['no messages', { model: 'm' }, 'messages: expected array'],
    ['an empty list of messages', { model: 'm', messages: [] }, 'messages: must not be empty'],
    ['a field that there is not', { model: 'm', messages: [ASK], top_p: 1 }, '"top_p"'],
    ['max_tokens of 0', { model: 'm', messages: [ASK], max_tokens: 0 }, 'max_tokens: '],
    ['a temperature of 3', { model: 'm', messages: [ASK], temperature: 3 }, 'temperature: '],
    ['a system of numbers', { model: 'm', messages: [ASK], system: 1 }, 'system: must be a string or a list'],
    ['a tool without a name', { model: 'm', messages: [ASK], tools: [{}] }, 'tools[0].name: '],
    [
      'a tool of a name with dots',
      { model: 'm', messages: [ASK], tools: [{ name: 'a.b' }] },
      'tools[0].name: ',
    ],
    [
      'a schema that is no object',
      { model: 'm', messages: [ASK], tools: [{ name: 'f', input_schema: [] }] },
      'tools[0].input_schema: must be a JSON object',
    ],
    [
      'two tools of one name',
      { model: 'm', messages: [ASK], tools: [{ name: 'f' }, { name: 'f' }] },
      'tools: must have different names',
    ],
    [
      "a tool in OpenAI's shape",
      { model: 'm', messages: [ASK], tools: [{ type: 'function', function: { name: 'f' } }] },
      'tools[0]',
    ],
  ])('is refused with the field that is wrong: %s', async (_what, body, words) => {
    expect(await refusal(body)).toContain(words);
  });

  it.each<[string, unknown[], string]>([
    ['another role', [{ role: 'developer', content: 'x' }], 'messages[0].role: must be a message whose role'],
    ['no content', [{ role: 'user' }], 'messages[0].content: must be a string or a list'],
    ['an empty list of parts', [{ role: 'user', content: [] }], 'messages[0].content: must not be empty'],
    [
      'a picture',
      [
        ASK,
        {
          role: 'user',
          content: [
            { type: 'text', text: 'x' },
            { type: 'image_url', image_url: {} },
          ],
        },
      ],
      'messages[1].content[1].type: must be text or tool_result',
    ],
    [
      'a mark on a part',
      [{ role: 'user', content: [{ type: 'text', text: 'x', cache_control: {} }] }],
      'messages[0].content[0]: Unrecognized key: "cache_control"',
    ],
    [
      'a call by the user',
      [{ role: 'user', content: [{ type: 'tool_use' }] }],
      'messages[0].content[0].type',
    ],
    ['a name on a message', [{ ...ASK, name: 'x' }], 'messages[0]: Unrecognized key: "name"'],
    [
      'an assistant that says nothing',
      [ASK, { role: 'assistant', content: null, tool_calls: [] }],
      'messages[1]: needs content or tool_calls',
    ],
    [
      'input that is no object',
      [ASK, { role: 'assistant', tool_calls: [{ id: 'a', name: 'f', input: 'x' }] }, result('a')],
      'messages[1].tool_calls[0].input: must be a JSON object',
    ],
    [
      'arguments that are no JSON',
      [ASK, { role: 'assistant', tool_calls: [wireCall('a', 'f', '{"x"')] }, result('a')],
      'messages[1].tool_calls[0].function.arguments: must be the JSON text of an object',
    ],
    [
      'a call without an id',
      [ASK, { role: 'assistant', tool_calls: [{ id: '', name: 'f' }] }],
      'messages[1].tool_calls[0].id: must not be empty',
    ],
    [
      'a call without a result at the end',
      [ASK, { role: 'assistant', tool_calls: [{ id: 'a', name: 'f' }] }],
      'messages[1]: the call a has no result',
    ],
    [
      'a call without a result before the next message',
      [ASK, { role: 'assistant', tool_calls: [{ id: 'a', name: 'f' }] }, ASK, result('a')],
      'messages[1]: the call a has no result in the messages right after it; messages[3]: is a result for a',
    ],
    [
      'text before the result, among the parts',
      [
        ASK,
        { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'x' },
            { type: 'tool_result', tool_use_id: 'a' },
          ],
        },
      ],
      'messages[1]: the call a has no result',
    ],
    ['a result of no call', [ASK, result('a')], 'messages[1]: is a result for a'],
    [
      'two results of one call',
      [ASK, { role: 'assistant', tool_calls: [{ id: 'a', name: 'f' }] }, result('a'), result('a')],
      'messages[3]: is a result for a',
    ],
    [
      'two calls of one id',
      [
        ASK,
        {
          role: 'assistant',
          tool_calls: [
            { id: 'a', name: 'f' },
            { id: 'a', name: 'g' },
          ],
        },
        result('a'),
      ],
      'messages[1]: has two calls of the id a',
    ],
  ])('is refused for its messages: %s', async (_what, messages, words) => {
    expect(await refusal({ model: MODEL, messages })).toContain(words);
  });

  it('is refused with all that is wrong at once', async () => {
    expect(
      await refusal({ messages: [{ role: 'user', content: [{ type: 'x' }, { type: 'y' }] }], tools: 1 }),
    ).toMatch(
      /^Correct the chat request: model: .+; messages\[0\]\.content\[0\]\.type: .+; messages\[0\]\.content\[1\]\.type: .+; tools: .+\.$/,
    );
  });
});

describe('a chat answer', () => {
  const call = (rawArguments: string | null): Reply => ({
    toolCalls: [{ name: 'f', id: 'a', rawArguments }],
  });
  const answered = (input: JsonObject): Partial<ChatAnswer> => ({
    content: null,
    tool_calls: [{ id: 'a', name: 'f', input }],
    stop_reason: 'tool_use',
  });

  it.each<[string, Reply, Partial<ChatAnswer>]>([
    ['of text', { text: 'Hi' }, { content: 'Hi', tool_calls: [], stop_reason: 'end_turn' }],
    ['of nothing', {}, { content: null, tool_calls: [], stop_reason: 'end_turn' }],
    ['of a call', call('{"x":[1,null]}'), answered({ x: [1, null] })],
    [
      'of text and two calls',
      {
        text: 'hm',
        toolCalls: [
          { name: 'f', id: 'a' },
          { name: 'g', id: 'b', args: { y: 2 } },
        ],
      },
      {
        content: 'hm',
        tool_calls: [
          { id: 'a', name: 'f', input: {} },
          { id: 'b', name: 'g', input: { y: 2 } },
        ],
        stop_reason: 'tool_use',
      },
    ],
    ['with unparsable arguments', call('{"x":'), answered({})],
    ['with empty arguments', call(''), answered({})],
    ['without arguments', call(null), answered({})],
    ['with null for arguments', call('null'), answered({})],
    ['with a list for arguments', call('[1]'), answered({})],
    [
      'with calls cut off',
      { ...call('{"x":"lo'), finishReason: 'length' },
      { content: null, tool_calls: [{ id: 'a', name: 'f', input: {} }], stop_reason: 'max_tokens' },
    ],
    [
      'that was cut off',
      { text: 'Hi', finishReason: 'length' },
      { content: 'Hi', stop_reason: 'max_tokens' },
    ],
    ['that a filter ended', { text: 'Hi', finishReason: 'content_filter' }, { stop_reason: 'end_turn' }],
    ['of an unknown end', { text: 'Hi', finishReason: 'whatever' }, { stop_reason: 'end_turn' }],
    [
      'with calls, of which the server says that it ended',
      { ...call('{}'), finishReason: 'stop' },
      { ...answered({}), stop_reason: 'end_turn' },
    ],
    [
      'with its usage',
      { text: 'Hi', usage: { promptTokens: 11, completionTokens: 3 } },
      { usage: { input_tokens: 11, output_tokens: 3 } },
    ],
    [
      'without usage',
      { text: 'Hi', fault: { kind: 'no-usage' } },
      { content: 'Hi', usage: { input_tokens: 0, output_tokens: 0 } },
    ],
  ])('is mapped: one %s', async (_what, scripted, expected) => {
    reply = scripted;
    const tools = [{ name: 'f' }, { name: 'g' }];
    const answer = await chat({ model: MODEL, messages: [ASK], tools });
    expect(Object.keys(answer)).toEqual(['content', 'tool_calls', 'stop_reason', 'usage']);
    // Not toMatchObject, for which nothing at all is like {}.
    expect({ ...answer, ...expected }).toEqual(answer);
  });

  it('can be sent back as it is, with its results', async () => {
    reply = { text: 'hm', toolCalls: [{ name: 'f', args: { x: 1 } }] };
    const { content, tool_calls: calls } = await chat({
      model: MODEL,
      messages: [ASK],
      tools: [{ name: 'f' }],
    });
    const messages: ChatMessage[] = [
      { role: 'user', content: 'go' },
      { role: 'assistant', content, tool_calls: calls },
      ...calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: '1' })),
    ];
    reply = { text: 'It is 1.' };
    expect((await chat({ model: MODEL, messages })).content).toBe('It is 1.');
  });

  it('is heard as it comes', async () => {
    reply = { text: 'one two three', chunkChars: 4 };
    const pieces: string[] = [];
    await chat({ model: MODEL, messages: [ASK] }, { onText: (piece) => void pieces.push(piece) });
    expect(pieces).toEqual(['one ', 'two ', 'thre', 'e']);
  });
});

describe('a chat call that fails', () => {
  it.each<[string, Reply, string]>([
    ['refused key', { fault: { kind: 'http', status: 401 } }, 'MODEL_AUTH'],
    ['empty account', { fault: { kind: 'http', status: 402 } }, 'MODEL_PAYMENT'],
    ['rate limit', { fault: { kind: 'http', status: 429 } }, 'MODEL_RATE_LIMITED'],
    ['failing provider', { fault: { kind: 'http', status: 503 } }, 'MODEL_UNAVAILABLE'],
    [
      'truncated answer',
      { text: 'Hi', fault: { kind: 'truncate', afterChunks: 2 } },
      'MODEL_STREAM_TRUNCATED',
    ],
    [
      'error in mid-stream',
      { text: 'Hi', fault: { kind: 'mid-stream-error', code: 502 } },
      'MODEL_UNAVAILABLE',
    ],
  ])('rejects with its code after one attempt: %s', async (_what, scripted, code) => {
    reply = scripted;
    const before = chatRequests().length;
    await expect(chat({ model: MODEL, messages: [ASK] })).rejects.toMatchObject({ code });
    expect(chatRequests().length).toBe(before + 1);
  });

  it('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    reply = { text: 'one two three', chunkChars: 4, fault: { kind: 'stall', afterChunks: 2 } };
    const onText = (): void => controller.abort(new Error('enough'));
    const call = chat({ model: MODEL, messages: [ASK] }, { signal: controller.signal, onText });
    await expect(call).rejects.toThrow('enough');
  });
});

describe('whatever the server sends', () => {
  const server = new ScriptedServer();
  beforeAll(() => server.start());
  afterAll(() => server.stop());

  const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string());
  const fragment = fc.oneof(
    odd,
    fc.record(
      {
        index: fc.oneof(fc.nat(3), odd),
        id: odd,
        function: fc.record({ name: odd, arguments: odd }, { requiredKeys: [] }),
      },
      { requiredKeys: [] },
    ),
  );
  const delta = fc.record(
    { content: odd, tool_calls: fc.oneof(fc.array(fragment, { maxLength: 3 }), odd) },
    { requiredKeys: [] },
  );
  const ends = fc.record({
    finish_reason: fc.oneof(fc.constantFrom('stop', 'tool_calls', 'length', null), fc.string()),
    usage: fc.oneof(fc.constant({ cost: 1, prompt_tokens: 1, completion_tokens: -1 }), odd),
  });
  // With a cost at the end, lest each answer asks for the price list.
  const usageChunk = { choices: [], usage: { cost: 0.1, prompt_tokens: 2.5, completion_tokens: '3' } };

  const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
  const isObject = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && !Array.isArray(value);

  function expectShape(answer: ChatAnswer): void {
    expect(Object.keys(answer)).toEqual(['content', 'tool_calls', 'stop_reason', 'usage']);
    expect(answer.content === null || (typeof answer.content === 'string' && answer.content !== '')).toBe(
      true,
    );
    expect(['end_turn', 'tool_use', 'max_tokens']).toContain(answer.stop_reason);
    expect(Object.keys(answer.usage)).toEqual(['input_tokens', 'output_tokens']);
    expect(Object.values(answer.usage).every(isCount)).toBe(true);
    for (const call of answer.tool_calls) {
      expect(Object.keys(call)).toEqual(['id', 'name', 'input']);
      expect([typeof call.id, typeof call.name, isObject(call.input)]).toEqual(['string', 'string', true]);
      expect(call.id).not.toBe('');
    }
    expect(new Set(answer.tool_calls.map(({ id }) => id)).size).toBe(answer.tool_calls.length);
    expect(JSON.parse(JSON.stringify(answer))).toEqual(answer);
  }

  it('there is an answer of this shape, or an error with a MODEL_ code', async () => {
    const model = createOpenRouterModel({ apiKey: 'sk-test', baseUrl: server.baseUrl });
    const seen = { answers: 0, calls: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(delta, { maxLength: 4 }), ends, async (deltas, end) => {
        const events = [
          ...deltas.map((piece) => chunk(piece)),
          chunk({}, { ...end, usage: Object(end.usage) }),
          usageChunk,
          DONE,
        ];
        server.script = streams(...events);
        try {
          const answer = await answerChat({ model: 'm', messages: [ASK] }, { model });
          expectShape(answer);
          seen.answers += 1;
          seen.calls += answer.tool_calls.length;
        } catch (error) {
          if (!isAgentError(error)) throw error;
          expect(error.code).toMatch(/^MODEL_/);
        }
      }),
      { numRuns: 150 },
    );
    expect(Math.min(seen.answers, seen.calls)).toBeGreaterThan(20);
  });

  it('an answer of the responses API has the same shape', async () => {
    const model = createOpenRouterModel({ apiKey: 'sk-test', baseUrl: server.baseUrl });
    const output = [
      { type: 'message', id: 'm', role: 'assistant', content: [{ type: 'output_text', text: 'hm' }] },
      { type: 'function_call', id: 'c', call_id: 'a', name: 'f', arguments: '{"x":1}' },
    ];
    const usage = { input_tokens: 3, output_tokens: 2, cost: 0.1 };
    const response = { id: 'gen-1', model: 'm', status: 'completed', output, usage };
    server.script = streams({ type: 'response.completed', response });
    const answer = await answerChat({ model: 'm', messages: [ASK] }, { model, wire: 'responses' });
    expect(answer).toEqual({
      content: 'hm',
      tool_calls: [{ id: 'a', name: 'f', input: { x: 1 } }],
      stop_reason: 'tool_use',
      usage: { input_tokens: 3, output_tokens: 2 },
    });
    expect(server.seen.at(-1)?.path).toMatch(/\/responses$/);
  });

  it('arguments that a server sends as an object are taken as they are', async () => {
    const model = createOpenRouterModel({ apiKey: 'sk-test', baseUrl: server.baseUrl });
    const toolCalls = [{ index: 0, id: 'a', function: { name: 'f', arguments: { x: 1 } } }];
    server.script = streams(chunk({ tool_calls: toolCalls }), FINISH, USAGE_CHUNK, DONE);
    const answer = await answerChat({ model: 'm', messages: [ASK] }, { model });
    expect(answer.tool_calls).toEqual([{ id: 'a', name: 'f', input: { x: 1 } }]);
  });
});
