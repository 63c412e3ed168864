import { createServer, type AddressInfo } from 'node:net';
import { z } from 'zod';
import { planCalls } from '../../../src/activities/plan-calls.js';
import { createOpenRouterModel } from '../../../src/adapters/openrouter/model.js';
import { defineTool } from '../../../src/adapters/tools/define-tool.js';
import { createToolRegistry } from '../../../src/adapters/tools/registry.js';
import { OUTAGE } from '../../../src/core/behaviour.js';
import { isAgentError, type AgentError } from '../../../src/core/errors.js';
import type { PlannedCall } from '../../../src/core/outcomes.js';
import type { TranscriptItem } from '../../../src/core/transcript.js';
import type { ModelAnswer, ModelRequest, Wire } from '../../../src/ports/model.js';
import { MODEL_FAULTS, type ModelFaultId } from '../../../src/testing/model-faults.js';
import type { Reply } from '../../../src/testing/stand-in/script.js';
import { startStandIn, type StandIn } from '../../../src/testing/stand-in/stand-in.js';
import { COUNT, FAULT_ACTS, type Way } from '../../support/fault-acts.js';

type ModelFault = (typeof MODEL_FAULTS)[number];

const MB = 1024 * 1024;
const WELL: Reply = { text: 'I count.', toolCalls: [{ name: COUNT, args: { n: 1 } }] };
const EARLIER: TranscriptItem[] = [
  { role: 'user', content: 'Count.' },
  { role: 'assistant', content: '', calls: [{ id: 'call_1', name: COUNT, args: '{}' }] },
  { role: 'tool', callId: 'call_1', content: '1' },
];
/** What no delay stands for more than this is no delay: the tests are not that slow. */
const SLOW_MS = 8_000;

const count = defineTool({
  name: COUNT,
  description: 'Counts.',
  effect: 'read',
  input: z.object({ n: z.number().optional() }),
  execute: () => 1,
});

let server: StandIn;
let reply: Reply = WELL;
let wire: Wire = 'chat';
beforeAll(async () => {
  server = await startStandIn({ script: () => reply });
});
afterAll(() => server.stop());

const WIRES: Wire[] = ['chat', 'responses'];
/** Has the tests around it speak a wire. */
function speak(spoken: Wire): void {
  beforeAll(() => void (wire = spoken));
  afterAll(() => void (wire = 'chat'));
}

let asked = 0;
/** A request that no other one is like, so that the response cache has nothing for it. */
function freshRequest(items: readonly TranscriptItem[] = EARLIER): ModelRequest {
  asked += 1;
  return {
    model: 'stand-in/agent',
    wire,
    items,
    tools: [count.spec],
    toolChoice: 'auto',
    maxOutputTokens: 1_000,
    metadata: { longhaul_run: 'r', longhaul_step: String(asked), longhaul_purpose: 'step' },
    sessionId: 'r',
  };
}

const patient = (baseUrl = server.url) => createOpenRouterModel({ apiKey: 'sk-test', baseUrl });
const impatient = () =>
  createOpenRouterModel({
    apiKey: 'sk-test',
    baseUrl: server.url,
    stallTimeoutMs: 150,
    firstContentTimeoutMs: 1_000,
  });

function call(port = patient(), request = freshRequest()): Promise<ModelAnswer> {
  return port.call(request, { signal: new AbortController().signal });
}

async function errorOf(answering: Promise<ModelAnswer>): Promise<AgentError> {
  const thrown: unknown = await answering.then(
    (answer) => new Error(`There is an answer: ${JSON.stringify(answer).slice(0, 200)}`),
    (error: unknown) => error,
  );
  if (!isAgentError(thrown)) throw thrown;
  return thrown;
}

function planned(answer: ModelAnswer): Promise<PlannedCall[]> {
  const registry = createToolRegistry([count]);
  return planCalls(answer.calls, {
    runId: 'r',
    step: 0,
    registry,
    allowed: registry.names(),
    requireApproval: 'policy',
    tainted: false,
    pins: {},
  });
}

/** Each way in which a fault is acted out. */
function waysOf(fits: (fault: ModelFault) => boolean): [string, ModelFault, Way][] {
  return MODEL_FAULTS.filter(fits).flatMap((fault) => {
    const { id } = fault;
    if (id === 'refused' || id === 'cache-hit') return [];
    return FAULT_ACTS[id].map((act, way): [string, ModelFault, Way] => [`${id} (${way + 1})`, fault, act]);
  });
}

/** What the server wants to be waited for, at least and at most, in milliseconds. */
const ASKED: Partial<Record<ModelFaultId, [number, number]>> = {
  'retry-after-seconds': [1_000, 1_000],
  'retry-after-ms': [150, 150],
  'retry-after-date': [1, 2_000],
  'retry-after-reset': [1, 1_000],
  'retry-after-hour': [3_600_000, 3_600_000],
  'retry-after-503': [1_000, 1_000],
  'availability-retry-after': [1_000, 1_000],
};

/** What errors say beside their code; on the responses wire there is no number, nor the name of a provider. */
const detailsOf = (id: ModelFaultId): object => (wire === 'chat' && CHAT_DETAILS[id]) || (DETAILS[id] ?? {});
const CHAT_DETAILS: Partial<Record<ModelFaultId, object>> = {
  'http-400-context': { status: 400, errorType: 'context_length_exceeded' },
  'error-chunk-number': { status: 502, errorType: 'provider_unavailable', provider: 'Stand-In' },
};
const DETAILS: Partial<Record<ModelFaultId, object>> = {
  'http-402-affordable': { affordableTokens: 700 },
  'http-400-context': { errorType: 'context_length_exceeded' },
  'availability-fallbacks': {
    availability: 'model_deprecated',
    fallbackModels: ['stand-in/free', 'maker/other'],
  },
  'error-chunk-number': { errorType: 'provider_unavailable' },
  'error-body-hangs': { status: 503 },
};

const SAYS: Partial<Record<ModelFaultId, RegExp>> = {
  'http-403': /because of (violence|credit_card)/,
  'availability-fallbacks': /suggests stand-in\/free, maker\/other instead/,
  'ok-html': /Please wait/,
  'text-20mb': /text is longer than 8388608 bytes/,
  'thoughts-20mb': /reasoning is longer than 8388608 bytes/,
  'calls-1500': /more than 1000 calls/,
};

const HANGS: readonly ModelFaultId[] = [
  'hang-before-headers',
  'hang-mid-body',
  'comments-only',
  'error-body-hangs',
];

/** Whether the server said no before it asked a model: then nothing was billed. */
const isRefusal = (id: string): boolean => /^(http|availability|retry-after)-/.test(id) && !isTurned(id);
/** OpenRouter's responses API tells what is too long as an answer that ended for its length. */
const isTurned = (id: string): boolean => wire === 'responses' && /^http-[45]00-context$/.test(id);
/** Nothing has named a generation by then, or nothing that was read. */
const NAMELESS = ['hang-before-headers', 'reset-before-headers', 'endless-line'];
const isNameless = (id: string): boolean => isRefusal(id) || NAMELESS.includes(id);

describe.each(WIRES)('a fault over the wire %s', (spoken) => {
  speak(spoken);

  it.each(waysOf(({ becomes }) => becomes !== 'an answer'))(
    '%s is told as the table says',
    async (_name, fault, act) => {
      const { id, becomes, reaction, wait } = fault;
      const before = server.requests.length;
      const startedMs = Date.now();
      reply = act(WELL, wire);
      const error = await errorOf(call(HANGS.includes(id) ? impatient() : patient()));
      expect(Date.now() - startedMs).toBeLessThan(SLOW_MS);
      expect([error.code, error.retryable]).toEqual([becomes, reaction === 'again']);
      expect(server.requests.length - before).toBe(1);
      const { delayMs, unbilled, generationId, ...details } = error.details;
      expect(details).toMatchObject(detailsOf(id));
      expect(error.message).toMatch(SAYS[id] ?? /./);
      expect(unbilled).toBe(isRefusal(id) || id === 'error-body-hangs' ? true : undefined);
      expect(generationId).toBe(isNameless(id) ? undefined : server.ledger.at(-1)?.id);
      if (wait !== 'asked') return expect(delayMs).toBeUndefined();
      const [least, most] = ASKED[id] ?? [NaN, NaN];
      expect(delayMs).toBeGreaterThanOrEqual(least);
      expect(delayMs).toBeLessThanOrEqual(most);
    },
  );

  it('refused is told as the table says, and is known to be free', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo; // A TCP server's address is an object.
    await new Promise((resolve) => closed.close(resolve));
    const error = await errorOf(call(patient(`http://127.0.0.1:${port}/api/v1`)));
    expect(error).toMatchObject({ code: 'MODEL_UNREACHABLE', retryable: true, details: { unbilled: true } });
  });

  it.each(['text-20mb', 'thoughts-20mb', 'endless-line'] as const)(
    '%s is left before it takes much memory',
    async (id) => {
      reply = FAULT_ACTS[id][0](WELL, wire);
      let heardChars = 0;
      const listener = {
        onText: (text: string) => void (heardChars += text.length),
        onToolArgs: ({ text }: { text: string }) => void (heardChars += text.length),
      };
      const before = process.memoryUsage().rss;
      const answering = patient().call(freshRequest(), { signal: new AbortController().signal, listener });
      expect((await errorOf(answering)).code).toBe('MESSAGE_TOO_LARGE');
      expect(heardChars).toBeLessThan(9 * MB);
      // The server's 20 MB and their copies on the way are in this process too.
      expect(process.memoryUsage().rss - before).toBeLessThan(600 * MB);
    },
  );
});

const STATUSES = [400, 401, 402, 403, 404, 408, 409, 412, 413, 422, 429, 500, 502, 503, 504, 524, 529];

describe.each(STATUSES)('HTTP %d', (status) => {
  const rowOf = (): ModelFault | undefined => MODEL_FAULTS.find(({ id }) => id === `http-${status}`);
  const hints: [string, Record<string, string>, number | undefined][] = [
    ['none', {}, undefined],
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['milliseconds', { 'retry-after-ms': '250' }, 250],
    ['an hour', { 'retry-after': '3600' }, 3_600_000],
    ['a year', { 'retry-after': '31536000' }, OUTAGE.patienceMs],
    ['garbage', { 'retry-after': 'soon', 'retry-after-ms': '-1' }, undefined],
  ];

  it('waits as the server asks, where it is tried again', async () => {
    const again = rowOf()?.reaction === 'again';
    for (const [, headers, expected] of hints) {
      reply = { fault: { kind: 'http', status, headers } };
      const { details } = await errorOf(call());
      expect(details['delayMs']).toBe(again ? expected : undefined);
    }
  });

  it('is tried again when the server says so, and is not when it says so', async () => {
    for (const retryable of [true, false]) {
      const body = { error: { code: status, message: 'No.', availability: { code: 'new', retryable } } };
      reply = { fault: { kind: 'http', status, body } };
      expect((await errorOf(call())).retryable).toBe(retryable);
    }
  });
});

/** What is to be seen of an answer. */
const SEEN: Partial<Record<ModelFaultId, (answer: ModelAnswer, calls: PlannedCall[]) => void>> = {
  'length-cut-args': ({ finishReason }) => expect(finishReason).toBe('length'),
  'args-5mb': ({ text }, [first]) => {
    expect(text).toBe(WELL.text);
    expect(first).toMatchObject({
      args: '{}',
      problem: { status: 'invalid_arguments', message: expect.stringMatching(/262144 bytes.*several calls/) },
    });
  },
  'unknown-tool': (_answer, [first]) => expect(first?.problem?.status).toBe('unknown_tool'),
  'args-empty': (_answer, [first]) => expect(first?.args).toBe('{}'),
  'args-missing': (_answer, [first]) => expect(first?.args).toBe('{}'),
  'args-proto': (_answer, [first]) => {
    expect(first?.args).toContain('"__proto__":{"polluted":true}');
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  },
  'calls-200': (_answer, calls) =>
    expect(calls.map(({ args }) => JSON.parse(args).n)).toEqual(calls.map((_, index) => 1_000 + index)),
  'id-missing': ({ calls }) => expect(calls.map(({ args }) => args)).toEqual(['{"n":1}', '{"n":2}']),
  'id-duplicate': ({ calls }) => expect(calls.map(({ args }) => args)).toEqual(['{"n":1}', '{"n":2}']),
  'index-gaps': ({ calls }) => expect(calls.map(({ args }) => args)).toEqual(['{"n":1}', '{"n":2}']),
  'content-null': ({ text }) => expect(text).toBe(''),
  'finish-missing': ({ finishReason }) => expect(finishReason).toBe('tool_calls'),
  'lone-surrogates': ({ text }) => expect(text).toMatch(/\ufffd$/),
  'usage-missing': ({ cost, generationId }) => {
    expect([cost, generationId]).toEqual([{ kind: 'unknown' }, server.ledger.at(-1)?.id]);
  },
  'cost-missing': expectEstimate,
  'cost-negative': expectEstimate,
  'cost-nan': expectEstimate,
  'other-name': ({ model, cost }) => {
    expect([model, cost.kind]).toEqual(['other/model-of-another-name', 'reported']);
  },
};

function expectEstimate({ cost, generationId }: ModelAnswer): void {
  const bill = server.ledger.at(-1);
  expect(cost).toEqual({ kind: 'estimated', nanoUsd: bill?.costNanoUsd });
  expect(generationId).toBe(bill?.id);
}

describe.each(WIRES)('an odd answer over the wire %s', (spoken) => {
  speak(spoken);

  it.each(waysOf(({ becomes }) => becomes === 'an answer'))(
    '%s is taken as the table says, and the next request is one that providers take',
    async (_name, { id, reaction }, act) => {
      const startedMs = Date.now();
      reply = act(WELL, wire);
      const answer = await call();
      expect(Date.now() - startedMs).toBeLessThan(SLOW_MS);
      const calls = await planned(answer);
      expect(calls.length).toBe(reply.toolCalls?.length);
      expect(calls.every(({ problem }) => (problem !== undefined) === (reaction === 'tell the model'))).toBe(
        true,
      );
      SEEN[id]?.(answer, calls);
      await expectGoesOn(answer, calls);
    },
  );

  it('cache-hit costs nothing, and names what was paid', async () => {
    reply = WELL;
    const request = freshRequest();
    const first = await call(patient(), request);
    const second = await call(patient(), request);
    expect(second).toMatchObject({
      cached: true,
      cacheSourceId: first.generationId,
      cost: { kind: 'reported', nanoUsd: 0 },
      usage: { promptTokens: 0, completionTokens: 0 },
    });
    expect(second.calls).toEqual(first.calls);
  });

  it('in tens of thousands of chunks of one byte is read in a moment', async () => {
    reply = { ...WELL, text: 'A long answer. '.repeat(100), fault: { kind: 'single-bytes' } };
    const startedMs = Date.now();
    const { text } = await call();
    expect(text).toBe(reply.text);
    expect(Date.now() - startedMs).toBeLessThan(SLOW_MS);
  });
});

/** The answer and the results of its calls are sent to the model, which takes them. */
async function expectGoesOn(answer: ModelAnswer, calls: readonly PlannedCall[]): Promise<void> {
  reply = { text: 'Counted.' };
  const { text: content, reasoning } = answer;
  const plain = calls.map(({ id, name, args }) => ({ id, name, args }));
  const items: TranscriptItem[] = [
    ...EARLIER,
    { role: 'assistant', content, calls: plain, ...(reasoning.length > 0 && { reasoning }) },
    ...calls.map(({ id }) => ({ role: 'tool' as const, callId: id, content: '1' })),
  ];
  expect((await call(patient(), freshRequest(items))).text).toBe('Counted.');
  expect(server.requests.at(-1)?.problem).toBeNull();
}

it('is acted out for each row of the table, and no row stands there twice', () => {
  const ids = MODEL_FAULTS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...Object.keys(FAULT_ACTS), 'refused', 'cache-hit'].sort()).toEqual([...ids].sort());
});
