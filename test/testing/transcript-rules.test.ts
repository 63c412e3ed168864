import fc from 'fast-check';
import { findTranscriptProblem, type WireMessage } from '../../src/testing/transcript-rules.js';

const user = (content: unknown = 'hi'): WireMessage => ({ role: 'user', content });
const call = (id: string, args: unknown = '{}', name = 'look'): object => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});
const assistant = (ids: string[], extra: object = {}): WireMessage => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => call(id)),
  ...extra,
});
const result = (id: string, content: unknown = 'ok'): WireMessage => ({
  role: 'tool',
  tool_call_id: id,
  content,
});

describe('findTranscriptProblem', () => {
  test.each<[string, WireMessage[]]>([
    ['one user message', [user()]],
    ['a system message, also an empty one', [{ role: 'system', content: '' }, user()]],
    ['results in another order than the calls', [user(), assistant(['a', 'b']), result('b'), result('a')]],
    [
      'calls next to text, empty text and white space',
      [
        user(),
        assistant(['a'], { content: '\n' }),
        result('a'),
        assistant(['b'], { content: '' }),
        result('b'),
      ],
    ],
    ['an empty result', [user(), assistant(['a']), result('a', '')]],
    [
      'content in parts',
      [
        user([
          { type: 'text', text: 'look' },
          { type: 'image_url', image_url: { url: 'data:' } },
        ]),
      ],
    ],
    ['a user message directly after the results', [user(), assistant(['a']), result('a'), user('but')]],
    ['a whole emoji', [user('🙂')]],
  ])('accepts %s', (_name, messages) => {
    expect(findTranscriptProblem(messages)).toBeNull();
  });

  test.each<[string, WireMessage[], RegExp]>([
    ['no messages', [], /empty array/],
    ['an unknown role', [{ role: 'robot', content: 'x' }], /Invalid value: 'robot'\. Supported values are/],
    ['calls of a user', [{ ...user(), tool_calls: [call('a')] }], /Unknown parameter/],
    [
      'an empty list of calls',
      [user(), { role: 'assistant', content: 'x', tool_calls: [] }, user()],
      /messages\[1\]\.tool_calls': empty array/,
    ],
    [
      'calls that are no list',
      [user(), { role: 'assistant', content: 'x', tool_calls: null }, user()],
      /expected an array/,
    ],
    ['a call without id', [user(), assistant(['']), result('')], /tool_calls\[0\]\.id/],
    [
      'an id with other characters',
      [user(), assistant(['functions.look:0']), result('functions.look:0')],
      /tool_calls\[0\]\.id/,
    ],
    [
      'an id that is too long',
      [user(), assistant(['a'.repeat(41)]), result('a'.repeat(41))],
      /tool_calls\[0\]\.id/,
    ],
    [
      'a tool name with a space',
      [user(), assistant([], { tool_calls: [call('a', '{}', 'look up')] }), result('a')],
      /function\.name/,
    ],
    [
      'arguments that are no JSON',
      [user(), assistant([], { tool_calls: [call('a', '{"x":')] }), result('a')],
      /valid dictionary/,
    ],
    [
      'arguments that are no object',
      [user(), assistant([], { tool_calls: [call('a', '[1]')] }), result('a')],
      /valid dictionary/,
    ],
    [
      'missing arguments',
      [
        user(),
        assistant([], { tool_calls: [{ id: 'a', type: 'function', function: { name: 'look' } }] }),
        result('a'),
      ],
      /valid dictionary/,
    ],
    [
      'a call without result at the end',
      [user(), assistant(['a', 'b']), result('a')],
      /did not have response messages: b$/,
    ],
    [
      'a call without result before the next message',
      [user(), assistant(['a', 'b']), result('b'), user()],
      /did not have response messages: a$/,
    ],
    [
      'a message between call and result',
      [user(), assistant(['a']), user('wait'), result('a')],
      /did not have response messages: a$/,
    ],
    [
      'a result without call',
      [user(), result('a')],
      /must be a response to a preceeding message with 'tool_calls'/,
    ],
    [
      'a result of an older call',
      [user(), assistant(['a']), result('a'), assistant(['b']), result('a')],
      /unexpected `tool_use_id`/,
    ],
    ['a result before its call', [user(), result('a'), assistant(['a'])], /must be a response/],
    [
      'two results of one call',
      [user(), assistant(['a']), result('a'), result('a')],
      /multiple `tool_result` blocks with id: a/,
    ],
    [
      'a result without id',
      [user(), assistant(['a']), { role: 'tool', content: 'x' }],
      /Missing parameter 'tool_call_id'/,
    ],
    [
      'one id twice in a message',
      [user(), assistant(['a', 'a']), result('a'), result('a')],
      /ids must be unique \(a\)/,
    ],
    [
      'one id twice in a conversation',
      [user(), assistant(['a']), result('a'), assistant(['a']), result('a')],
      /ids must be unique \(a\)/,
    ],
    ['null from a user', [user(null)], /expected a string, got null/],
    [
      'an assistant that neither speaks nor calls',
      [user(), { role: 'assistant', content: null }, user()],
      /expected a string, got null/,
    ],
    ['a number as content', [user(7)], /expected one of a string or array/],
    ['an empty user message', [user('')], /user messages must have non-empty content/],
    ['white space from a user', [user(' \n')], /non-whitespace text/],
    [
      'white space from an assistant',
      [user(), { role: 'assistant', content: ' ' }, user()],
      /non-whitespace text/,
    ],
    ['white space as system prompt', [{ role: 'system', content: '  ' }, user()], /non-whitespace text/],
    [
      'an empty text part',
      [
        user([
          { type: 'text', text: '' },
          { type: 'text', text: 'x' },
        ]),
      ],
      /must be non-empty/,
    ],
    ['a result of null', [user(), assistant(['a']), result('a', null)], /got null/],
    ['half a surrogate pair', [user('\ud83d')], /no low surrogate/],
    [
      'half a surrogate pair in a result',
      [user(), assistant(['a']), result('a', 'x\udc00')],
      /no low surrogate/,
    ],
    ['no user', [{ role: 'system', content: 'x' }], /at least one message/],
    [
      'an end on the assistant',
      [user(), { role: 'assistant', content: 'x' }],
      /must end with a user message/,
    ],
    [
      'a thought without signature',
      [
        user(),
        assistant(['a'], {
          reasoning_details: [{ type: 'reasoning.text', text: 't', format: 'anthropic-claude-v1' }],
        }),
        result('a'),
      ],
      /Invalid `signature`/,
    ],
    [
      'the same encrypted thought twice',
      [
        user(),
        ...['a', 'b'].flatMap((id) => [
          assistant([id], { reasoning_details: [{ type: 'reasoning.encrypted', id: 'rs_1', data: 'x' }] }),
          result(id),
        ]),
      ],
      /Duplicate item found with id rs_1/,
    ],
  ])('refuses %s', (_name, messages, words) => {
    expect(findTranscriptProblem(messages)).toMatch(words);
  });

  test('refuses calls whose reasoning details were dropped, where the model wants them back', () => {
    const dropped = [user(), assistant(['a']), result('a')];
    const kept = [
      user(),
      assistant(['a'], { reasoning_details: [{ type: 'reasoning.encrypted', id: null, data: 'x' }] }),
      result('a'),
    ];
    const context = { reasoningCallIds: new Set(['a']) };
    expect(findTranscriptProblem(dropped, context)).toMatch(
      /Gemini models require OpenRouter reasoning details/,
    );
    expect(findTranscriptProblem(kept, context)).toBeNull();
    expect(findTranscriptProblem(dropped, { reasoningCallIds: new Set(['b']) })).toBeNull();
  });

  const wholeConversation = fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }).map((sizes) => [
    user(),
    ...sizes.flatMap((size, step) => {
      const ids = Array.from({ length: size }, (_, index) => `s${step}_c${index}`);
      return size === 0
        ? [{ role: 'assistant', content: 'done' }, user('more')]
        : [assistant(ids), ...ids.map((id) => result(id))];
    }),
  ]);

  test('accepts every conversation in which each call has its result', () => {
    fc.assert(
      fc.property(wholeConversation, (messages) => expect(findTranscriptProblem(messages)).toBeNull()),
    );
  });

  test('refuses every conversation that lost one call or one result', () => {
    fc.assert(
      fc.property(wholeConversation, fc.nat(), (messages, pick) => {
        const toolMessages = messages.flatMap(({ role, tool_calls: calls }, index) =>
          role === 'tool' || calls !== undefined ? [index] : [],
        );
        fc.pre(toolMessages.length > 0);
        const lost = toolMessages[pick % toolMessages.length];
        expect(findTranscriptProblem(messages.filter((_, index) => index !== lost))).not.toBeNull();
      }),
    );
  });
});
