import { z } from 'zod';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { JsonObject } from '../../src/core/json.js';
import type { ReplyCall, Script } from '../../src/testing/stand-in/script.js';
import { createAgentWorker } from '../../src/worker/create-agent-worker.js';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { workflowBundle, type World } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';
import { toolTexts } from './support/family.js';
import { COUNT, MONEY_TOOLS, useMoneyWorlds } from './support/money-world.js';

const open = useMoneyWorlds(useTemporalServer());

const put = (values: JsonObject, more: JsonObject = {}): ReplyCall => ({
  name: 'put',
  args: { values, ...more },
});
const GET: ReplyCall = { name: 'get' };

/** `put` writes values, waits for others if told to, and may fail after that; `get` says what is there. */
function sharedTools() {
  let arrived = 0;
  let meet: () => void = () => undefined;
  const met = new Promise<void>((resolve) => (meet = resolve));
  return [
    ...MONEY_TOOLS,
    defineTool({
      name: 'put',
      description: 'p',
      effect: 'idempotent',
      input: z.object({
        values: z.record(z.string(), z.json()),
        meet: z.number().optional(),
        fail: z.boolean().optional(),
      }),
      execute: async ({ values, meet: others, fail }, { shared }) => {
        const before = JSON.stringify(shared);
        Object.assign(shared, values);
        if (others !== undefined) {
          arrived += 1;
          if (arrived === others) meet();
          await met;
        }
        if (fail) throw new Error('It went wrong.');
        return `before: ${before}`;
      },
    }),
    defineTool({
      name: 'get',
      description: 'g',
      effect: 'read',
      input: z.object({}),
      execute: (_args, { shared }) => JSON.stringify(shared),
    }),
  ];
}

const inSteps =
  (...steps: ReplyCall[][]): Script =>
  (_request, { stepIndex }) =>
    steps[stepIndex] ? { toolCalls: steps[stepIndex] } : { text: 'Done.' };

/** Runs a script to its end; what each call gave to the model, and what the run shares in the end. */
async function live(world: World, shared?: JsonObject) {
  const run = await world.client.start({ goal: 'Go', ...(shared && { shared }) });
  const result = await run.result();
  expect(result).toMatchObject({ outcome: 'done', answer: 'Done.' });
  const { progress, temporalRunIds } = await expectFoldEqualsProgress(world.temporal, run.runId);
  expect(progress?.shared).toEqual(result.shared);
  return { texts: toolTexts(await run.transcript()), shared: result.shared, temporalRunIds };
}

it('what a tool shares is there for later calls, over continue-as-new, and in the result', async () => {
  const world = await open({
    script: inSteps([put({ a: { deep: [1] } })], [GET], [COUNT], [COUNT], [put({ b: 2, from: null })], [GET]),
    tools: sharedTools(),
    env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: '15' },
  });
  const { texts, shared, temporalRunIds } = await live(world, { from: 'the start' });
  expect(texts).toEqual([
    'before: {"from":"the start"}',
    '{"a":{"deep":[1]},"from":"the start"}',
    '1',
    '1',
    'before: {"a":{"deep":[1]},"from":"the start"}',
    '{"a":{"deep":[1]},"b":2}',
  ]);
  expect(shared).toEqual({ a: { deep: [1] }, b: 2 });
  expect(temporalRunIds.length).toBeGreaterThan(1);
});

it('calls that write at the same time each keep what is theirs; of one key the later one keeps it', async () => {
  const world = await open({
    script: inSteps(
      [1, 2, 3, 4].map((n) => put({ [`k${n}`]: n, same: n }, { meet: 4 })),
      [GET],
    ),
    tools: sharedTools(),
  });
  const { texts, shared } = await live(world);
  expect(texts.slice(0, 4)).toEqual(Array(4).fill('before: {}'));
  expect(shared).toMatchObject({ k1: 1, k2: 2, k3: 3, k4: 4 });
  expect([1, 2, 3, 4]).toContain(shared['same']);
  expect(JSON.parse(texts[4] ?? '')).toEqual(shared);
});

it('what a call writes that fails is not kept, nor what is too large', async () => {
  const world = await open({
    script: inSteps([put({ a: 1 }, { fail: true }), put({ large: 'x'.repeat(17_000) })], [GET]),
    tools: sharedTools(),
  });
  const { texts, shared } = await live(world);
  expect(texts).toEqual([
    expect.stringContaining('It went wrong.'),
    expect.stringContaining('16384 are allowed'),
    '{}',
  ]);
  for (const text of texts.slice(0, 2)) expect(JSON.parse(text)).toMatchObject({ status: 'failed' });
  expect(shared).toEqual({});
});

it('calls that write at the same time cannot fill it beyond its size together', async () => {
  const world = await open({
    script: inSteps(
      [1, 2, 3].map((n) => put({ [`k${n}`]: 'x'.repeat(7_000) }, { meet: 3 })),
      [GET],
    ),
    tools: sharedTools(),
  });
  const { texts, shared } = await live(world);
  expect(Object.keys(shared)).toHaveLength(2);
  expect(texts.filter((text) => text.includes('16384'))).toHaveLength(1);
});

describe('with a schema', () => {
  const schema = z.object({ count: z.number().optional(), name: z.string().optional() });

  /** A world whose worker has the schema. */
  async function openStrict(script: Script): Promise<{ world: World; stop(): Promise<void> }> {
    const world = await open({ script }, 'none');
    const { worker, run, close } = await createAgentWorker({
      config: world.config,
      module: { tools: sharedTools(), defaults: {}, shared: schema },
      address: world.address,
      worker: { workflowBundle: await workflowBundle(), shutdownGraceTime: '500ms' },
    });
    const running = run();
    const stop = async () => {
      worker.shutdown();
      await running;
      await close();
    };
    return { world, stop };
  }

  it('what does not fit it is refused in words for the model, and what was there stays', async () => {
    const { world, stop } = await openStrict(inSteps([put({ count: 1 })], [put({ count: 'two' })], [GET]));
    try {
      const { texts, shared } = await live(world);
      expect(JSON.parse(texts[1] ?? '')).toMatchObject({
        status: 'failed',
        message: expect.stringContaining('count'),
      });
      expect(texts[2]).toBe('{"count":1}');
      expect(shared).toEqual({ count: 1 });
    } finally {
      await stop();
    }
  });

  it('a run that starts with what does not fit it is refused', async () => {
    const { world, stop } = await openStrict(inSteps([GET]));
    try {
      const run = await world.client.start({ goal: 'Go', shared: { count: 'many' } });
      expect(await run.result()).toMatchObject({
        outcome: 'failed',
        error: { code: 'INPUT_INVALID', message: expect.stringContaining('count') },
      });
      expect(world.standIn.requests.filter(({ path }) => path.includes('chat'))).toEqual([]);
    } finally {
      await stop();
    }
  });
});
