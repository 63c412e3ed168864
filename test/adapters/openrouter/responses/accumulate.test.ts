import fc from 'fast-check';
import {
  MAX_ARGS_BYTES,
  MAX_CALLS,
  MAX_REASONING_BYTES,
  MAX_TEXT_BYTES,
} from '../../../../src/adapters/openrouter/answer-parts.js';
import { MAX_CALL_ARGS_BYTES, TOO_LONG_ARGS } from '../../../../src/adapters/openrouter/call-slots.js';
import { ResponseAccumulator } from '../../../../src/adapters/openrouter/responses/accumulate.js';
import type { ChunkNews, WireAnswer } from '../../../../src/adapters/openrouter/wire-format.js';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import {
  added,
  completed,
  CREATED,
  done,
  functionCall,
  message,
  reasoning,
  response,
  textDelta,
  USAGE,
} from './response-events.js';

interface Run {
  answer: WireAnswer;
  news: ChunkNews[];
  isComplete: boolean;
  generationId: string | null;
}

function run(...events: JsonValue[]): Run {
  const accumulator = new ResponseAccumulator();
  const news = events.map((event) => accumulator.add(event));
  accumulator.done();
  const { isComplete, generationId } = accumulator;
  return { answer: accumulator.answer('call_x'), news, isComplete, generationId };
}

const answerOf = (...events: JsonValue[]): WireAnswer => run(...events).answer;
const failureOf = (...events: JsonValue[]): ChunkNews['failure'] => run(...events).news.at(-1)?.failure;
const heard = ({ news }: Run): { text: string; reasoning: string; args: string } => ({
  text: news.map(({ text }) => text).join(''),
  reasoning: news.map((each) => each.reasoning).join(''),
  args: news.flatMap(({ calls }) => calls.map(({ text }) => text)).join(''),
});

const HELLO = [
  added(0, message('', { status: 'in_progress', content: [] })),
  textDelta('Hel'),
  textDelta('lo'),
  { type: 'response.output_text.done', item_id: 'msg_0', output_index: 0, content_index: 0, text: 'Hello' },
  done(0, message('Hello')),
];

describe('an answer', () => {
  it('counts once what is told in deltas, with the part, with the item and with the response', () => {
    const told = run(CREATED, ...HELLO, completed({ output: [message('Hello')] }));
    expect(told.answer).toEqual({
      text: 'Hello',
      calls: [],
      reasoning: [],
      finishReason: 'stop',
      model: 'test/model',
      tokens: { promptTokens: 10, completionTokens: 4, cachedTokens: 3 },
      usage: { ...USAGE, prompt_tokens: 10, completion_tokens: 4 },
    });
    expect(heard(told).text).toBe('Hello');
    expect(told).toMatchObject({ isComplete: true, generationId: 'gen-1' });
  });

  it.each<[string, JsonValue[]]>([
    ['deltas', [textDelta('Hel'), textDelta('lo'), completed()]],
    ['deltas of the older name', [{ type: 'response.content_part.delta', delta: 'Hello' }, completed()]],
    [
      'the end of a part',
      [{ type: 'response.output_text.done', output_index: 0, text: 'Hello' }, completed()],
    ],
    ['the end of an item', [done(0, message('Hello')), completed()]],
    ['the response', [completed({ output: [message('Hello')] })]],
    [
      'the response, of which a part was streamed',
      [textDelta('He'), completed({ output: [message('Hello')] })],
    ],
    ['a document without a stream', [response({ output: [message('Hello')] })]],
    ['the older last event', [textDelta('Hello'), { type: 'response.done', response: response() }]],
    ['a refusal', [{ type: 'response.refusal.delta', output_index: 0, delta: 'Hello' }, completed()]],
    [
      'a whole refusal',
      [completed({ output: [message('', { content: [{ type: 'refusal', refusal: 'Hello' }] })] })],
    ],
  ])('has the text of %s', (_name, events) => {
    const told = run(...events);
    expect(told.answer).toMatchObject({ text: 'Hello', finishReason: 'stop' });
    expect(heard(told).text).toBe('Hello');
    expect(told.isComplete).toBe(true);
  });

  it('puts parts of one message together, and an empty line between messages', () => {
    const events = [textDelta('a'), textDelta('b', 0, 1), textDelta('c', 2), completed()];
    const told = run(...events);
    expect(told.answer.text).toBe('ab\n\nc');
    expect(heard(told).text).toBe('ab\n\nc');
  });

  it('keeps characters whole that were cut', () => {
    const told = run(textDelta('a\ud83d'), textDelta('\udc22b\udc00'), completed());
    expect(told.answer.text).toBe('a🐢b\ufffd');
    expect(told.news.map(({ text }) => text).slice(0, 2)).toEqual(['a', '🐢b\ufffd']);
  });

  it('says of its messages what they say of themselves, the last word first', () => {
    const commentary = message('a', { phase: 'commentary' });
    expect(answerOf(done(0, commentary), completed()).phase).toBe('commentary');
    const final = message('b', { phase: 'final_answer' });
    expect(answerOf(done(0, final), done(1, commentary), completed()).phase).toBe('final_answer');
    expect(answerOf(done(0, message('a', { phase: null })), completed())).not.toHaveProperty('phase');
  });
});

describe('calls', () => {
  const piece = (delta: string, output_index: number): JsonObject => ({
    type: 'response.function_call_arguments.delta',
    item_id: `fc_${output_index}`,
    output_index,
    delta,
  });

  it('are put together from fragments that come by turns', () => {
    const other = functionCall('', { id: 'fc_2', call_id: 'call_2', name: 'g' });
    const told = run(
      added(1, functionCall('')),
      added(2, other),
      piece('{"a"', 1),
      piece('{"b"', 2),
      piece(':1}', 1),
      piece(':2}', 2),
      { type: 'response.function_call_arguments.done', output_index: 1, name: 'f', arguments: '{"a":1}' },
      done(1, functionCall('{"a":1}')),
      done(2, { ...other, arguments: '{"b":2}' }),
      completed(),
    );
    expect(told.answer).toMatchObject({
      calls: [
        { id: 'call_1', name: 'f', args: '{"a":1}' },
        { id: 'call_2', name: 'g', args: '{"b":2}' },
      ],
      finishReason: 'tool_calls',
    });
    expect(heard(told).args).toBe('{"a"{"b":1}:2}');
  });

  it.each<[string, JsonValue[]]>([
    ['only whole', [done(0, functionCall('{"a":1}')), completed()]],
    ['only in the response', [completed({ output: [functionCall('{"a":1}')] })]],
    [
      'with arguments that are no text',
      [completed({ output: [{ ...functionCall(''), arguments: { a: 1 } }] })],
    ],
    [
      'in a stream that was wrong before it was right',
      [piece('{"b', 0), done(0, functionCall('{"a":1}')), completed()],
    ],
    [
      'with nothing in the end',
      [added(0, functionCall('')), piece('{"a":1}', 0), done(0, functionCall('')), completed()],
    ],
    [
      'without numbers',
      [
        { type: 'response.output_item.added', item: functionCall('') },
        { type: 'response.function_call_arguments.delta', item_id: 'fc_1', delta: '{"a":1}' },
        completed({ output: [reasoning('rs_1'), functionCall('{"a":1}')] }),
      ],
    ],
  ])('are heard when they are told %s', (_name, events) => {
    expect(answerOf(...events).calls).toEqual([{ id: 'call_1', name: 'f', args: '{"a":1}' }]);
  });

  it('stay apart when all of them have the same number', () => {
    const second = functionCall('{"b":2}', { id: 'fc_2', call_id: 'call_2' });
    const events = [added(0, functionCall('')), added(0, { ...second, arguments: '' })];
    const ends = [done(0, functionCall('{"a":1}')), done(0, second)];
    expect(answerOf(...events, ...ends, completed()).calls.map(({ args }) => args)).toEqual([
      '{"a":1}',
      '{"b":2}',
    ]);
  });

  it('may come twice under one id, which is then repaired', () => {
    const twice = [functionCall('{"a":1}'), functionCall('{"a":1}', { id: 'fc_2' })];
    expect(answerOf(completed({ output: twice })).calls.map(({ id }) => id)).toEqual(['call_1', 'call_x_1']);
  });

  it('count as life, unlike a message that has begun', () => {
    const isProgress = (event: JsonValue): boolean | undefined => run(event).news[0]?.isProgress;
    expect(isProgress(added(0, functionCall('')))).toBe(true);
    expect(isProgress(done(0, reasoning('rs_1')))).toBe(true);
    expect(isProgress(added(0, message('', { content: [] })))).toBe(false);
    expect(isProgress(added(0, reasoning('rs_1')))).toBe(false);
    expect(isProgress(CREATED)).toBe(false);
    expect(isProgress({ type: 'response.debug' })).toBe(false);
  });
});

describe('reasoning', () => {
  const summary = (delta: string, summary_index: number): JsonObject => ({
    type: 'response.reasoning_summary_text.delta',
    output_index: 0,
    summary_index,
    delta,
  });

  it('is shown as it comes, and kept as whole items, unchanged and in order', () => {
    const items = [
      reasoning('rs_1', { summary: [{ type: 'summary_text', text: 'one' }], odd: { kept: [1, null] } }),
      reasoning('rs_2', { content: [{ type: 'reasoning_text', text: 'three' }] }),
    ];
    const told = run(
      added(0, reasoning('rs_1')),
      summary('on', 0),
      summary('e', 0),
      summary('two', 1),
      ...items.map((item, i) => done(i, item)),
      completed({ output: items }),
    );
    expect(told.answer.reasoning).toEqual(items);
    expect(heard(told).reasoning).toBe('one\n\ntwo\n\nthree');
  });

  it('is shown when it comes as text', () => {
    const delta = { type: 'response.reasoning_text.delta', output_index: 0, content_index: 0, delta: 'hm' };
    expect(heard(run(delta, delta, completed())).reasoning).toBe('hmhm');
  });

  it('is not shown where the provider hides it', () => {
    const hidden = reasoning('rs_1', { summary: [{ type: 'summary_text', text: '[REDACTED]' }] });
    expect(heard(run(done(0, hidden), completed()))).toMatchObject({ reasoning: '' });
  });

  it('is taken from the telling that has the seal', () => {
    const { encrypted_content: _sealed, ...open } = reasoning('rs_1');
    expect(answerOf(done(0, open), completed({ output: [reasoning('rs_1')] })).reasoning).toEqual([
      reasoning('rs_1'),
    ]);
    expect(answerOf(done(0, reasoning('rs_1')), completed({ output: [open] })).reasoning).toEqual([
      reasoning('rs_1'),
    ]);
  });

  it('remembers what it came after', () => {
    const output = [
      message('Let me see.'),
      reasoning('rs_1'),
      functionCall('{}'),
      reasoning('rs_2'),
      functionCall('{}', { id: 'fc_2', call_id: 'call_2' }),
    ];
    expect(answerOf(completed({ output })).reasoning).toEqual([
      { type: 'message' },
      reasoning('rs_1'),
      { type: 'function_call' },
      reasoning('rs_2'),
    ]);
  });

  it('is made valid text', () => {
    const item = reasoning('rs_1', { summary: [{ type: 'summary_text', text: 'a\ud83d' }] });
    expect(answerOf(completed({ output: [item] })).reasoning).toMatchObject([
      { summary: [{ text: 'a\ufffd' }] },
    ]);
  });
});

describe('the end', () => {
  it.each<[string, JsonValue, string]>([
    [
      'its length',
      completed({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
      'length',
    ],
    [
      'a filter',
      completed({ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }),
      'content_filter',
    ],
    [
      'a reason that is not told',
      { type: 'response.incomplete', response: response({ status: 'incomplete' }) },
      'length',
    ],
    ['an event without its response', { type: 'response.incomplete' }, 'length'],
  ])('of an answer that ended for %s', (_name, event, finishReason) => {
    expect(run(textDelta('a'), event)).toMatchObject({ isComplete: true, answer: { finishReason } });
  });

  it('is for its length also where a call was cut', () => {
    const { answer } = run(added(0, functionCall('{"a')), {
      type: 'response.incomplete',
      response: response({ status: 'incomplete' }),
    });
    expect(answer).toMatchObject({ finishReason: 'length', calls: [{ args: '{"a' }] });
  });

  it.each<[string, JsonValue[]]>([
    ['nothing', []],
    ['only the beginning', [CREATED]],
    ['all items', [...HELLO]],
    ['a response that is still at work', [response({ status: 'in_progress' })]],
    ['one that waits', [response({ status: 'queued' })]],
    ['something else', [{ choices: [] }]],
  ])('is missing after %s', (_name, events) => {
    expect(run(...events).isComplete).toBe(false);
    expect(new ResponseAccumulator().truncation()).toMatchObject({ kind: 'truncated' });
  });

  it.each<[string, JsonObject]>([
    ['that names the error', { error_type: 'context_length_exceeded' }],
    ['that says nothing', {}],
    ['without usage', { usage: null }],
  ])('of an answer that had no room is a failure: one %s', (_name, more) => {
    const usage = { ...USAGE, output_tokens: 0 };
    const event = completed({ status: 'incomplete', usage, ...more });
    expect(failureOf(event)).toMatchObject({ kind: 'body', errorType: 'context_length_exceeded' });
  });

  it('of an answer that only thought is one for its length', () => {
    const output = [reasoning('rs_1')];
    expect(run(completed({ status: 'incomplete', output }))).toMatchObject({
      isComplete: true,
      answer: { text: '', finishReason: 'length' },
    });
  });
});

describe('a failure', () => {
  const error = { code: 'server_error', message: 'Provider disconnected' };

  it.each<[string, JsonObject, JsonObject]>([
    [
      'a response that failed',
      {
        type: 'response.failed',
        response: response({ status: 'failed', error, error_type: 'provider_unavailable' }),
      },
      { code: 'server_error', errorType: 'provider_unavailable', message: 'Provider disconnected' },
    ],
    [
      'one without words',
      { type: 'response.failed', response: response({ status: 'failed' }) },
      { kind: 'body' },
    ],
    ['one without anything', { type: 'response.failed' }, { kind: 'body' }],
    ['one that was cancelled', completed({ status: 'cancelled' }), { message: 'the response was cancelled' }],
    ['an error', { type: 'error', ...error, param: null }, { code: 'server_error' }],
    [
      'an error in an error',
      { type: 'error', error },
      { code: 'server_error', message: 'Provider disconnected' },
    ],
    ['an error of the response', { type: 'response.error', error }, { code: 'server_error' }],
    ['an error in an error frame', { error: { type: 'error', ...error } }, { code: 'server_error' }],
    ['a document that is an error', { error: { ...error, code: 502 } }, { code: 502 }],
    [
      'a document of a response that failed',
      response({ status: 'failed', error, error_type: 'timeout' }),
      { code: 'server_error', errorType: 'timeout' },
    ],
  ])('is %s', (_name, event, expected) => {
    expect(failureOf(textDelta('a'), event)).toMatchObject({ kind: 'body', ...expected });
  });

  it('is text beyond its limit', () => {
    expect(failureOf(textDelta('x'.repeat(MAX_TEXT_BYTES)))).toBeUndefined();
    expect(failureOf(textDelta('x'.repeat(MAX_TEXT_BYTES + 1)))).toMatchObject({ kind: 'too_large' });
    expect(failureOf(completed({ output: [message('x'.repeat(MAX_TEXT_BYTES + 1))] }))).toMatchObject({
      kind: 'too_large',
    });
  });

  it('is reasoning beyond its limit, shown or kept', () => {
    const text = 'x'.repeat(MAX_REASONING_BYTES);
    const delta = (more: string): JsonObject => ({ type: 'response.reasoning_text.delta', delta: more });
    expect(failureOf(delta(text))).toBeUndefined();
    expect(failureOf(delta(text), delta('x'))).toMatchObject({ kind: 'too_large' });
    const item = reasoning('r', { encrypted_content: text });
    expect(failureOf(done(0, item))).toMatchObject({ kind: 'too_large' });
    // Told twice it is kept once.
    const half = reasoning('r', { encrypted_content: text.slice(0, text.length / 2) });
    expect(failureOf(done(0, half), completed({ output: [half] }))).toBeUndefined();
  });

  it('is too many calls, and too many items', () => {
    const many = (count: number, make: (index: number) => JsonObject): JsonObject =>
      completed({ output: Array.from({ length: count }, (_, index) => make(index)) });
    const call = (index: number): JsonObject =>
      functionCall('{}', { id: `fc_${index}`, call_id: `call_${index}` });
    const search = (index: number): JsonObject => ({ type: 'web_search_call', id: `ws_${index}` });
    expect(failureOf(many(MAX_CALLS, call))).toBeUndefined();
    expect(failureOf(many(MAX_CALLS + 1, call))).toMatchObject({ kind: 'too_large' });
    expect(failureOf(many(3 * MAX_CALLS, search))).toBeUndefined();
    expect(failureOf(many(3 * MAX_CALLS + 1, search))).toMatchObject({ kind: 'too_large' });
  });
});

describe('arguments beyond their limit', () => {
  const argsDelta = (delta: string): JsonObject => ({
    type: 'response.function_call_arguments.delta',
    output_index: 0,
    delta,
  });
  const long = 'x'.repeat(MAX_CALL_ARGS_BYTES + 1);
  const tellings: [string, JsonValue[]][] = [
    ['the item', [done(0, functionCall(long))]],
    ['the response', [completed({ output: [functionCall(long)] })]],
    ['deltas', [added(0, functionCall('')), argsDelta(long.slice(1)), argsDelta('x')]],
    ['all of these', [added(0, functionCall('')), argsDelta(long), done(0, functionCall(long))]],
  ];

  it.each(tellings)('leave the rest of the answer as it is: told by %s', (_how, events) => {
    const told = run(...events, done(1, message('Hi.')), completed({ output: [functionCall(long)] }));
    expect(told.answer).toMatchObject({
      text: 'Hi.',
      calls: [{ id: 'call_1', name: 'f', args: TOO_LONG_ARGS }],
    });
    expect(heard(told).args.length).toBeLessThanOrEqual(MAX_CALL_ARGS_BYTES);
  });

  it('count once toward the limit for all calls, however often they are told', () => {
    const most = 'x'.repeat(MAX_ARGS_BYTES);
    const twice = [done(0, functionCall(most)), completed({ output: [functionCall(most)] })];
    expect(failureOf(...twice)).toBeUndefined();
    const other = functionCall('{}', { id: 'fc_2', call_id: 'call_2' });
    expect(failureOf(...twice, done(1, other))).toMatchObject({ kind: 'too_large' });
  });
});

describe('a response that tells of nothing', () => {
  it.each<[string, JsonValue[]]>([
    ['in a stream', [CREATED, completed()]],
    ['in a document', [response()]],
  ])('is no empty answer: %s', (_how, events) => {
    const accumulator = new ResponseAccumulator();
    for (const event of events) accumulator.add(event);
    accumulator.whole();
    expect(accumulator.isComplete).toBe(false);
    expect(accumulator.truncation().message).toBe('the answer ended without any output');
  });

  it.each<[string, JsonValue[]]>([
    ['of an empty message', [completed({ output: [message('')] })]],
    ['of a thought only', [completed({ output: [reasoning('r')] })]],
    ['of a thought only, in deltas', [{ type: 'response.reasoning_text.delta', delta: 'Hm.' }, completed()]],
    [
      'of nothing, being filtered',
      [completed({ status: 'incomplete', incomplete_details: { reason: 'content_filter' } })],
    ],
  ])('is not one that tells %s', (_what, events) => {
    expect(run(...events).isComplete).toBe(true);
  });
});

test('however an answer is cut into deltas, it is the same', () => {
  const pieces = (text: string, cuts: number[]): string[] => {
    const at = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
    return [0, ...at].map((from, i, all) => text.slice(from, all[i + 1])).filter((piece) => piece !== '');
  };
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(text, fc.array(fc.nat()), fc.boolean(), (whole, cuts, isToldTwice) => {
      const output = isToldTwice ? [message(whole), functionCall(whole)] : [];
      const told = run(
        ...pieces(whole, cuts).map((piece) => textDelta(piece)),
        added(1, functionCall('')),
        ...pieces(whole, cuts).map((delta) => ({
          type: 'response.function_call_arguments.delta',
          output_index: 1,
          delta,
        })),
        completed({ output }),
      );
      expect(told.answer).toMatchObject({ text: whole, calls: [{ id: 'call_1', args: whole }] });
      expect(heard(told)).toMatchObject({ text: whole, args: whole });
    }),
  );
});
