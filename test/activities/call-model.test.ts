import { toWireBody } from '../../src/adapters/openrouter/to-wire.js';
import { AgentError } from '../../src/core/errors.js';
import type { CallModelInput } from '../../src/core/model/model-work.js';
import type { ModelAnswer, ModelRequest } from '../../src/ports/model.js';
import { ANSWER, callModel } from './support/model-call.js';

/** What goes over the wire. */
function bodyOf([request]: ModelRequest[]): string {
  if (!request) throw new Error('Nothing was sent.');
  return toWireBody(request);
}

it('sends what the run says and names its step, and returns no more than history needs', async () => {
  let sent: ModelRequest | undefined;
  const { result, run } = callModel(async (request) => {
    sent = request;
    return ANSWER;
  });
  expect(await result).toEqual({
    text: 'Hello.',
    model: 'maker/first',
    finish: 'stop',
    promptTokens: 3,
    completionTokens: 2,
    costNanoUsd: 70,
    generationId: 'gen-1',
  });
  expect(sent).toMatchObject({
    model: 'maker/first',
    models: ['maker/second'],
    items: run.items,
    tools: [{ name: 'look' }],
    toolChoice: 'auto',
    sessionId: 'first',
    metadata: {
      longhaul_run: 'run-1',
      longhaul_step: '0',
      longhaul_purpose: 'step',
      longhaul_nonce: 'first/s0.m0',
    },
  });
});

it('asks for no calls at the landing, and plans none that come all the same', async () => {
  const calls = [{ id: 'call_a', name: 'look', args: '{}' }];
  const { result, sent } = callModel(async () => ({ ...ANSWER, calls }), { input: { purpose: 'landing' } });
  expect(await result).not.toHaveProperty('calls');
  expect(sent[0]).toMatchObject({ tools: [{ name: 'look' }], toolChoice: 'none' });
});

it.each(['step', 'landing'] as const)('names no tools where none may be named (%s)', async (purpose) => {
  const { result, sent } = callModel(async () => ANSWER, { input: { purpose, noTools: true } });
  await result;
  expect(sent[0]?.tools).toEqual([]);
  expect(JSON.parse(bodyOf(sent))).not.toHaveProperty('tools');
  expect(JSON.parse(bodyOf(sent))).not.toHaveProperty('tool_choice');
});

it.each([
  ['that it is given', { maxOutputTokens: 77 }, 500, 77],
  ['that the run names', {}, 500, 500],
  ['that most models allow', {}, undefined, 8_192],
])('lets the answer have the tokens %s', async (_what, input, maxOutputTokens, expected) => {
  const { result, sent } = callModel(async () => ANSWER, {
    input,
    arrange: (run) => {
      run.current = {
        ...run.current,
        input: { goal: 'x', ...(maxOutputTokens !== undefined && { maxOutputTokens }) },
      };
    },
  });
  await result;
  expect(sent[0]).toMatchObject({ maxOutputTokens: expected });
});

describe('the request of an attempt,', () => {
  const METERED = { attempt: 1, maxOutputTokens: 500 };

  async function requestOf(input: Partial<CallModelInput>, activityId: string): Promise<string> {
    const { result, sent } = callModel(async () => ANSWER, {
      input,
      activityId,
      // No price is known here, and so none goes with the request.
      arrange: (run) => {
        const { prepared } = run.current;
        run.current = { ...run.current, prepared: prepared && { ...prepared, unpricedModels: 'estimate' } };
      },
    });
    await result;
    return bodyOf(sent);
  }

  it('when attempts are counted by the run, is byte for byte that of the attempt before', async () => {
    const first = await requestOf(METERED, 's0.m0');
    expect(await requestOf({ ...METERED, attempt: 2, reservedNanoUsd: 9 }, 's0.m1')).toBe(first);
    expect(JSON.parse(first)).toMatchObject({
      metadata: { longhaul_nonce: 'first/s0.step' },
      max_tokens: 500,
    });
  });

  it.each<[string, Partial<CallModelInput>, string]>([
    ['step', { step: 1 }, 'first/s1.step'],
    ['purpose', { purpose: 'landing' }, 'first/s0.landing'],
  ])('has another nonce for another %s', async (_what, other, longhaul_nonce) => {
    const body = await requestOf({ ...METERED, ...other }, 's0.m0');
    expect(JSON.parse(body)).toMatchObject({ metadata: { longhaul_nonce } });
  });

  it('when Temporal counts the attempts, has the nonce of the activity', async () => {
    expect(JSON.parse(await requestOf({}, 's0.m3'))).toMatchObject({
      metadata: { longhaul_nonce: 'first/s0.m3' },
    });
  });
});

it.each<[string, Partial<ModelAnswer>, object]>([
  ['an estimated cost', { cost: { kind: 'estimated', nanoUsd: 5 } }, { costNanoUsd: 5, estimated: true }],
  ['an answer out of the cache', { cached: true }, { cached: true }],
  ['whose answer the cache gave again', { cacheSourceId: 'gen-0' }, { cacheSourceId: 'gen-0' }],
])('says so of %s', async (_what, answer, expected) => {
  expect(await callModel(async () => ({ ...ANSWER, ...answer })).result).toMatchObject(expected);
});

it('leaves an unknown cost out, which is not zero', async () => {
  expect(await callModel(async () => ({ ...ANSWER, cost: { kind: 'unknown' } })).result).not.toHaveProperty(
    'costNanoUsd',
  );
});

it('names the attempt in an answer that was not the first', async () => {
  expect(await callModel(async () => ANSWER, { attempt: 2 }).result).toMatchObject({ attempt: 2 });
  const counted = callModel(async () => ANSWER, { input: { attempt: 3 } });
  expect(await counted.result).toMatchObject({ attempt: 3 });
});

it('keeps the code of a failure, and when to come back', async () => {
  const { result } = callModel(() =>
    Promise.reject(new AgentError('MODEL_RATE_LIMITED', 'Slow down.', { details: { delayMs: 7_000 } })),
  );
  await expect(result).rejects.toMatchObject({
    type: 'MODEL_RATE_LIMITED',
    nonRetryable: false,
    nextRetryDelay: 7_000,
  });
});

it('shows the end of what streams in, and where it stands', async () => {
  jest.useFakeTimers();
  try {
    const text = Array.from({ length: 500 }, (_, n) => `word ${n}, `).join('');
    let finish: (answer: ModelAnswer) => void = () => undefined;
    const { tails, result } = callModel((_request, { listener }) => {
      listener.onHeaders?.({ generationId: 'gen-1' });
      listener.onReasoning?.('Let me think.');
      for (const word of text.match(/.{1,7}/gs) ?? []) listener.onText?.(word);
      return new Promise((resolve) => {
        finish = resolve;
      });
    });
    await jest.advanceTimersByTimeAsync(300);
    finish(ANSWER);
    await result;
    const last: Record<string, unknown> = Object(tails.at(-1));
    expect(last).toMatchObject({
      attempt: 1,
      generationId: 'gen-1',
      reasoningOffset: 0,
      reasoning: 'Let me think.',
    });
    expect(last['text']).toBe(text.slice(Number(last['offset'])));
    expect(String(last['text']).length).toBeLessThanOrEqual(2_000);
  } finally {
    jest.useRealTimers();
  }
});
