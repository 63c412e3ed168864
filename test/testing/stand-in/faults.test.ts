import type { Fault } from '../../../src/testing/stand-in/faults.js';
import type { LedgerEntry } from '../../../src/testing/stand-in/ledger.js';
import { drain, linesOf, post, reader, start, stopAll } from './support.js';

afterEach(stopAll);

/** Streams as: role, `abcd`, `efgh`, `ijkl`, finish, usage. */
const REPLY = { text: 'abcdefghijkl', chunkChars: 4 };
const PROMPT_NANO_USD = 10 * 500;
const WHOLE_NANO_USD = PROMPT_NANO_USD + 3 * 2_000;

interface Seen {
  chunkCount: number;
  done: boolean;
  broke: boolean;
  finish: string | null;
  tail: string;
  entry: LedgerEntry | undefined;
}

async function streamWith(fault: Fault): Promise<Seen> {
  const server = await start({ ...REPLY, fault });
  const { text, broke } = await drain(await post(server, { stream: true }));
  const { chunks, others } = linesOf(text);
  const finishes = chunks.flatMap((chunk) => chunk.choices?.map((choice) => choice.finish_reason) ?? []);
  await server.idle();
  return {
    chunkCount: chunks.length,
    done: others.includes('[DONE]'),
    broke,
    finish: finishes.find((reason) => reason !== null) ?? null,
    tail: text.slice(-200),
    entry: server.ledger[0],
  };
}

describe('a stream', () => {
  test.each<[string, Fault, Partial<Seen>, Partial<LedgerEntry>]>([
    [
      'truncated',
      { kind: 'truncate', afterChunks: 3 },
      { chunkCount: 3, done: false, broke: false, finish: null },
      { completed: false, completionTokens: 2, costNanoUsd: PROMPT_NANO_USD + 4_000 },
    ],
    [
      'truncated before its usage',
      { kind: 'truncate', afterChunks: -1 },
      { chunkCount: 5, done: false, finish: 'stop' },
      { completed: false, costNanoUsd: WHOLE_NANO_USD },
    ],
    [
      'truncated at once',
      { kind: 'truncate', afterChunks: 0 },
      { chunkCount: 0, broke: false },
      { completionTokens: 0, costNanoUsd: PROMPT_NANO_USD },
    ],
    [
      'truncated past its end',
      { kind: 'truncate', afterChunks: 99 },
      { chunkCount: 5 },
      { costNanoUsd: WHOLE_NANO_USD },
    ],
    [
      'cut inside of JSON',
      { kind: 'cut-json' },
      {
        chunkCount: 2,
        done: false,
        broke: false,
        finish: null,
        tail: expect.stringMatching(/data: \{[^}]*$/),
      },
      { completed: false, completionTokens: 1 },
    ],
    [
      'reset',
      { kind: 'reset', afterChunks: 2 },
      { chunkCount: 2, broke: true, finish: null },
      { completed: false, cancelled: false, completionTokens: 1 },
    ],
    [
      'with an error of a numeric code',
      { kind: 'mid-stream-error', code: 502 },
      {
        chunkCount: 3,
        done: false,
        broke: false,
        finish: 'error',
        tail: expect.stringContaining(
          '"error":{"code":502,"message":"Provider disconnected","metadata":{"error_type":"provider_unavailable"}}',
        ),
      },
      { completed: false, costNanoUsd: 0, finishReason: 'error' },
    ],
    [
      'with an error of a string code, then [DONE]',
      { kind: 'mid-stream-error', code: 'server_error', withDone: true },
      { done: true, finish: 'error', tail: expect.stringContaining('"error":{"code":"server_error"') },
      { costNanoUsd: 0 },
    ],
    [
      'with an error and empty choices',
      { kind: 'mid-stream-error', code: 502, choices: 'empty' },
      { finish: null, tail: expect.stringContaining('"choices":[],"error"') },
      { costNanoUsd: 0 },
    ],
    [
      'with an error and no choices',
      { kind: 'mid-stream-error', code: 502, choices: 'absent' },
      { finish: null, tail: expect.not.stringContaining('"choices":[],"error"') },
      { costNanoUsd: 0 },
    ],
    [
      'with an error event',
      { kind: 'event-error' },
      { done: false, tail: expect.stringMatching(/event: error\ndata: \{"error":\{"code":429/) },
      { costNanoUsd: 0 },
    ],
    [
      'with an error of its choice',
      { kind: 'choice-error', code: 503 },
      { finish: 'error', tail: expect.stringContaining('provider_overloaded') },
      { costNanoUsd: 0 },
    ],
    [
      'with a line of garbage',
      { kind: 'garbage-line' },
      { chunkCount: 6, done: true, finish: 'stop' },
      { completed: true, costNanoUsd: WHOLE_NANO_USD },
    ],
    [
      'without [DONE]',
      { kind: 'no-done' },
      { chunkCount: 6, done: false, broke: false, finish: 'stop' },
      { completed: true, costNanoUsd: WHOLE_NANO_USD },
    ],
    [
      'without its last blank line',
      { kind: 'no-final-blank-line' },
      { chunkCount: 6, done: false, tail: expect.stringMatching(/\}$/) },
      { completed: true },
    ],
    [
      'without usage',
      { kind: 'no-usage' },
      { chunkCount: 5, done: true, tail: expect.not.stringContaining('usage') },
      { completed: true, costNanoUsd: WHOLE_NANO_USD },
    ],
    [
      'in single bytes',
      { kind: 'single-bytes' },
      { chunkCount: 6, done: true, finish: 'stop' },
      { completed: true, costNanoUsd: WHOLE_NANO_USD },
    ],
    [
      'reset when all of it is written',
      { kind: 'reset-when-written' },
      { chunkCount: 3, done: false, broke: true, finish: null },
      { completed: true, costNanoUsd: WHOLE_NANO_USD },
    ],
    [
      'that is something else',
      { kind: 'instead', text: 'data: none\n\n', contentType: 'text/event-stream' },
      { chunkCount: 0, done: false, broke: false },
      { completed: false, costNanoUsd: 0 },
    ],
    [
      'with a cost of null',
      { kind: 'cost', value: null },
      { done: true, tail: expect.stringContaining('"cost":null') },
      { costNanoUsd: WHOLE_NANO_USD },
    ],
    [
      'with a negative cost',
      { kind: 'cost', value: -1 },
      { done: true, tail: expect.stringContaining('"cost":-1') },
      { costNanoUsd: WHOLE_NANO_USD },
    ],
    [
      'with a cost in text',
      { kind: 'cost', value: '0.1' },
      { done: true, tail: expect.stringContaining('"cost":"0.1"') },
      { costNanoUsd: WHOLE_NANO_USD },
    ],
    [
      'with a cost of NaN',
      { kind: 'cost', value: NaN },
      { chunkCount: 5, done: true, tail: expect.stringContaining('"cost":NaN') },
      { costNanoUsd: WHOLE_NANO_USD },
    ],
    [
      'without cost',
      { kind: 'cost' },
      { done: true, tail: expect.not.stringContaining('"cost":') },
      { costNanoUsd: WHOLE_NANO_USD },
    ],
    [
      'that is a JSON error',
      { kind: 'ok-with-error' },
      { chunkCount: 0, tail: expect.stringMatching(/^\{"error":\{"code":502/) },
      { costNanoUsd: 0 },
    ],
    [
      'that is a web page',
      { kind: 'html' },
      { chunkCount: 0, tail: expect.stringMatching(/^<!doctype html>/) },
      { costNanoUsd: 0 },
    ],
  ])('%s', async (_name, fault, seen, bill) => {
    const found = await streamWith(fault);
    expect(found).toMatchObject(seen);
    expect(found.entry).toMatchObject({ open: false, ...bill });
  });

  const twoChunks = (text: string): boolean => linesOf(text).chunks.length === 2 && text.endsWith('\n\n');
  const afterLastChunk = (text: string): string => text.slice(text.lastIndexOf('data: '));

  test('comes from a model of another name', async () => {
    const server = await start({ ...REPLY, fault: { kind: 'other-name', model: 'other/name' } });
    const { chunks } = linesOf((await drain(await post(server, { stream: true }))).text);
    expect(new Set(chunks.map(({ model }) => model))).toEqual(new Set(['other/name']));
    expect(server.ledger[0]).toMatchObject({ completed: true, model: 'stand-in/agent' });
  });

  test.each([false, true])('comes as one document, without usage: %s', async (withoutUsage) => {
    const server = await start({ ...REPLY, fault: { kind: 'unstreamed', withoutUsage } });
    const { text } = await drain(await post(server, { stream: true }));
    const { choices, usage } = JSON.parse(text);
    expect(choices[0].message.content).toBe(REPLY.text);
    expect(usage === undefined).toBe(withoutUsage);
    expect(server.ledger[0]).toMatchObject({ completed: true, costNanoUsd: WHOLE_NANO_USD });
  });

  test('stalls silently', async () => {
    const server = await start({ ...REPLY, fault: { kind: 'stall', afterChunks: 2 } });
    const stream = reader(await post(server, { stream: true }));
    await stream.until(twoChunks);
    expect(await stream.isSilentFor(300)).toBe(true);
    expect(server.ledger[0]).toMatchObject({ open: true, completionTokens: 1 });
  });

  test('stalls with comments', async () => {
    const server = await start({ ...REPLY, fault: { kind: 'stall', afterChunks: 2, comments: true } });
    const stream = reader(await post(server, { stream: true }));
    const text = await stream.until(
      (seen) => afterLastChunk(seen).split(': OPENROUTER PROCESSING').length > 3,
    );
    expect(linesOf(text).chunks).toHaveLength(2);
  });

  test('stays open after [DONE]', async () => {
    const server = await start({ ...REPLY, fault: { kind: 'hold-open-after-done' } });
    const stream = reader(await post(server, { stream: true }));
    await stream.until((text) => text.endsWith('data: [DONE]\n\n'));
    expect(await stream.isSilentFor(200)).toBe(true);
    expect(server.ledger[0]).toMatchObject({ completed: true, cancelled: false });
  });
});

describe('a connection', () => {
  test('is reset before the headers, and the generation is billed unseen', async () => {
    const server = await start({ ...REPLY, fault: { kind: 'reset-before-headers' } });
    await expect(post(server, { stream: true })).rejects.toThrow();
    await server.idle();
    expect(server.ledger).toMatchObject([{ completed: true, costNanoUsd: WHOLE_NANO_USD }]);
  });

  test('that is reset when all is written leaves the answer in the response cache', async () => {
    const server = await start((_request, { attempt }) =>
      attempt === 1 ? { ...REPLY, fault: { kind: 'reset-when-written' } } : {},
    );
    const headers = { 'x-openrouter-cache': 'true' };
    expect((await drain(await post(server, { stream: true }, { headers }))).broke).toBe(true);
    const again = await post(server, { stream: true }, { headers });
    expect(again.headers.get('x-openrouter-cache-source-id')).toBe(server.ledger[0]?.id);
    expect((await drain(again)).text).toContain('ijkl');
    expect(server.ledger.map(({ costNanoUsd }) => costNanoUsd)).toEqual([WHOLE_NANO_USD, 0]);
  });

  test('stays open after a piece of something else', async () => {
    const server = await start({ fault: { kind: 'instead', status: 503, text: '{"error":', hold: true } });
    const response = await post(server, { stream: true });
    const stream = reader(response);
    await stream.until((text) => text === '{"error":');
    expect([response.status, await stream.isSilentFor(200)]).toEqual([503, true]);
  });
});

describe('an answer in one piece', () => {
  test.each<[string, Fault, string | RegExp, boolean, number]>([
    ['truncated', { kind: 'truncate', afterChunks: 1 }, /^\{"id":[^]*[^}]$/, false, WHOLE_NANO_USD],
    ['reset', { kind: 'reset', afterChunks: 1 }, '', true, WHOLE_NANO_USD],
    [
      'with an error of its choice',
      { kind: 'choice-error' },
      /"content":"abcdef"\},"error":\{"code":502/,
      false,
      0,
    ],
    [
      'with an error alone',
      { kind: 'ok-with-error', code: 429 },
      /^\{"error":\{"code":429.*"user_id"/,
      false,
      0,
    ],
    ['without usage', { kind: 'no-usage' }, /"choices":.*"service_tier":null\}$/, false, WHOLE_NANO_USD],
    ['with a cost of NaN', { kind: 'cost', value: NaN }, /"cost":NaN/, false, WHOLE_NANO_USD],
  ])('%s', async (_name, fault, text, broke, costNanoUsd) => {
    const server = await start({ ...REPLY, fault });
    const seen = await drain(await post(server, {}));
    await server.idle();
    expect(seen.text).toMatch(text);
    expect(seen.broke).toBe(broke);
    expect(server.ledger[0]).toMatchObject({ costNanoUsd, open: false });
  });
});

describe('an HTTP error', () => {
  test.each([
    [400, 'invalid_request'],
    [402, 'payment_required'],
    [408, 'timeout'],
    [413, 'payload_too_large'],
    [429, 'rate_limit_exceeded'],
    [500, 'server'],
    [502, 'provider_unavailable'],
    [503, 'provider_overloaded'],
    [524, 'unmapped'],
    [529, 'provider_overloaded'],
  ])('%i is of type %s and costs nothing', async (status, errorType) => {
    const server = await start({ fault: { kind: 'http', status } });
    const response = await post(server, { stream: true });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      error: { code: status, metadata: { error_type: errorType } },
      user_id: expect.any(String),
    });
    expect(server.ledger).toEqual([]);
  });

  test('has the headers and the body it is given', async () => {
    const body = {
      error: { code: 503, message: 'no', availability: { code: 'temporarily_unavailable', retryable: true } },
    };
    const server = await start({
      fault: {
        kind: 'http',
        status: 429,
        headers: { 'retry-after': '7', 'x-ratelimit-remaining': '0' },
        body,
      },
    });
    const response = await post(server, {});
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'retry-after': '7',
      'x-ratelimit-remaining': '0',
    });
    expect(await response.json()).toEqual(body);
  });

  test('can strike the first tries only', async () => {
    const server = await start((_request, { attempt }) =>
      attempt <= 2 ? { fault: { kind: 'http', status: 429 } } : { text: 'x' },
    );
    const statuses = [];
    for (let attempt = 0; attempt < 3; attempt += 1) statuses.push((await post(server, {})).status);
    expect(statuses).toEqual([429, 429, 200]);
  });
});

test('a fault plan strikes over any script that has no fault of its own', async () => {
  const server = await start(
    (_request, { callCount }) => (callCount === 1 ? { fault: { kind: 'http', status: 500 } } : { text: 'x' }),
    {
      faults: (_request, { callCount }) => (callCount <= 2 ? { kind: 'http', status: 503 } : undefined),
    },
  );
  const statuses = [];
  for (let call = 0; call < 3; call += 1) statuses.push((await post(server, {})).status);
  expect(statuses).toEqual([500, 503, 200]);
});
