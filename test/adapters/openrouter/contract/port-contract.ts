import type { createOpenRouterModel, OpenRouterOptions } from '../../../../src/adapters/openrouter/model.js';
import { isAgentError } from '../../../../src/core/errors.js';
import type { TranscriptItem } from '../../../../src/core/transcript.js';
import type { ModelAnswer, ModelListener, ModelRequest, Wire } from '../../../../src/ports/model.js';
import type { Fault } from '../../../../src/testing/stand-in/faults.js';
import type { Reply, Script } from '../../../../src/testing/stand-in/script.js';
import {
  startStandIn,
  type StandIn,
  type StandInOptions,
} from '../../../../src/testing/stand-in/stand-in.js';

const MODEL = 'stand-in/agent';
const FAMILIES = [
  MODEL,
  'anthropic/stand-in-claude',
  'openai/stand-in-gpt',
  'google/stand-in-gemini',
] as const;
const WIRES: Wire[] = ['chat', 'responses'];

const LONG = 'All that is said here is said in pieces, 🐢 and 𝕬 included, and put together again.';
const TWO_CALLS: Reply = {
  text: 'Let me look.',
  toolCalls: [
    { name: 'look', args: { at: 'left', why: LONG } },
    { name: 'look', args: { at: 'right' } },
  ],
};

/** What every wire of the model port must keep, on any version of the client it is made with. */
export function describePort(make: typeof createOpenRouterModel): void {
  describe.each(WIRES)('the model port over %s', (wire) => {
    const started: StandIn[] = [];
    afterEach(async () => {
      await Promise.all(started.splice(0).map((server) => server.stop()));
    });

    const start = async (
      script: Script | Reply,
      options: Omit<StandInOptions, 'script'> = {},
    ): Promise<StandIn> => {
      const given = typeof script === 'function' ? script : () => script;
      const server = await startStandIn({ script: given, generationMisses: 0, ...options });
      started.push(server);
      return server;
    };

    const request = (more: Partial<ModelRequest> = {}): ModelRequest => ({
      model: MODEL,
      wire,
      items: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'go' },
      ],
      tools: [{ name: 'look', description: 'looks', parameters: { type: 'object' } }],
      toolChoice: 'auto',
      maxOutputTokens: 1000,
      metadata: { longhaul_run: 'r', longhaul_step: '0', longhaul_purpose: 'step' },
      sessionId: 'r',
      ...more,
    });

    interface Options extends Partial<OpenRouterOptions> {
      request?: Partial<ModelRequest>;
      signal?: AbortSignal;
      listener?: ModelListener;
    }

    const call = (
      server: StandIn,
      { request: more, signal = new AbortController().signal, listener = {}, ...options }: Options = {},
    ): Promise<ModelAnswer> =>
      make({ apiKey: 'sk-or-v1-test', baseUrl: server.url, ...options }).call(request(more), {
        signal,
        listener,
      });

    const failsWith = async (fault: Fault, options: Options = {}): Promise<Record<string, unknown>> => {
      const server = await start({ ...TWO_CALLS, chunkChars: 4, fault });
      const error: unknown = await call(server, options).then(
        ({ text }) => new Error(`an answer: ${text}`),
        (thrown: unknown) => thrown,
      );
      if (!isAgentError(error)) throw error;
      expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
      return { code: error.code, retryable: error.retryable, ...error.details };
    };

    it('asks this wire, once, with the response cache on', async () => {
      const server = await start({ text: 'x' });
      await call(server);
      expect(server.requests).toMatchObject([
        {
          path: wire === 'chat' ? '/api/v1/chat/completions' : '/api/v1/responses',
          headers: { 'x-openrouter-cache': 'true', 'x-openrouter-cache-ttl': '3600' },
          maxTokens: 1000,
          problem: null,
        },
      ]);
    });

    it('gives text with its usage, cost and generation', async () => {
      const server = await start({ text: LONG, chunkChars: 3, usage: { cachedTokens: 2 } });
      const answer = await call(server);
      const [bill] = server.ledger;
      expect(answer).toEqual({
        text: LONG,
        calls: [],
        reasoning: [],
        model: MODEL,
        finishReason: 'stop',
        usage: {
          promptTokens: bill?.promptTokens,
          completionTokens: bill?.completionTokens,
          cachedTokens: 2,
        },
        cost: { kind: 'reported', nanoUsd: bill?.costNanoUsd },
        generationId: bill?.id,
        cached: false,
        cacheSourceId: null,
      });
    });

    it('gives parallel calls, put together from fragments', async () => {
      const server = await start({ ...TWO_CALLS, chunkChars: 5 });
      const { text, calls, finishReason } = await call(server);
      expect({ text, finishReason }).toEqual({ text: 'Let me look.', finishReason: 'tool_calls' });
      expect(calls.map(({ name, args }) => [name, JSON.parse(args)])).toEqual([
        ['look', { at: 'left', why: LONG }],
        ['look', { at: 'right' }],
      ]);
      expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    });

    it('gives 200 calls in order', async () => {
      const toolCalls = Array.from({ length: 200 }, (_, n) => ({ name: 'look', args: { n } }));
      const { calls } = await call(await start({ toolCalls }), { request: { maxOutputTokens: 9000 } });
      expect(calls.map(({ args }) => JSON.parse(args).n)).toEqual(toolCalls.map(({ args }) => args.n));
    });

    it('lets a listener hear the same as the answer holds, the generation first', async () => {
      const heard = { order: [] as string[], text: '', reasoning: '', args: ['', ''], names: [] as string[] };
      const listener: ModelListener = {
        onHeaders: ({ generationId }) => heard.order.push(`headers ${typeof generationId}`),
        onText(text) {
          heard.order.push('text');
          heard.text += text;
        },
        onReasoning(text) {
          heard.order.push('reasoning');
          heard.reasoning += text;
        },
        onToolArgs({ index, name, text }) {
          heard.order.push('call');
          if (name !== null) heard.names.push(name);
          heard.args[index] += text;
        },
      };
      const server = await start({ ...TWO_CALLS, reasoning: LONG, chunkChars: 5 });
      const answer = await call(server, { listener });
      expect([...new Set(heard.order)]).toEqual(['headers string', 'reasoning', 'text', 'call']);
      expect(heard).toMatchObject({
        text: answer.text,
        reasoning: LONG,
        names: ['look', 'look'],
        args: answer.calls.map(({ args }) => args),
      });
    });

    it('repairs call ids that are missing or were used before, the same at every attempt', async () => {
      const toolCalls = [
        { name: 'look', id: '' },
        { name: 'look', id: 'call_used' },
        { name: 'look', id: 'call_new' },
        { name: 'look', id: 'call_new', index: 3 },
      ];
      const items: TranscriptItem[] = [
        { role: 'user', content: 'go' },
        { role: 'assistant', content: '', calls: [{ id: 'call_used', name: 'look', args: '{}' }] },
        { role: 'tool', callId: 'call_used', content: 'seen' },
      ];
      const idsOf = async (): Promise<string[]> =>
        (await call(await start({ toolCalls }), { request: { items } })).calls.map(({ id }) => id);
      const ids = await idsOf();
      expect(ids).toEqual([
        expect.stringMatching(/^call_[0-9a-f]{12}_0$/),
        expect.stringMatching(/^call_[0-9a-f]{12}_1$/),
        'call_new',
        expect.stringMatching(/^call_[0-9a-f]{12}_3$/),
      ]);
      expect(await idsOf()).toEqual(ids);
    });

    it.each(['', 'no JSON {', '[1]', '{"__proto__":{"x":1}}'])(
      'hands over arguments as the model wrote them: %j',
      async (rawArguments) => {
        const { calls } = await call(await start({ toolCalls: [{ name: 'look', rawArguments }] }));
        expect(calls).toMatchObject([{ name: 'look', args: rawArguments }]);
      },
    );

    it('mends half characters, which a provider would refuse', async () => {
      const server = await start({
        text: 'a\ud83d',
        toolCalls: [{ name: 'look', rawArguments: '"\udc00"' }],
      });
      expect(await call(server)).toMatchObject({ text: 'a\ufffd', calls: [{ args: '"\ufffd"' }] });
    });

    it('says so when the answer was cut', async () => {
      const server = await start({ text: LONG });
      const { text, finishReason } = await call(server, { request: { maxOutputTokens: 2 } });
      expect({ text, finishReason }).toEqual({ text: LONG.slice(0, 8), finishReason: 'length' });
    });

    it('says so when the answer was filtered', async () => {
      const server = await start({ text: 'x', finishReason: 'content_filter' });
      expect((await call(server)).finishReason).toBe('content_filter');
    });

    it('keeps an answer whose arguments are too long, without these', async () => {
      const rawArguments = JSON.stringify('x'.repeat(300_000));
      const server = await start({
        text: 'I look.',
        toolCalls: [{ name: 'look', rawArguments }, { name: 'look' }],
        chunkChars: 50_000,
        usage: { completionTokens: 1 },
      });
      const { text, calls, cost } = await call(server);
      expect({ text, cost }).toMatchObject({ text: 'I look.', cost: { kind: 'reported' } });
      expect(calls.map(({ args }) => args)).toEqual([expect.stringContaining('none were kept'), '{}']);
    });

    it.each([false, true])('takes a document for a stream, without usage: %s', async (withoutUsage) => {
      const server = await start({ ...TWO_CALLS, fault: { kind: 'unstreamed', withoutUsage } });
      const { text, calls, finishReason, cost } = await call(server);
      expect({ text, finishReason, cost: cost.kind }).toEqual({
        text: 'Let me look.',
        finishReason: 'tool_calls',
        cost: withoutUsage ? 'unknown' : 'reported',
      });
      expect(calls.map(({ args }) => JSON.parse(args).at)).toEqual(['left', 'right']);
    });

    it('has status and generation of a refusal that does not come to an end', async () => {
      const fault: Fault = { kind: 'instead', status: 503, text: '{"error":', hold: true };
      expect(await failsWith(fault, { firstContentTimeoutMs: 1_000 })).toEqual({
        code: 'MODEL_UNAVAILABLE',
        retryable: true,
        status: 503,
        generationId: expect.stringMatching(/^gen-/),
        unbilled: true,
      });
    });

    describe.each(FAMILIES)('with %s', (model) => {
      const script: Script = (_request, { stepIndex }) =>
        stepIndex === 2
          ? { text: 'done' }
          : { ...TWO_CALLS, reasoning: `Thought ${stepIndex}.`, chunkChars: 4 };

      // What Google's models want back is their seal, not their words.
      const proofs = model.startsWith('google/') ? ['google-gemini-v1'] : ['Thought 0.', 'Thought 1.'];

      /** A run of three steps, each over the wire that is named. */
      const run = async (server: StandIn, wires: Wire[]): Promise<TranscriptItem[]> => {
        const items: TranscriptItem[] = [{ role: 'user', content: 'go' }];
        for (const [step, each] of wires.entries()) {
          const metadata = { longhaul_run: 'r', longhaul_step: String(step) };
          const { text, calls, reasoning } = await call(server, {
            request: { model, items, wire: each, metadata },
          });
          items.push({ role: 'assistant', content: text, calls, reasoning, model });
          for (const { id } of calls) items.push({ role: 'tool', callId: id, content: 'seen' });
        }
        return items;
      };

      it('sends a conversation back as a provider wants it, reasoning included', async () => {
        const server = await start(script);
        const items = await run(server, [wire, wire, wire]);
        expect(items.at(-1)).toMatchObject({ content: 'done' });
        expect(server.requests.map(({ problem }) => problem)).toEqual([null, null, null]);
        const body = JSON.stringify(server.requests.at(-1)?.body);
        for (const proof of proofs) expect(body).toContain(proof);
      });

      it('goes on where the other wire has begun', async () => {
        const server = await start(script);
        const other = wire === 'chat' ? 'responses' : 'chat';
        const items = await run(server, [other, wire, other]);
        expect(items.at(-1)).toMatchObject({ content: 'done' });
        expect(server.requests.map(({ problem }) => problem)).toEqual([null, null, null]);
        expect(JSON.stringify(server.requests[1]?.body)).toContain(proofs[0]);
      });
    });

    it('keeps the reasoning of one family from another', async () => {
      const server = await start({ text: 'x' });
      const first = await call(server, { request: { model: 'openai/stand-in-gpt' } });
      const script = await start({ text: 'seen', reasoning: 'A secret.' });
      const { reasoning } = await call(script, { request: { model: 'openai/stand-in-gpt' } });
      const items: TranscriptItem[] = [
        { role: 'user', content: 'go' },
        { role: 'assistant', content: first.text, reasoning, model: 'openai/stand-in-gpt' },
        { role: 'user', content: 'on' },
      ];
      await call(server, { request: { items, model: 'anthropic/stand-in-claude' } });
      expect(JSON.stringify(server.requests.at(-1)?.body)).not.toContain('A secret.');
      await call(server, { request: { items, model: 'openai/stand-in-gpt' } });
      expect(JSON.stringify(server.requests.at(-1)?.body)).toContain('A secret.');
    });

    it.each<[string, Fault, object]>([
      ['a clean end too early', { kind: 'truncate', afterChunks: 6 }, { code: 'MODEL_STREAM_TRUNCATED' }],
      [
        'an end before the last event',
        { kind: 'truncate', afterChunks: -1 },
        { code: 'MODEL_STREAM_TRUNCATED' },
      ],
      ['an end inside of JSON', { kind: 'cut-json' }, { code: 'MODEL_STREAM_TRUNCATED' }],
      ['garbage', { kind: 'garbage-line' }, { code: 'MODEL_STREAM_TRUNCATED' }],
      ['a reset', { kind: 'reset', afterChunks: 6 }, { code: 'MODEL_UNREACHABLE' }],
      ['a reset in the place of an answer', { kind: 'reset-before-headers' }, { code: 'MODEL_UNREACHABLE' }],
      ['a reset half way', { kind: 'reset-when-written' }, { code: 'MODEL_UNREACHABLE' }],
      ['a page', { kind: 'html' }, { code: 'MODEL_UNREACHABLE' }],
      ['an error in the place of the stream', { kind: 'ok-with-error' }, { code: 'MODEL_UNAVAILABLE' }],
      [
        'an error in the stream',
        { kind: 'mid-stream-error', code: 502 },
        { code: 'MODEL_UNAVAILABLE', errorType: 'provider_unavailable' },
      ],
      [
        'an error in the stream, and its end',
        { kind: 'mid-stream-error', code: 502, withDone: true },
        { code: 'MODEL_UNAVAILABLE' },
      ],
      [
        'an error of its own kind in the stream',
        { kind: 'mid-stream-error', code: 429, choices: 'empty' },
        { code: 'MODEL_RATE_LIMITED', errorType: 'rate_limit_exceeded' },
      ],
      [
        'an error in a word',
        { kind: 'mid-stream-error', code: 'server_error', choices: 'absent' },
        { code: 'MODEL_UNAVAILABLE' },
      ],
      ['an error frame', { kind: 'event-error' }, { code: 'MODEL_RATE_LIMITED' }],
    ])('fails, to be tried again, on %s', async (_name, fault, expected) => {
      const details = await failsWith(fault);
      expect(details).toMatchObject({ retryable: true, ...expected });
      expect(details).not.toHaveProperty('unbilled');
    });

    it.each<[number, string, boolean]>([
      [400, 'MODEL_BAD_REQUEST', false],
      [401, 'MODEL_AUTH', false],
      [402, 'MODEL_PAYMENT', false],
      [429, 'MODEL_RATE_LIMITED', true],
      [503, 'MODEL_UNAVAILABLE', true],
    ])('knows what status %d means', async (status, code, retryable) => {
      const headers = { 'retry-after': '7' };
      const details = await failsWith({ kind: 'http', status, headers });
      expect(details).toMatchObject({ code, retryable, status, unbilled: true });
      expect(details['delayMs']).toBe(retryable ? 7_000 : undefined);
    });

    // Patience with the first content begins with the request, which a busy machine may take long to hear.
    it.each<[string, Fault, Partial<OpenRouterOptions>]>([
      ['no headers', { kind: 'hang-before-headers' }, { firstContentTimeoutMs: 1_000 }],
      ['comments only', { kind: 'stall', afterChunks: 1, comments: true }, { firstContentTimeoutMs: 1_000 }],
      ['silence in the middle', { kind: 'stall', afterChunks: 6 }, { stallTimeoutMs: 60 }],
      ['comments in the middle', { kind: 'stall', afterChunks: 6, comments: true }, { stallTimeoutMs: 250 }],
    ])('ends a call that is stalled: %s', async (_name, fault, patience) => {
      expect(await failsWith(fault, patience)).toMatchObject({ code: 'MODEL_STALLED', retryable: true });
    });

    it.each<[string, Fault]>([
      ['without [DONE]', { kind: 'no-done' }],
      ['that comes byte by byte', { kind: 'single-bytes' }],
      ['that leaves the connection open', { kind: 'hold-open-after-done' }],
      ['whose last event has no blank line', { kind: 'no-final-blank-line' }],
    ])('takes an answer %s', async (_name, fault) => {
      const server = await start({ ...TWO_CALLS, fault });
      expect(await call(server)).toMatchObject({ text: 'Let me look.', finishReason: 'tool_calls' });
    });

    it.each<[string, Fault, string]>([
      ['says nothing of it', { kind: 'cost' }, 'estimated'],
      ['says null', { kind: 'cost', value: null }, 'estimated'],
      ['says NaN', { kind: 'cost', value: NaN }, 'estimated'],
      ['says less than nothing', { kind: 'cost', value: -1 }, 'estimated'],
      ['has no usage', { kind: 'no-usage' }, 'unknown'],
    ])('does not take a cost for zero when the server %s', async (_name, fault, kind) => {
      const server = await start({ text: 'abcdefgh', fault });
      const { cost } = await call(server);
      expect(cost.kind).toBe(kind);
      if (cost.kind === 'estimated') expect(cost.nanoUsd).toBe(server.ledger[0]?.costNanoUsd);
    });

    it('adds the bill of the own key', async () => {
      const models = [{ id: MODEL, promptNanoUsd: 500, completionNanoUsd: 2_000, byok: true }];
      const server = await start({ text: 'abcdefgh' }, { models });
      expect((await call(server)).cost).toEqual({
        kind: 'reported',
        nanoUsd: server.ledger[0]?.costNanoUsd,
      });
    });

    it('gets an answer again for nothing', async () => {
      const server = await start({ ...TWO_CALLS, reasoning: 'Hm.', phase: 'commentary' });
      const first = await call(server);
      const second = await call(server);
      expect(second).toEqual({
        ...first,
        usage: { promptTokens: 0, completionTokens: 0, cachedTokens: 0 },
        cost: { kind: 'reported', nanoUsd: 0 },
        generationId: server.ledger[1]?.id,
        cached: true,
        cacheSourceId: first.generationId,
      });
      expect(server.requests[0]?.bodyHash).toBe(server.requests[1]?.bodyHash);
    });

    it('gets for nothing what was written and lost on its way', async () => {
      const fault: Fault = { kind: 'reset-when-written' };
      const server = await start((_request, { attempt }) => ({
        ...TWO_CALLS,
        ...(attempt === 1 && { fault }),
      }));
      const error: unknown = await call(server).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'MODEL_UNREACHABLE',
        details: { generationId: server.ledger[0]?.id },
      });
      expect(await call(server)).toMatchObject({
        text: 'Let me look.',
        cached: true,
        cacheSourceId: server.ledger[0]?.id,
      });
      expect(server.ledger).toMatchObject([{ completed: true }, { costNanoUsd: 0 }]);
    });

    it('can ask what a generation has cost', async () => {
      const server = await start({ text: 'abcdefgh' });
      const { generationId } = await call(server);
      const { generation } = make({ apiKey: 'sk-or-v1-test', baseUrl: server.url });
      const [bill] = server.ledger;
      expect(await generation(generationId ?? '', new AbortController().signal)).toEqual({
        costNanoUsd: bill?.costNanoUsd,
        promptTokens: bill?.promptTokens,
        completionTokens: bill?.completionTokens,
      });
    });

    it('uses fallback models, and says which one answered', async () => {
      const models = [
        { id: MODEL, promptNanoUsd: 1, completionNanoUsd: 1, down: true },
        { id: 'stand-in/second', promptNanoUsd: 1, completionNanoUsd: 1 },
      ];
      const server = await start({ text: 'x' }, { models });
      expect(await call(server, { request: { models: ['stand-in/second'] } })).toMatchObject({
        model: 'stand-in/second',
      });
    });

    it('is not answered above its price', async () => {
      const maxPrice = { promptNanoUsdPerMillion: 1, completionNanoUsdPerMillion: 1, requestNanoUsd: 0 };
      const server = await start({ text: 'x' });
      await expect(call(server, { request: { maxPrice } })).rejects.toMatchObject({
        details: { availability: 'constraint_filtered', unbilled: true },
      });
    });

    it('hears that the conversation is too long', async () => {
      const models = [{ id: MODEL, promptNanoUsd: 1, completionNanoUsd: 1, contextLength: 500 }];
      const server = await start({ text: 'x' }, { models });
      await expect(call(server)).rejects.toMatchObject({ code: 'MODEL_CONTEXT_LENGTH', retryable: false });
    });

    it('asks for text without calls', async () => {
      const script: Script = ({ tool_choice: choice }) => ({ text: JSON.stringify(choice) });
      expect(await call(await start(script), { request: { toolChoice: 'none' } })).toMatchObject({
        text: '"none"',
      });
    });

    it('rejects with the reason of who gave up, and hangs up', async () => {
      const reason = new Error('enough');
      const controller = new AbortController();
      const server = await start({ text: LONG, chunkChars: 4, chunkDelayMs: 20 });
      const listener = { onText: () => controller.abort(reason) };
      await expect(call(server, { signal: controller.signal, listener })).rejects.toBe(reason);
      await server.idle();
      expect(server.ledger).toMatchObject([{ cancelled: true, completed: false }]);
    });
  });
}
