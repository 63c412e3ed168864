import { CancelledFailure } from '@temporalio/common';
import { z } from 'zod';
import { createCallModel } from '../../src/activities/call-model.js';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import { AgentError } from '../../src/core/errors.js';
import type { CallModelInput } from '../../src/core/work.js';
import type { ModelAnswer, ModelListener, ModelPort, ModelRequest } from '../../src/ports/model.js';
import { environmentOf, FakeRun, PREPARED, toolPorts } from './support/activity-world.js';

const look = defineTool({
  name: 'look',
  description: 'l',
  effect: 'read',
  input: z.object({}),
  execute: () => 1,
});
const ANSWER: ModelAnswer = {
  text: 'Hello.',
  calls: [],
  reasoning: [],
  model: 'maker/first',
  finishReason: 'stop',
  usage: { promptTokens: 3, completionTokens: 2, cachedTokens: 0 },
  cost: { kind: 'reported', nanoUsd: 70 },
  generationId: 'gen-1',
  cached: false,
};

type Answering = (
  request: ModelRequest,
  options: { signal: AbortSignal; listener: ModelListener },
) => Promise<ModelAnswer>;

function call(
  answering: Answering,
  { input = {}, attempt = 1 }: { input?: Partial<CallModelInput>; attempt?: number } = {},
) {
  const run = new FakeRun().say('Say hello.');
  run.current = {
    ...run.current,
    prepared: { ...PREPARED, tools: ['look'], models: ['maker/second'] },
    input: { goal: 'x', models: ['maker/second'] },
  };
  const environment = environmentOf(run, { attempt, activityId: 's0.m0' });
  const tails: unknown[] = [];
  environment.on('heartbeat', (tail) => tails.push(tail));
  const model: ModelPort = {
    call: (request, { signal, listener = {} }) => answering(request, { signal, listener }),
    describe: async () => undefined,
    checkKey: async () => ({ limitRemainingUsd: null }),
  };
  const activity = createCallModel({ ...toolPorts(look), model });
  const wanted = { step: 0, purpose: 'step' as const, model: 'maker/first', ...run.wanted(), ...input };
  return { environment, tails, run, result: environment.run(activity, wanted) };
}

it('sends what the run says and names its step, and returns no more than history needs', async () => {
  let sent: ModelRequest | undefined;
  const { result, run } = call(async (request) => {
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
  let sent: ModelRequest | undefined;
  const calls = [{ id: 'call_a', name: 'look', args: '{}' }];
  const { result } = call(
    async (request) => {
      sent = request;
      return { ...ANSWER, calls };
    },
    { input: { purpose: 'landing' } },
  );
  expect(await result).not.toHaveProperty('calls');
  expect(sent).toMatchObject({ toolChoice: 'none' });
});

it.each<[string, Partial<ModelAnswer>, object]>([
  ['an estimated cost', { cost: { kind: 'estimated', nanoUsd: 5 } }, { costNanoUsd: 5, estimated: true }],
  ['an answer out of the cache', { cached: true }, { cached: true }],
])('says so of %s', async (_what, answer, expected) => {
  expect(await call(async () => ({ ...ANSWER, ...answer })).result).toMatchObject(expected);
});

it('leaves an unknown cost out, which is not zero', async () => {
  expect(await call(async () => ({ ...ANSWER, cost: { kind: 'unknown' } })).result).not.toHaveProperty(
    'costNanoUsd',
  );
});

it('names the attempt in an answer that was not the first', async () => {
  expect(await call(async () => ANSWER, { attempt: 2 }).result).toMatchObject({ attempt: 2 });
});

it('keeps the code of a failure, and when to come back', async () => {
  const { result } = call(() =>
    Promise.reject(new AgentError('MODEL_RATE_LIMITED', 'Slow down.', { details: { delayMs: 7_000 } })),
  );
  await expect(result).rejects.toMatchObject({
    type: 'MODEL_RATE_LIMITED',
    nonRetryable: false,
    nextRetryDelay: 7_000,
  });
});

describe('told to end in the middle of the call', () => {
  const untilAborted: Answering = (_request, { signal }) =>
    new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new AgentError('MODEL_UNREACHABLE', 'Aborted.'))),
    );

  async function told(reason: 'CANCELLED' | 'WORKER_SHUTDOWN' | 'PAUSED' | 'RESET') {
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const { environment, result } = call((request, options) => {
      begin();
      return untilAborted(request, options);
    });
    await begun;
    environment.cancel(reason);
    return result;
  }

  it('by the run, ends as cancelled', async () => {
    await expect(told('CANCELLED')).rejects.toBeInstanceOf(CancelledFailure);
  });

  it.each(['WORKER_SHUTDOWN', 'PAUSED', 'RESET'] as const)('by %s, is tried again', async (reason) => {
    await expect(told(reason)).rejects.toMatchObject({ type: 'MODEL_UNREACHABLE', nonRetryable: false });
  });
});

it('shows the end of what streams in, and where it stands', async () => {
  jest.useFakeTimers();
  try {
    const text = Array.from({ length: 500 }, (_, n) => `word ${n}, `).join('');
    let finish: (answer: ModelAnswer) => void = () => undefined;
    const { tails, result } = call((_request, { listener }) => {
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
