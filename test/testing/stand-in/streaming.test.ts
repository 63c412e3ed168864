import { ask, drain, linesOf, MODEL, post, start, stopAll, userSays } from './support.js';

afterEach(stopAll);

const TOOLS = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }];

describe('a streamed answer', () => {
  test('is a comment, a role, pieces of text, a finish reason, usage and [DONE]', async () => {
    const server = await start({ text: 'Hello, world and all who live on it.', chunkChars: 8 });
    const response = await post(server, { stream: true });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const { text } = await drain(response);
    expect(text.startsWith(': OPENROUTER PROCESSING\n\ndata: {')).toBe(true);
    const { chunks, others } = linesOf(text);
    expect(others).toEqual(['[DONE]']);
    expect(chunks[0]).toMatchObject({
      id: response.headers.get('x-generation-id'),
      provider: 'Stand-In',
      model: MODEL,
      object: 'chat.completion.chunk',
    });
    expect(chunks[0]?.choices?.[0]?.delta).toEqual({ role: 'assistant', content: '' });
    expect(chunks.slice(1, -2).map((chunk) => chunk.choices?.[0]?.delta.content)).toEqual([
      'Hello, w',
      'orld and',
      ' all who',
      ' live on',
      ' it.',
    ]);
    expect(chunks.at(-2)?.choices?.[0]).toMatchObject({
      finish_reason: 'stop',
      native_finish_reason: 'stop',
    });
    expect(chunks.at(-1)).toMatchObject({
      choices: [{ finish_reason: null }],
      usage: { completion_tokens: 9 },
    });
  });

  test('carries usage without choices when the script says so', async () => {
    const { chunks } = linesOf((await ask(await start({ text: 'x', usageChunk: 'no-choices' }))).raw);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 1 } });
  });

  test('shows parallel calls as heads first, then their arguments by turns', async () => {
    const server = await start({
      toolCalls: [
        { name: 'look', args: { at: 'the left side' } },
        { name: 'look', args: { at: 'the right side' }, id: 'mine' },
      ],
      chunkChars: 10,
    });
    const answer = await ask(server, { tools: TOOLS });
    const order = linesOf(answer.raw).chunks.flatMap((chunk) =>
      (chunk.choices ?? []).flatMap((choice) => choice.delta.tool_calls?.map((call) => call.index) ?? []),
    );
    expect(order).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
    expect(answer.calls.map(({ args }) => JSON.parse(args))).toEqual([
      { at: 'the left side' },
      { at: 'the right side' },
    ]);
    expect(answer.calls[1]?.id).toBe('mine');
    expect(answer.finish).toEqual(['tool_calls']);
  });

  test('gives generated call ids that are the same for the same request and differ between requests', async () => {
    const server = await start({ toolCalls: [{ name: 'look' }, { name: 'look' }] });
    const [first, again, other] = [
      await ask(server, { tools: TOOLS }),
      await ask(server, { tools: TOOLS }),
      await ask(server, { tools: TOOLS, messages: userSays('other') }),
    ];
    const ids = (answer: typeof first): unknown[] => answer.calls.map(({ id }) => id);
    expect(ids(again)).toEqual(ids(first));
    expect(new Set([...ids(first), ...ids(other)]).size).toBe(4);
  });

  test('sends broken calls as scripted', async () => {
    const toolCalls = [
      { name: 'look', rawArguments: '{"a":' },
      { name: 'look', rawArguments: null, index: 3 },
      { name: 'look', id: '', index: 4 },
      { name: 'look', id: null, index: 5 },
    ];
    const answer = await ask(await start({ toolCalls }), { tools: TOOLS });
    expect(answer.calls[0]).toMatchObject({ args: '{"a":' });
    expect(answer.calls.map((call) => call?.id)).toEqual([
      expect.stringMatching(/^call_/),
      undefined,
      undefined,
      expect.stringMatching(/^call_/),
      '',
      null,
    ]);
    expect(answer.raw).toContain('"function":{"name":"look"}}');
  });

  test.each([
    ['null', null, []],
    ['stop in spite of calls', 'stop', ['stop']],
  ])('can say a wrong finish reason: %s', async (_name, finishReason, seen) => {
    const answer = await ask(await start({ toolCalls: [{ name: 'look' }], finishReason }), { tools: TOOLS });
    expect(answer.finish).toEqual(seen);
    expect(answer.calls).toHaveLength(1);
  });

  test('never splits a character', async () => {
    const text = 'a🙂b🙃'.repeat(50);
    const answer = await ask(await start({ text, chunkChars: 1 }));
    expect(answer.text).toBe(text);
    expect(
      linesOf(answer.raw).chunks.every(
        (chunk) => !/\p{Surrogate}/u.test(chunk.choices?.[0]?.delta.content ?? ''),
      ),
    ).toBe(true);
  });

  test('waits before each chunk as told', async () => {
    const server = await start({ text: 'abcd', chunkChars: 1 }, { latencyMs: 10 });
    const beganAtMs = performance.now();
    await ask(server);
    expect(performance.now() - beganAtMs).toBeGreaterThanOrEqual(65);
  });
});

describe('reasoning', () => {
  const THOUGHT = 'First the left side, then the right one.';

  test('of Anthropic models comes in pieces, its signature late', async () => {
    const answer = await ask(await start({ reasoning: THOUGHT, text: 'Seen both sides of it.' }), {
      model: 'anthropic/stand-in-claude',
    });
    expect(answer.reasoning).toBe(THOUGHT);
    expect(
      answer.details.every(
        ({ type, format }) => type === 'reasoning.text' && format === 'anthropic-claude-v1',
      ),
    ).toBe(true);
    expect(answer.details.map(({ text }) => text).join('')).toBe(THOUGHT);
    expect(answer.details.map(({ signature }) => signature !== undefined)).toEqual([
      false,
      false,
      false,
      true,
    ]);
    const firstText = answer.raw.indexOf('Seen');
    expect(answer.raw.indexOf('signature')).toBeGreaterThan(firstText);
    expect(linesOf(answer.raw).chunks.at(-2)?.choices?.[0]).toMatchObject({
      native_finish_reason: 'end_turn',
    });
  });

  test('of OpenAI models is a summary and an encrypted item', async () => {
    const answer = await ask(await start({ reasoning: THOUGHT, text: 'Seen.' }), {
      model: 'openai/stand-in-gpt',
    });
    expect(answer.details).toMatchObject([
      { type: 'reasoning.summary', summary: THOUGHT },
      { type: 'reasoning.encrypted', id: expect.stringMatching(/^rs_/), format: 'openai-responses-v1' },
    ]);
  });

  test('of Gemini models goes with their calls, and must come back with them', async () => {
    const server = await start({ toolCalls: [{ name: 'look' }] });
    const model = 'google/stand-in-gemini';
    const { calls, details } = await ask(server, { model, tools: TOOLS });
    expect(details).toMatchObject([{ type: 'reasoning.encrypted', format: 'google-gemini-v1' }]);
    const next = (extra: object): object[] => [
      ...userSays('hi'),
      {
        role: 'assistant',
        content: null,
        tool_calls: calls.map(({ id, name, args }) => ({
          id,
          type: 'function',
          function: { name, arguments: args },
        })),
        ...extra,
      },
      { role: 'tool', tool_call_id: calls[0]?.id, content: 'ok' },
    ];
    const refused = await post(server, { model, tools: TOOLS, messages: next({}) });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: {
        message: expect.stringContaining('reasoning details'),
        metadata: { provider_name: 'Google AI Studio' },
      },
    });
    expect(
      (await post(server, { model, tools: TOOLS, messages: next({ reasoning_details: details }) })).status,
    ).toBe(200);
    expect((await post(server, { tools: TOOLS, messages: next({}) })).status).toBe(200);
  });

  test('of another model need not go to Gemini', async () => {
    const server = await start({ reasoning: THOUGHT, toolCalls: [{ name: 'look' }] });
    const { calls } = await ask(server, { model: 'anthropic/stand-in-claude', tools: TOOLS });
    const [call] = calls;
    const messages = [
      ...userSays('hi'),
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: call?.id, type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: call?.id, content: 'ok' },
    ];
    expect((await post(server, { model: 'google/stand-in-gemini', tools: TOOLS, messages })).status).toBe(
      200,
    );
  });

  test('is sent as scripted where the script has its own details', async () => {
    const detail = {
      type: 'reasoning.text',
      text: 'mine',
      signature: 'S',
      format: 'anthropic-claude-v1',
      index: 0,
    };
    const answer = await ask(await start({ reasoningDetails: [detail], text: 'x' }));
    expect(answer.details).toEqual([detail]);
    expect(answer.reasoning).toBe('mine');
  });
});

describe('an answer in one piece', () => {
  test('says the same as the stream', async () => {
    const server = await start({
      reasoning: 'hm',
      text: 'Let me look.',
      toolCalls: [{ name: 'look', args: { a: 1 } }],
    });
    const model = 'anthropic/stand-in-claude';
    const whole: unknown = await (await post(server, { model, tools: TOOLS })).json();
    const streamed = await ask(server, { model, tools: TOOLS });
    expect(whole).toMatchObject({
      object: 'chat.completion',
      model,
      provider: 'Anthropic',
      system_fingerprint: null,
      choices: [
        {
          finish_reason: 'tool_calls',
          native_finish_reason: 'tool_use',
          message: {
            content: streamed.text,
            reasoning: 'hm',
            reasoning_details: [{ type: 'reasoning.text', text: 'hm', signature: expect.any(String) }],
            tool_calls: [{ id: expect.any(String), function: { name: 'look', arguments: '{"a":1}' } }],
          },
        },
      ],
      usage: { completion_tokens: streamed.usage?.completion_tokens, cost: expect.any(Number) },
    });
  });

  test('has null content when there are only calls', async () => {
    const whole: unknown = await (
      await post(await start({ toolCalls: [{ name: 'look' }] }), { tools: TOOLS })
    ).json();
    expect(whole).toMatchObject({ choices: [{ message: { content: null } }] });
  });
});

test('an answer is cut at max_tokens, also inside of arguments', async () => {
  const server = await start({
    text: 'x'.repeat(20),
    toolCalls: [{ name: 'look', args: { at: 'somewhere' } }, { name: 'look' }],
  });
  const short = await ask(server, { tools: TOOLS, max_tokens: 3 });
  expect(short).toMatchObject({
    text: 'x'.repeat(12),
    calls: [],
    finish: ['length'],
    usage: { completion_tokens: 3 },
  });
  const inside = await ask(server, { tools: TOOLS, max_tokens: 7 });
  expect(inside).toMatchObject({
    calls: [{ name: 'look', args: '{"at' }],
    finish: ['length'],
    usage: { completion_tokens: 7 },
  });
});
