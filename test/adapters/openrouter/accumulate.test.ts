import fc from 'fast-check';
import { Accumulator } from '../../../src/adapters/openrouter/accumulate.js';
import {
  MAX_ARGS_BYTES,
  MAX_CALLS,
  MAX_REASONING_BYTES,
  MAX_TEXT_BYTES,
} from '../../../src/adapters/openrouter/answer-parts.js';
import { MAX_CALL_ARGS_BYTES, TOO_LONG_ARGS } from '../../../src/adapters/openrouter/call-slots.js';
import type { ChunkNews, WireAnswer } from '../../../src/adapters/openrouter/wire-format.js';
import type { JsonValue } from '../../../src/core/json.js';
import { chunk, FINISH, USAGE, USAGE_CHUNK } from './scripted-server.js';

interface Run {
  answer: WireAnswer;
  generationId: string | null;
  news: ChunkNews[];
  isComplete: boolean;
}

function run(chunks: object[], { done = true }: { done?: boolean } = {}): Run {
  const accumulator = new Accumulator();
  const news = chunks.map((each) => accumulator.add(each as JsonValue));
  if (done) accumulator.done();
  const { isComplete, generationId } = accumulator;
  return { answer: accumulator.answer('call_x'), generationId, news, isComplete };
}

const call = (fragment: object): object => chunk({ content: null, tool_calls: [fragment] });
const calls = (...fragments: object[]): WireAnswer['calls'] =>
  run([...fragments.map(call), FINISH, USAGE_CHUNK]).answer.calls;
const details = (...pieces: object[][]): JsonValue[] =>
  run([...pieces.map((piece) => chunk({ content: '', reasoning_details: piece })), FINISH, USAGE_CHUNK])
    .answer.reasoning;
const failureOf = (each: object): ChunkNews['failure'] => run([each]).news[0]?.failure;

describe('text', () => {
  it('is joined over chunks', () => {
    const { answer, news, generationId } = run([
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo' }),
      FINISH,
      USAGE_CHUNK,
    ]);
    expect(generationId).toBe('gen-1');
    expect(answer).toMatchObject({
      text: 'Hello',
      calls: [],
      reasoning: [],
      finishReason: 'stop',
      model: 'test/model',
    });
    expect(news.map((each) => each.text)).toEqual(['Hel', 'lo', '', '']);
  });

  it('may come with the finish reason in one chunk', () => {
    const { answer, isComplete } = run([
      chunk({ content: 'all' }, { finish_reason: 'length', usage: USAGE }),
    ]);
    expect(answer).toMatchObject({ text: 'all', finishReason: 'length' });
    expect(isComplete).toBe(true);
  });

  it('may be a refusal', () => {
    expect(run([chunk({ content: null, refusal: 'I will not.' }), FINISH, USAGE_CHUNK]).answer.text).toBe(
      'I will not.',
    );
  });

  it('is made well-formed, and shown only in whole characters', () => {
    const { answer, news } = run([
      chunk({ content: 'a\ud83d' }),
      chunk({ content: '\udc22b\ud800' }),
      chunk({ content: 'c' }),
      FINISH,
    ]);
    expect(answer.text).toBe('a🐢b\ufffdc');
    expect(news.map((each) => each.text)).toEqual(['a', '🐢b', '\ufffdc', '']);
  });

  it('may come whole, as in an answer that is no stream', () => {
    const whole = {
      id: 'gen-9',
      model: 'm',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }],
      usage: USAGE,
    };
    const { answer, isComplete, generationId } = run([whole], { done: false });
    expect(answer).toMatchObject({ text: 'hi', model: 'm' });
    expect(generationId).toBe('gen-9');
    expect(isComplete).toBe(true);
  });

  it('has a limit', () => {
    expect(run([chunk({ content: 'x'.repeat(MAX_TEXT_BYTES) })]).news[0]?.failure).toBeUndefined();
    expect(failureOf(chunk({ content: 'x'.repeat(MAX_TEXT_BYTES + 1) }))).toMatchObject({
      kind: 'too_large',
    });
  });
});

describe('a whole document', () => {
  const message = { role: 'assistant', content: 'hi' };
  const read = (choice: object, more: object = {}) => {
    const accumulator = new Accumulator();
    const document = { id: 'gen-9', choices: [{ index: 0, ...choice }], ...more };
    accumulator.add(document as JsonValue);
    accumulator.whole();
    return accumulator;
  };

  it('is complete without usage', () => {
    const accumulator = read({ finish_reason: 'length', message });
    expect(accumulator.isComplete).toBe(true);
    expect(accumulator.answer('call_x')).toMatchObject({ text: 'hi', finishReason: 'length', usage: null });
  });

  it.each<[string, object, string]>([
    ['text', message, 'stop'],
    ['calls', { ...message, tool_calls: [{ id: 'a', function: { name: 'f' } }] }, 'tool_calls'],
  ])('is complete without a finish reason: %s', (_what, said, finishReason) => {
    const accumulator = read({ message: said });
    expect(accumulator.isComplete).toBe(true);
    expect(accumulator.answer('call_x')).toMatchObject({ finishReason });
  });

  it('without a message is no empty answer, whatever it says beside it', () => {
    const accumulator = read({ finish_reason: 'stop', message: null }, { usage: USAGE });
    accumulator.done();
    expect(accumulator.isComplete).toBe(false);
    expect(accumulator.truncation().message).toBe('the answer ended without a message');
  });
});

it('a stream without a message is no empty answer, whatever it says beside it', () => {
  const { isComplete } = run([
    { choices: [{ index: 0, finish_reason: 'stop' }] },
    { choices: [], usage: USAGE },
  ]);
  expect(isComplete).toBe(false);
});

describe('progress', () => {
  it.each([
    ['text', chunk({ content: 'a' }), true],
    ['reasoning', chunk({ content: '', reasoning: 'a' }), true],
    [
      'a signature',
      chunk({ content: '', reasoning_details: [{ type: 'reasoning.text', signature: 's' }] }),
      true,
    ],
    ['call arguments', call({ index: 0, function: { arguments: '{' } }), true],
    ['a finish reason', FINISH, true],
    ['an empty delta', chunk({ content: '' }), false],
    ['usage', USAGE_CHUNK, false],
    ['a debug chunk', { choices: [], debug: { echo_upstream_body: {} } }, false],
  ])('is what %s is or is not', (_name, each, expected) => {
    expect(run([each]).news[0]?.isProgress).toBe(expected);
  });
});

describe('tool calls', () => {
  it('are joined by index, in parallel and out of turn', () => {
    expect(
      calls(
        { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } },
        { index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '{"y"' } },
        { index: 0, function: { arguments: '{"x":' } },
        { index: 1, function: { arguments: ':2}' } },
        { index: 0, function: { arguments: '1}' } },
      ),
    ).toEqual([
      { id: 'a', name: 'f', args: '{"x":1}' },
      { id: 'b', name: 'g', args: '{"y":2}' },
    ]);
  });

  it('come in the order of their index, gaps or not', () => {
    const made = calls(
      { index: 7, id: 'b', function: { name: 'g', arguments: '{}' } },
      { index: 2, id: 'a', function: { name: 'f', arguments: '{}' } },
    );
    expect(made.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it.each([
    [
      'missing index, told apart by id',
      [
        { id: 'a', function: { name: 'f', arguments: '{' } },
        { id: 'b', function: { name: 'g' } },
        { id: 'a', function: { arguments: '}' } },
      ],
      ['a f {}', 'b g '],
    ],
    [
      'missing index and id after the first piece',
      [{ id: 'a', function: { name: 'f' } }, { function: { arguments: '{}' } }],
      ['a f {}'],
    ],
    [
      'missing index, whole calls',
      [{ function: { name: 'f', arguments: '{}' } }, { function: { name: 'g', arguments: '{}' } }],
      ['call_x_0 f {}', 'call_x_1 g {}'],
    ],
    [
      'index 0 for every call',
      [
        { index: 0, id: 'a', function: { name: 'f', arguments: '{}' } },
        { index: 0, id: 'b', function: { name: 'f', arguments: '{}' } },
      ],
      ['a f {}', 'b f {}'],
    ],
    [
      'missing ids',
      [
        { index: 0, function: { name: 'f' } },
        { index: 1, id: null, function: { name: 'g' } },
        { index: 2, id: '', function: { name: 'h' } },
      ],
      ['call_x_0 f ', 'call_x_1 g ', 'call_x_2 h '],
    ],
    [
      'an id that comes late',
      [
        { index: 0, function: { name: 'f' } },
        { index: 0, id: 'a', function: { arguments: '{}' } },
      ],
      ['a f {}'],
    ],
    [
      'the same id twice',
      [
        { index: 0, id: 'a', function: { name: 'f' } },
        { index: 1, id: 'a', function: { name: 'g' } },
      ],
      ['a f ', 'call_x_1 g '],
    ],
    [
      'the same id twice without index',
      [
        { id: 'a', function: { name: 'f', arguments: '{}' } },
        { id: 'a', function: { name: 'f', arguments: '{}' } },
      ],
      ['a f {}', 'call_x_1 f {}'],
    ],
    ['missing arguments', [{ index: 0, id: 'a', function: { name: 'f' } }], ['a f ']],
    ['null arguments', [{ index: 0, id: 'a', function: { name: 'f', arguments: null } }], ['a f ']],
    [
      'arguments as an object',
      [{ index: 0, id: 'a', function: { name: 'f', arguments: { x: 1 } } }],
      ['a f {"x":1}'],
    ],
    [
      'a name that is repeated',
      [
        { index: 0, id: 'a', function: { name: 'f', arguments: '{' } },
        { index: 0, id: 'a', function: { name: 'f', arguments: '}' } },
      ],
      ['a f {}'],
    ],
    ['no function at all', [{ index: 0, id: 'a' }], ['a  ']],
  ])('survive %s', (_name, fragments, expected) => {
    expect(calls(...fragments).map(({ id, name, args }) => `${id} ${name} ${args}`)).toEqual(expected);
  });

  it('may come several in a chunk', () => {
    const { answer, news } = run([
      chunk({
        tool_calls: [
          { index: 0, id: 'a', function: { name: 'f', arguments: '{}' } },
          { index: 1, id: 'b', function: { name: 'g', arguments: '' } },
        ],
      }),
      FINISH,
    ]);
    expect(answer.calls).toHaveLength(2);
    expect(news[0]?.calls).toEqual([
      { index: 0, name: 'f', text: '{}' },
      { index: 1, name: 'g', text: '' },
    ]);
  });

  it('never share an id, whatever the server sends', () => {
    const fragment = fc.record(
      {
        index: fc.nat(3),
        id: fc.constantFrom('', 'a', 'b', 'call_x_1'),
        function: fc.record({ name: fc.constantFrom('', 'f'), arguments: fc.constantFrom('', '{', '}') }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 12 }), (fragments) => {
        const ids = calls(...fragments).map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids).not.toContain('');
      }),
    );
  });

  it('beyond the limit for arguments keep their place and their name, and words in place of arguments', () => {
    const whole = JSON.stringify('x'.repeat(MAX_CALL_ARGS_BYTES - 2));
    const { news, answer } = run([
      call({ index: 0, id: 'a', function: { name: 'f', arguments: whole } }),
      call({ index: 1, id: 'b', function: { name: 'g', arguments: whole } }),
      call({ index: 0, function: { arguments: 'x' } }),
      call({ index: 0, function: { arguments: 'y' } }),
    ]);
    expect(news.map((each) => each.failure)).toEqual([undefined, undefined, undefined, undefined]);
    expect(news.map((each) => each.calls[0]?.text.length)).toEqual([whole.length, whole.length, 0, 0]);
    expect(news.every((each) => each.isProgress)).toBe(true);
    expect(answer.calls).toEqual([
      { id: 'a', name: 'f', args: TOO_LONG_ARGS },
      { id: 'b', name: 'g', args: whole },
    ]);
    expect(() => JSON.parse(TOO_LONG_ARGS)).toThrow(SyntaxError);
  });

  it('have a limit for the arguments of all of them, kept or not', () => {
    const part = call({ index: 0, function: { arguments: 'x'.repeat(MAX_ARGS_BYTES / 4) } });
    const { news } = run([part, part, part, part, call({ index: 1, function: { arguments: 'x' } })]);
    expect(news.map((each) => each.failure?.kind)).toEqual([
      ...Array.from({ length: 4 }, () => undefined),
      'too_large',
    ]);
  });

  it('have a limit for their number', () => {
    const many = Array.from({ length: MAX_CALLS }, (_, index) => ({ index, function: { name: 'f' } }));
    const { news } = run([chunk({ tool_calls: many }), call({ index: MAX_CALLS, function: { name: 'f' } })]);
    expect(news.map((each) => each.failure?.kind)).toEqual([undefined, 'too_large']);
  });
});

describe('reasoning', () => {
  const half = 'x'.repeat(MAX_REASONING_BYTES / 2);
  const text = (piece: string): object => ({ type: 'reasoning.text', text: piece });

  it.each<[string, (piece: string) => object]>([
    ['text', (reasoning) => chunk({ reasoning })],
    ['texts that are joined', (piece) => chunk({ reasoning: '', reasoning_details: [text(piece)] })],
    ['sealed data', (data) => chunk({ reasoning_details: [{ type: 'reasoning.encrypted', data }] })],
  ])('has a limit: %s', (_what, of) => {
    const { news } = run([of(half.slice(100)), of(half), of('x'.repeat(200))]);
    expect(news.map((each) => each.failure?.kind)).toEqual([undefined, undefined, 'too_large']);
  });

  it('that comes in many small pieces counts as what it says', () => {
    const pieces = Array.from({ length: 50_000 }, () => text('a few words of thought '));
    const { news } = run([chunk({ reasoning_details: pieces })]);
    expect(news[0]?.failure).toBeUndefined();
  });
});

describe('reasoning details', () => {
  it('join consecutive texts; the first signature and format count', () => {
    expect(
      details(
        [{ type: 'reasoning.text', text: 'a', id: 'r1', format: null, index: 0 }],
        [{ type: 'reasoning.text', text: 'b', format: 'anthropic-claude-v1', signature: '', index: 0 }],
        [{ type: 'reasoning.text', signature: 'SIG', format: 'other', index: 0 }],
        [{ type: 'reasoning.text', signature: 'LATER', index: 0 }],
      ),
    ).toEqual([
      {
        type: 'reasoning.text',
        text: 'ab',
        id: 'r1',
        format: 'anthropic-claude-v1',
        index: 0,
        signature: 'SIG',
      },
    ]);
  });

  it('take a signature that comes after the text of the answer', () => {
    const { answer } = run([
      chunk({ content: '', reasoning_details: [{ type: 'reasoning.text', text: 'a', index: 0 }] }),
      chunk({ content: 'hi' }),
      chunk({ content: '', reasoning_details: [{ type: 'reasoning.text', signature: 'SIG', index: 0 }] }),
      FINISH,
    ]);
    expect(answer.reasoning).toEqual([{ type: 'reasoning.text', text: 'a', index: 0, signature: 'SIG' }]);
  });

  it('do not join two signed blocks', () => {
    const blocks = [
      { type: 'reasoning.text', text: 'a', signature: 'A', index: 0 },
      { type: 'reasoning.text', text: 'b', signature: 'B', index: 1 },
    ];
    expect(details(...blocks.map((block) => [block]))).toEqual(blocks);
  });

  it('keep every other kind as it is, in order', () => {
    const mixed = [
      { type: 'reasoning.text', text: 'a', format: 'unknown' },
      { type: 'reasoning.encrypted', data: 'xx', id: null, format: 'google-gemini-v1', index: 1 },
      { type: 'reasoning.encrypted', data: 'yy', id: null, format: 'google-gemini-v1', index: 1 },
      { type: 'reasoning.summary', summary: 's', id: null, format: 'openai-responses-v1', index: 2 },
      { type: 'reasoning.text', text: 'b', format: 'unknown' },
      { type: 'reasoning.brand_new', anything: [1] },
    ];
    expect(details(...mixed.map((each) => [each]))).toEqual(mixed);
  });

  it('are heard as text, but not when redacted', () => {
    const { news } = run([
      chunk({ reasoning: 'plain', reasoning_details: [{ type: 'reasoning.text', text: 'plain' }] }),
      chunk({ reasoning_content: 'alias' }),
      chunk({ reasoning_details: [{ type: 'reasoning.summary', summary: 'short' }] }),
      chunk({ reasoning: '[REDACTED]' }),
    ]);
    expect(news.map((each) => each.reasoning)).toEqual(['plain', 'alias', 'short', '']);
  });
});

describe('the end', () => {
  const toolCall = call({ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } });
  const bareUsage = { id: 'gen-1', choices: [], usage: USAGE };

  it.each([
    ['finish, usage, [DONE]', [FINISH, USAGE_CHUNK], true, true],
    ['finish and usage', [FINISH, USAGE_CHUNK], false, true],
    ['finish and usage without choices', [FINISH, bareUsage], false, true],
    ['finish and [DONE]', [FINISH], true, true],
    ['finish alone', [FINISH], false, false],
    ['usage and [DONE] without finish', [chunk({ content: 'a' }), USAGE_CHUNK], true, false],
    ['calls, usage and [DONE] without finish', [toolCall, USAGE_CHUNK], true, true],
    ['calls and [DONE] without finish and usage', [toolCall], true, false],
    ['calls and usage without finish and [DONE]', [toolCall, USAGE_CHUNK], false, false],
    ['[DONE] alone', [], true, false],
    ['nothing', [], false, false],
  ])('is there or not with %s', (_name, chunks, done, expected) => {
    expect(run(chunks, { done }).isComplete).toBe(expected);
  });

  it('keeps the finish reason when the usage chunk has none', () => {
    expect(run([chunk({}, { finish_reason: 'length' }), USAGE_CHUNK]).answer.finishReason).toBe('length');
  });

  it('names the finish reason of calls that came without', () => {
    expect(run([toolCall, USAGE_CHUNK]).answer).toMatchObject({
      finishReason: 'tool_calls',
      calls: [{ id: 'a' }],
    });
  });

  it('keeps calls that come with the finish reason stop', () => {
    expect(run([toolCall, FINISH, USAGE_CHUNK]).answer).toMatchObject({
      finishReason: 'stop',
      calls: [{ id: 'a' }],
    });
  });

  it('counts tokens, and 0 where the server is silent', () => {
    expect(run([FINISH, bareUsage]).answer.tokens).toEqual({
      promptTokens: 10,
      completionTokens: 4,
      cachedTokens: 0,
    });
    expect(
      run([FINISH, { usage: { prompt_tokens: 9, prompt_tokens_details: { cached_tokens: 8 } } }]).answer
        .tokens,
    ).toEqual({ promptTokens: 9, completionTokens: 0, cachedTokens: 8 });
    expect(run([FINISH]).answer.tokens).toEqual({ promptTokens: 0, completionTokens: 0, cachedTokens: 0 });
  });

  it('says what is missing', () => {
    const accumulator = new Accumulator();
    accumulator.add(chunk({ content: 'a' }) as JsonValue);
    expect(accumulator.truncation().message).toBe('the answer ended without finish_reason');
    accumulator.add(FINISH as JsonValue);
    expect(accumulator.truncation()).toMatchObject({
      message: 'the answer ended without usage and [DONE]',
      provider: 'Anthropic',
    });
  });
});

describe('failures', () => {
  const error = {
    code: 502,
    message: 'Provider disconnected',
    metadata: { error_type: 'provider_unavailable', provider_name: 'Groq' },
  };

  it.each([
    [
      'in mid-stream',
      { ...chunk({ content: '' }, { finish_reason: 'error' }), error },
      { code: 502, errorType: 'provider_unavailable', provider: 'Groq' },
    ],
    [
      'in mid-stream with a word',
      chunk({}, { error: { code: 'server_error', message: 'Provider disconnected' } }),
      { code: 'server_error', provider: 'Anthropic' },
    ],
    ['with empty choices', { id: 'gen-1', choices: [], error }, { code: 502 }],
    ['as the whole answer', { error, user_id: 'user_x' }, { code: 502 }],
    [
      'of the choice',
      { choices: [{ index: 0, finish_reason: 'error', message: { content: 'partial' }, error }] },
      { code: 502, message: 'Provider disconnected' },
    ],
    [
      'by the finish reason alone',
      chunk({ content: 'x' }, { finish_reason: 'error' }),
      { message: 'the provider failed while answering' },
    ],
    ['as a bare text', { error: 'model not loaded' }, { message: 'model not loaded' }],
    [
      'with availability',
      {
        error: {
          message: 'no',
          error_type: 'x',
          http_status: 503,
          availability: { code: 'temporarily_unavailable', retryable: true, retry_after: 5 },
        },
      },
      {
        code: 503,
        errorType: 'x',
        availability: { code: 'temporarily_unavailable', retryable: true, retryAfterSeconds: 5 },
      },
    ],
  ])('are seen %s', (_name, each, expected) => {
    expect(failureOf(each)).toMatchObject({ kind: 'body', ...expected });
  });

  it('are not seen in an error that is null', () => {
    expect(failureOf(chunk({ content: 'a' }, { error: null }))).toBeUndefined();
  });
});

describe('call ids over a conversation', () => {
  it('replaces an id that an earlier message has used, the same way at each attempt', () => {
    const answer = () => {
      const accumulator = new Accumulator();
      const call = (index: number, id: string) => ({
        index,
        id,
        function: { name: 'look', arguments: '{}' },
      });
      accumulator.add({
        choices: [{ delta: { tool_calls: [call(0, 'call_0'), call(1, 'call_1')] }, finish_reason: 'stop' }],
      });
      return accumulator.answer('call_x', ['call_0', 'call_x_0']).calls.map(({ id }) => id);
    };
    expect(answer()).toEqual(['call_x_0_', 'call_1']);
    expect(answer()).toEqual(answer());
  });
});
