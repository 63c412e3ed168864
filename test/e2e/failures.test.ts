import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { StartInput } from '../../src/client/run-client.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import type { JsonObject } from '../../src/core/json.js';
import { scriptedSteps, type ReplyCall, type Script } from '../../src/testing/stand-in/script.js';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { openWorld, untilEvent, type World } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { byGoal } from './support/goal-scripts.js';

const MB = 1024 * 1024;
const server = useTemporalServer();
/** Arguments of the calls of `send` that really ran, by run. */
const sent = new Map<string, JsonObject[]>();
let unpaid = true;
let world: World;

const tools = [
  defineTool({
    name: 'count',
    description: 'c',
    effect: 'read',
    polling: true,
    input: z.object({}),
    execute: () => 1,
  }),
  defineTool({
    name: 'send',
    description: 's',
    input: z.object({ to: z.email() }),
    execute: (args, { runId }) => {
      sent.set(runId, [...(sent.get(runId) ?? []), args]);
      return 'sent';
    },
  }),
  defineTool({
    name: 'throws',
    description: 't',
    effect: 'read',
    input: z.object({}),
    execute: () => {
      throw new Error('No such drawer.');
    },
  }),
  defineTool({
    name: 'hangs',
    description: 'h',
    effect: 'read',
    timeoutMs: 300,
    input: z.object({}),
    execute: () => new Promise(() => undefined),
  }),
  defineTool({
    name: 'sleeps',
    description: 's',
    approval: 'never',
    timeoutMs: 300,
    input: z.object({}),
    execute: (_args, { signal }) => delay(60_000, undefined, { signal }),
  }),
  defineTool({
    name: 'huge',
    description: 'h',
    effect: 'read',
    input: z.object({}),
    execute: () => 'x'.repeat(50 * MB),
  }),
  defineTool({
    name: 'circular',
    description: 'c',
    effect: 'read',
    input: z.object({}),
    execute: () => {
      const value: Record<string, unknown> = { name: 'round' };
      value['self'] = value;
      return value;
    },
  }),
  defineTool({
    name: 'nothing',
    description: 'n',
    effect: 'read',
    input: z.object({}),
    execute: () => undefined,
  }),
];

const calls = (...names: string[]): ReplyCall[] => names.map((name) => ({ name }));
const sendTo: ReplyCall = { name: 'send', args: { to: 'a@example.org' } };
const endless: Script = (request) =>
  request.tool_choice === 'none'
    ? { text: 'Landed.' }
    : { toolCalls: [{ name: 'count' }, sendTo], usage: { promptTokens: 5_000, completionTokens: 1_500 } };

const script = byGoal({
  pay: () => (unpaid ? { fault: { kind: 'http', status: 402 } } : { text: 'Paid.' }),
  'fall back': (_request, { model }) =>
    model === 'stand-in/free' ? { text: 'From the other.' } : { fault: { kind: 'http', status: 400 } },
  misbehave: scriptedSteps([
    { toolCalls: calls('throws', 'hangs', 'huge', 'circular', 'nothing') },
    { text: 'Seen.' },
  ]),
  'lose one': scriptedSteps([{ toolCalls: calls('sleeps') }, { text: 'Told.' }]),
  decide: scriptedSteps([{ toolCalls: [sendTo] }, { text: 'Decided.' }]),
  endless,
  'count for ever': (request) =>
    request.tool_choice === 'none' ? { text: 'Landed.' } : { toolCalls: calls('count') },
  stream: scriptedSteps([{ text: 'word '.repeat(2_000), chunkDelayMs: 100 }], {
    byPurpose: { landing: { text: 'Stopped early.' } },
  }),
});

beforeAll(async () => {
  world = await openWorld(server, { script, tools });
  await world.startWorker();
}, 60_000);

afterAll(() => world.close());

describe('a model server that refuses', () => {
  it('ends a run at once when it refuses the key, without asking the model', async () => {
    await inWorld({ OPENROUTER_API_KEY: 'sk-test-wrong' }, async (other) => {
      const run = await other.client.start({ goal: 'decide' });
      expect(await run.result()).toMatchObject({
        outcome: 'failed',
        error: { code: 'MODEL_AUTH' },
        steps: 0,
      });
      expect(other.standIn.requests.filter(({ path }) => path.endsWith('/chat/completions'))).toEqual([]);
    });
  });

  it('ends a run at once when a fallback model is unknown', async () => {
    const run = await world.client.start({ goal: 'decide', models: ['no/such'] });
    expect(await run.result()).toMatchObject({ outcome: 'failed', error: { code: 'MODEL_BAD_REQUEST' } });
  });

  it('is waited for when it cannot be reached, with a warning at the start', async () => {
    await inWorld({ OPENROUTER_BASE_URL: 'http://127.0.0.1:1/api/v1' }, async (other) => {
      const run = await other.client.start({ goal: 'decide' });
      const { warnings } = await untilEvent(run, 'run_started');
      expect(warnings.join()).toMatch(/could not be asked/);
      expect(await untilEvent(run, 'model_failed')).toMatchObject({
        code: 'MODEL_UNREACHABLE',
        retryAt: expect.any(String),
      });
      await run.cancel();
      expect(await run.result()).toMatchObject({ outcome: 'cancelled' });
    });
  });

  it('pauses a run when the credit is used up; resumed, the run goes on', async () => {
    const run = await world.client.start({ goal: 'pay' });
    expect(await untilEvent(run, 'run_paused')).toMatchObject({ reason: 'payment' });
    expect((await run.progress()).status).toBe('paused');
    unpaid = false;
    await run.resume();
    expect(await run.result()).toMatchObject({ outcome: 'done', answer: 'Paid.' });
    await expectFoldEqualsProgress(world.temporal, run.runId);
  });

  it('is passed over for the fallback model', async () => {
    const run = await world.client.start({ goal: 'fall back', models: ['stand-in/free'] });
    expect(await run.result()).toMatchObject({ outcome: 'done', answer: 'From the other.' });
    expect(await untilEvent(run, 'model_completed')).toMatchObject({ model: 'stand-in/free' });
  });
});

describe('a tool that misbehaves', () => {
  it('gives the model a result whatever it does', async () => {
    const run = await world.client.start({ goal: 'misbehave' });
    expect(await run.result()).toMatchObject({ outcome: 'done', answer: 'Seen.' });
    const [threw, hung, huge, circular, nothing] = await toolResults(run);
    expect(JSON.parse(threw ?? '')).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('No such drawer.'),
    });
    expect(JSON.parse(hung ?? '')).toMatchObject({ status: 'timed_out' });
    expect(huge?.length).toBeLessThan(20_000);
    expect(huge).toMatch(/read_artifact/);
    expect(circular).toMatch(/round.*circular/);
    expect(nothing).toBe('(no output)');
    await expectFoldEqualsProgress(world.temporal, run.runId);
  });

  it('leaves its outcome to a human when it must not run twice', async () => {
    const run = await world.client.start({ goal: 'lose one' });
    expect(await untilEvent(run, 'decision_requested')).toMatchObject({
      kind: 'unknown_outcome',
      callId: 's0.c0',
    });
    await run.reject('s0.c0', { note: 'I cannot tell.' });
    expect(await run.result()).toMatchObject({
      outcome: 'done',
      unknownOutcomes: [{ callId: 's0.c0', tool: 'sleeps' }],
    });
    const [result] = await toolResults(run);
    expect(JSON.parse(result ?? '')).toMatchObject({
      status: 'unknown_outcome',
      note: 'A human noted: I cannot tell.',
    });
    await expectFoldEqualsProgress(world.temporal, run.runId);
  });
});

describe('what a run does not take', () => {
  it('is answered with a code, and the right word is taken after all', async () => {
    const run = await world.client.start({ goal: 'decide' });
    const { argsHash } = await untilEvent(run, 'decision_requested');
    const refusals: [() => Promise<unknown>, string][] = [
      [() => run.approve('s7.c7'), 'CALL_NOT_FOUND'],
      [() => run.approve('nonsense'), 'CALL_NOT_FOUND'],
      [() => run.approve('s0.c0', { argsHash: 'sha256:0' }), 'ARGS_HASH_MISMATCH'],
      [() => run.approve('s0.c0', { args: { to: 'nobody' } }), 'ARGS_INVALID'],
      [() => run.answer('s0.c0', 'Yes.'), 'CALL_NOT_PENDING'],
      [() => run.say('x'.repeat(3 * MB)), 'MESSAGE_TOO_LARGE'],
      [() => run.reject('s0.c0', { note: 'x'.repeat(3 * MB) }), 'MESSAGE_TOO_LARGE'],
      [() => run.say(' '), 'INPUT_INVALID'],
      [() => run.setLimits({}), 'INPUT_INVALID'],
      [() => run.setLimits({ maxSteps: 0.5 }), 'INPUT_INVALID'],
    ];
    for (const [ask, code] of refusals) await expect(ask()).rejects.toMatchObject({ code });
    expect(await run.pending()).toMatchObject([{ callId: 's0.c0', argsHash }]);
    await expect(run.approve('s0.c0', { args: { to: 'nobody' } })).rejects.toThrow(/s0\.c0 waits on: .*to/s);
    await run.approve('s0.c0', { args: { to: 'b@example.org' }, note: 'To the other one.' });
    expect(await run.result()).toMatchObject({ outcome: 'done' });
    expect(sent.get(run.runId)).toEqual([{ to: 'b@example.org' }]);
    await expect(run.approve('s0.c0')).rejects.toMatchObject({ code: 'RUN_CLOSED' });
    await expect(run.cancel()).rejects.toMatchObject({ code: 'RUN_CLOSED' });
    await expectFoldEqualsProgress(world.temporal, run.runId);
  });

  it('is the second decision on a call', async () => {
    const run = await world.client.start({ goal: 'endless' });
    await untilEvent(run, 'decision_requested');
    await run.approve('s0.c0').catch(() => undefined);
    await run.approve('s0.c1');
    await expect(run.reject('s0.c1')).rejects.toMatchObject({ code: 'ALREADY_DECIDED' });
    await run.cancel();
    expect(await run.result()).toMatchObject({ outcome: 'cancelled' });
    expect(sent.get(run.runId)).toEqual([{ to: 'a@example.org' }]);
  });

  it('is an id that is taken, of a run that goes on or has ended', async () => {
    const id = uniqueName('taken');
    const run = await world.client.start({ goal: 'decide' }, { id });
    await expect(world.client.start({ goal: 'decide' }, { id })).rejects.toMatchObject({
      code: 'RUN_EXISTS',
    });
    await run.cancel();
    await run.result();
    await expect(world.client.start({ goal: 'decide' }, { id })).rejects.toMatchObject({
      code: 'RUN_EXISTS',
    });
  });

  it('is a word to a run that is not there', async () => {
    const nobody = world.client.run(uniqueName('nobody'));
    await expect(nobody.say('Hello?')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await expect(nobody.progress()).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await expect(nobody.result()).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await expect(nobody.cancel()).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  });
});

describe('a ceiling', () => {
  const ceilings: [string, StartInput, { steps: number }][] = [
    ['steps', { goal: 'endless', limits: { maxSteps: 1 } }, { steps: 1 }],
    ['cost', { goal: 'endless', limits: { maxCostUsd: 0.014 } }, { steps: 1 }],
    ['tokens', { goal: 'endless', limits: { maxTokens: 14_000 } }, { steps: 1 }],
    ['duration', { goal: 'endless', limits: { maxDurationMs: 1_500 } }, { steps: 1 }],
    ['tool', { goal: 'count for ever', stopOnTool: ['count'] }, { steps: 1 }],
  ];

  it.each(ceilings)('of %s ends a run with an answer, past no gate', async (limit, input, { steps }) => {
    const run = await world.client.start(input);
    expect(await run.result()).toMatchObject({
      outcome: 'limit',
      limit,
      answer: 'Landed.',
      steps,
      error: null,
    });
    const landings = world.standIn.requests
      .map(({ body }) => Object(body))
      .filter(
        ({ metadata }) => metadata?.longhaul_run === run.runId && metadata.longhaul_purpose === 'landing',
      );
    expect(landings).toMatchObject([{ tool_choice: 'none' }]);
    expect(sent.get(run.runId)).toBeUndefined();
    await expectFoldEqualsProgress(world.temporal, run.runId);
  });
});

describe('an end from outside', () => {
  it('by stop is an answer of the model', async () => {
    const run = await startStreaming();
    await run.stop({ note: 'Enough.' });
    expect(await run.result()).toMatchObject({ outcome: 'stopped', answer: 'Stopped early.' });
    expect(await statusOf(run)).toBe('COMPLETED');
    await expectFoldEqualsProgress(world.temporal, run.runId);
  });

  it('by cancel is at once, and shows as cancelled in Temporal', async () => {
    const run = await startStreaming();
    await run.cancel();
    expect(await run.result()).toMatchObject({ outcome: 'cancelled', error: null });
    expect(await statusOf(run)).toBe('CANCELLED');
    await expectFoldEqualsProgress(world.temporal, run.runId);
  });

  it('by terminate is told as cancelled, though the run could not say so itself', async () => {
    const run = await startStreaming();
    await world.temporal.workflow.getHandle(run.runId).terminate('Off with it.');
    expect(await run.result()).toMatchObject({ outcome: 'cancelled' });
    expect(await run.progress()).toMatchObject({ status: 'closed', pending: [] });
    await expect(run.stop()).rejects.toMatchObject({ code: 'RUN_CLOSED' });
  });
});

it('sends the model nothing that a provider would refuse', () => {
  world.expectNoRefusals();
});

async function startStreaming(): Promise<RunHandle> {
  const run = await world.client.start({ goal: 'stream' });
  await untilDelta(run, 'text_delta');
  return run;
}

async function untilDelta(run: RunHandle, type: string): Promise<void> {
  const found = new AbortController();
  for await (const delta of run.deltas(found.signal)) if (delta.type === type) found.abort();
}

async function toolResults(run: RunHandle): Promise<string[]> {
  return (await run.transcript()).flatMap((item) => (item.role === 'tool' ? [item.content] : []));
}

async function statusOf(run: RunHandle): Promise<string> {
  return (await world.temporal.workflow.getHandle(run.runId).describe()).status.name;
}

async function inWorld(env: Record<string, string>, body: (other: World) => Promise<void>): Promise<void> {
  const other = await openWorld(server, { script, tools, env });
  try {
    await other.startWorker();
    await body(other);
  } finally {
    await other.close();
  }
}
