import { z } from 'zod';
import { createPrepareRun, type PrepareRunPorts } from '../../src/activities/prepare-run.js';
import { checkRunInput } from '../../src/adapters/run-input.js';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import { ASSUMED_PRICE } from '../../src/core/behaviour.js';
import { AgentError } from '../../src/core/errors.js';
import type { ModelPrice } from '../../src/core/money/price.js';
import type { Prepared, ReviewInput } from '../../src/core/run-input.js';
import type { ModelInfo, ModelPort } from '../../src/ports/model.js';
import { memoryArtifacts } from '../adapters/tools/tool-harness.js';
import { environmentOf, FakeRun, registryOf } from './support/activity-world.js';

const tool = (name: string, description = name) =>
  defineTool({ name, description, effect: 'read', input: z.object({}), execute: () => 1 });
const PRICE: ModelPrice = {
  promptNanoUsdPerMillion: 100,
  completionNanoUsdPerMillion: 200,
  requestNanoUsd: 3,
  tiers: [{ minPromptTokens: 9, promptNanoUsdPerMillion: 300, completionNanoUsdPerMillion: 400 }],
};
const LISTED: Record<string, ModelInfo> = {
  'maker/default': { id: 'maker/default', contextLength: 1_000, maxOutputTokens: 100, price: PRICE },
  'maker/other': { id: 'maker/other', contextLength: null, maxOutputTokens: null, price: PRICE },
  'maker/unpriced': { id: 'maker/unpriced', contextLength: 5, maxOutputTokens: 4, price: null },
  'maker/silent': { id: 'maker/silent', contextLength: 5, maxOutputTokens: 4 },
};

const model: ModelPort = {
  call: () => Promise.reject(new Error('Preparing asks no model.')),
  describe: async (id) => LISTED[id] ?? null,
  checkKey: async () => ({ limitRemainingUsd: null }),
  generation: () => Promise.reject(new Error('Preparing asks for no cost.')),
};
const CEILING = { maxCostUsd: 2, maxSteps: 50 };
const NO_CEILING = { limits: { maxCostUsd: null } };

function prepare(input: unknown, ports: Partial<PrepareRunPorts> = {}) {
  const run = new FakeRun();
  // Whatever a raw start may send is in the settings until it is checked.
  run.current = { ...run.current, input: input as never, prepared: null };
  const activity = createPrepareRun({
    model,
    tools: registryOf(tool('a'), tool('b')),
    checkInput: checkRunInput,
    defaults: { model: 'maker/default', limits: CEILING },
    searchAttributes: true,
    heartbeatTimeoutMs: 8_000,
    continueAsNewEvents: 2_000,
    artifacts: memoryArtifacts(),
    ...ports,
  });
  return environmentOf(run).run<[], Prepared, typeof activity>(activity);
}

it('settles what was left open by the defaults of the worker', async () => {
  expect(await prepare({ goal: 'x' })).toEqual({
    behaviour: expect.any(Number),
    model: 'maker/default',
    models: [],
    tools: ['a', 'b'],
    limits: { maxCostUsd: 2, maxSteps: 50, maxTokens: null, maxDurationMs: null },
    searchAttributes: true,
    taint: 'ask',
    heartbeatTimeoutMs: 8_000,
    continueAsNewEvents: 2_000,
    modelFacts: { 'maker/default': { price: PRICE, contextLength: 1_000, maxOutputTokens: 100 } },
    unpricedModels: 'refuse',
    toolsSizeBytes: expect.any(Number),
    warnings: [],
  });
});

it('takes what the input says before the defaults, also where it takes a ceiling away', async () => {
  const input = {
    goal: 'x',
    model: 'maker/other',
    models: ['maker/default'],
    tools: ['b'],
    limits: { maxCostUsd: null, maxTokens: 9 },
  };
  expect(await prepare(input)).toMatchObject({
    model: 'maker/other',
    models: ['maker/default'],
    tools: ['b'],
    limits: { maxCostUsd: null, maxSteps: 50, maxTokens: 9, maxDurationMs: null },
    modelFacts: { 'maker/other': { price: PRICE }, 'maker/default': { price: PRICE } },
  });
});

it('takes budget and dealing with unknown prices from the input before the defaults', async () => {
  const defaults = {
    model: 'maker/default',
    limits: CEILING,
    budget: 'team',
    unpricedModels: 'estimate' as const,
  };
  expect(await prepare({ goal: 'x' }, { defaults })).toMatchObject({
    budget: 'team',
    unpricedModels: 'estimate',
  });
  expect(await prepare({ goal: 'x', budget: 'mine', unpricedModels: 'refuse' }, { defaults })).toMatchObject({
    budget: 'mine',
    unpricedModels: 'refuse',
  });
});

it('measures what is sent of the tools of the run, in bytes', async () => {
  const tools = registryOf(tool('a', 'Ü'), tool('b'));
  const sent = [tool('a', 'Ü').spec];
  const { toolsSizeBytes } = await prepare({ goal: 'x', tools: ['a'] }, { tools });
  expect(toolsSizeBytes).toBe(JSON.stringify(sent).length + 1);
});

it.each<[string, unknown, string]>([
  ['no goal', {}, 'INPUT_INVALID'],
  ['an unknown field', { goal: 'x', maxCost: 1 }, 'INPUT_INVALID'],
  ['an unknown tool', { goal: 'x', tools: ['a', 'c'] }, 'TOOL_UNKNOWN'],
  ['an unknown tool to stop on', { goal: 'x', stopOnTool: ['c'] }, 'TOOL_UNKNOWN'],
  ['an unknown model', { goal: 'x', model: 'no/such' }, 'MODEL_BAD_REQUEST'],
  ['an unknown fallback model', { goal: 'x', models: ['no/such'] }, 'MODEL_BAD_REQUEST'],
])('fails for good on %s', async (_what, input, type) => {
  await expect(prepare(input)).rejects.toMatchObject({ type, nonRetryable: true });
});

it('fails for good when the key is refused', async () => {
  const refusing = { ...model, checkKey: () => Promise.reject(new AgentError('MODEL_AUTH', 'No.')) };
  await expect(prepare({ goal: 'x' }, { model: refusing })).rejects.toMatchObject({
    type: 'MODEL_AUTH',
    nonRetryable: true,
  });
});

describe('a model without a price', () => {
  const lacking: [string, string][] = [
    ['names no price of it', 'maker/unpriced'],
    ['knows of no prices', 'maker/silent'],
    ['is not there', 'any/model'],
  ];
  const port = { ...model, describe: async (id: string) => LISTED[id] };

  it.each(lacking)('ends a run with a ceiling, when the list %s', async (_what, name) => {
    for (const input of [
      { model: name },
      { models: [name] },
      { model: name, budget: 'team', ...NO_CEILING },
    ]) {
      await expect(prepare({ goal: 'x', ...input }, { model: port })).rejects.toMatchObject({
        type: 'PRICE_UNKNOWN',
        nonRetryable: true,
        message: expect.stringContaining(name),
      });
    }
  });

  it.each(lacking)('is no matter to a run without a ceiling, when the list %s', async (_what, name) => {
    const prepared = await prepare({ goal: 'x', model: name, ...NO_CEILING }, { model: port });
    expect(prepared).toMatchObject({ warnings: [], unpricedModels: 'refuse' });
    expect(prepared.modelFacts?.[name]).toMatchObject({ price: null });
    expect(prepared.modelFacts?.[name]).not.toHaveProperty('assumed');
  });

  it.each(lacking)('gets an assumed price where that is allowed, when the list %s', async (_what, name) => {
    const input = { goal: 'x', model: name, models: ['maker/other'], unpricedModels: 'estimate' };
    const { modelFacts = {} } = await prepare(input, { model: port });
    expect(modelFacts[name]).toMatchObject({ price: ASSUMED_PRICE, assumed: true });
    expect(modelFacts['maker/other']).toEqual({ price: PRICE, contextLength: null, maxOutputTokens: null });
  });
});

describe('a key with a limit of its own', () => {
  const prepareWith = async (limitRemainingUsd: number | null, input = {}) => {
    const limited = { ...model, checkKey: async () => ({ limitRemainingUsd }) };
    return (await prepare({ goal: 'x', ...input }, { model: limited })).warnings;
  };

  it.each([null, 2, 3])('is no matter when it does not end the run before its ceiling (%j)', async (left) => {
    expect(await prepareWith(left)).toEqual([]);
  });

  it.each([0, 1.5])('is warned of when it ends the run before its ceiling (%j)', async (left) => {
    expect(await prepareWith(left)).toEqual([expect.stringContaining(`${left} USD more, less than`)]);
  });

  it('is warned of when the run has no ceiling', async () => {
    expect(await prepareWith(1_000, NO_CEILING)).toEqual([expect.stringContaining('1000 USD more')]);
  });
});

describe('a model server that is away', () => {
  const free = { goal: 'x', limits: { maxCostUsd: null } };

  const away = () => Promise.reject(new AgentError('MODEL_UNREACHABLE', 'Nobody there.'));
  const unread = {
    price: { promptNanoUsdPerMillion: 0, completionNanoUsdPerMillion: 0, requestNanoUsd: 0 },
    assumed: true,
    contextLength: null,
    maxOutputTokens: null,
  };

  it.each<[string, object, 'checkKey' | 'describe']>([
    ['ceiling on cost', {}, 'describe'],
    ['ceiling on cost', {}, 'checkKey'],
    ['shared budget', { ...NO_CEILING, budget: 'team' }, 'describe'],
  ])(
    'is waited for by the calls of a run with a %s, which find out the prices',
    async (_what, more, question) => {
      const input = { goal: 'x', models: ['maker/other'], review: { model: 'maker/silent' }, ...more };
      const { warnings, modelFacts } = await prepare(input, { model: { ...model, [question]: away } });
      expect(warnings).toEqual([expect.stringContaining('Nobody there.')]);
      expect(modelFacts).toEqual({ 'maker/default': unread, 'maker/other': unread, 'maker/silent': unread });
    },
  );

  it('has told a run with a ceiling of those models that it was asked about before', async () => {
    const describe = (id: string) => (id === 'maker/default' ? model.describe(id) : away());
    const input = { goal: 'x', models: ['maker/other'] };
    const { modelFacts } = await prepare(input, { model: { ...model, describe } });
    expect(modelFacts).toMatchObject({ 'maker/default': { price: PRICE }, 'maker/other': unread });
    expect(modelFacts?.['maker/default']).not.toHaveProperty('assumed');
  });

  it('does not save a run with a ceiling from a model that it has named no price of', async () => {
    const describe = (id: string) => (id === 'maker/unpriced' ? model.describe(id) : away());
    const input = { goal: 'x', model: 'maker/unpriced', models: ['maker/other'] };
    await expect(prepare(input, { model: { ...model, describe } })).rejects.toMatchObject({
      type: 'PRICE_UNKNOWN',
      nonRetryable: true,
    });
  });

  it.each(['checkKey', 'describe'] as const)(
    'is warned of, and its models stay unknown (%s)',
    async (question) => {
      const { warnings, modelFacts } = await prepare(free, { model: { ...model, [question]: away } });
      expect(warnings).toEqual([expect.stringContaining('Nobody there.')]);
      expect(modelFacts).toEqual({});
    },
  );

  it('gets no price assumed for what it may know', async () => {
    const input = { goal: 'x', unpricedModels: 'estimate' };
    expect((await prepare(input, { model: { ...model, describe: away } })).modelFacts).toEqual({});
  });

  it('has told of those models that it was asked about before', async () => {
    const describe = (id: string) => (id === 'maker/default' ? model.describe(id) : away());
    const input = { ...free, models: ['maker/other'] };
    const { modelFacts } = await prepare(input, { model: { ...model, describe } });
    expect(Object.keys(modelFacts ?? {})).toEqual(['maker/default']);
  });
});

it('does not wait long for a model server that does not answer', async () => {
  jest.useFakeTimers();
  try {
    const prepared = prepare(
      { goal: 'x', limits: { maxCostUsd: null } },
      { model: { ...model, checkKey: () => new Promise(() => undefined) } },
    );
    await jest.advanceTimersByTimeAsync(10_000);
    expect(await prepared).toMatchObject({ warnings: [expect.any(String)], modelFacts: {} });
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});

it('lets a sub-agent draw from no budget of its own, as its parent holds its share', async () => {
  const parent = { runId: 'r', key: 's0.c0', rootId: 'r', path: 's0.c0', depth: 1 };
  const defaults = { model: 'maker/default', limits: CEILING, budget: 'team' };
  expect(await prepare({ goal: 'x' }, { defaults })).toHaveProperty('budget', 'team');
  expect(await prepare({ goal: 'x', parent }, { defaults })).not.toHaveProperty('budget');
});

describe('a session', () => {
  it.each([
    [undefined, undefined],
    [false, undefined],
    [true, 86_400_000],
    [{}, 86_400_000],
    [{ idleMs: 5 }, 5],
  ])('that is asked for as %j waits %s ms for the next message', async (session, idleMs) => {
    expect((await prepare({ goal: 'x', ...(session !== undefined && { session }) })).idleMs).toBe(idleMs);
  });
});

it('takes the policy for content from outside from the input, then from the worker', async () => {
  const defaults = { model: 'maker/default', limits: CEILING, taint: 'off' as const };
  expect((await prepare({ goal: 'x' }, { defaults })).taint).toBe('off');
  expect((await prepare({ goal: 'x', taint: 'ask' }, { defaults })).taint).toBe('ask');
});

it('holds on to what servers outside say of their tools', async () => {
  const artifacts = memoryArtifacts();
  const outside = { ...tool('z'), specHash: 'sha256:1' };
  const { pins, pinnedId = '' } = await prepare(
    { goal: 'x' },
    { tools: registryOf(tool('a'), outside), artifacts },
  );
  expect(pins).toEqual({ z: 'sha256:1' });
  const kept = await artifacts.read(pinnedId, { offset: 0, length: 1_000 });
  expect(JSON.parse(kept?.text ?? '')).toEqual([outside.spec]);
});

describe('a review', () => {
  it('is settled with its model, which is looked up and priced like any other', async () => {
    expect(await prepare({ goal: 'x', review: { model: 'maker/other', rounds: 2 } })).toMatchObject({
      review: { model: 'maker/other', rounds: 2, checks: [] },
      model: 'maker/default',
      modelFacts: { 'maker/default': { price: PRICE }, 'maker/other': { price: PRICE } },
    });
  });

  it('is absent where none is asked for', async () => {
    expect(await prepare({ goal: 'x' })).not.toHaveProperty('review');
    expect(await prepare({ goal: 'x', review: false })).not.toHaveProperty('review');
  });

  it('has its checks judged before the run begins', async () => {
    expect(await prepare({ goal: 'x', review: { checks: [{ tool: 'b' }] } })).toMatchObject({
      review: { rounds: 3, checks: [{ id: 'check0', name: 'b', args: '{}', effect: 'read' }] },
    });
  });

  it.each<[string, ReviewInput, string]>([
    ['a model that there is not', { model: 'no/such' }, 'MODEL_BAD_REQUEST'],
    ['a model without a price under a ceiling', { model: 'maker/unpriced' }, 'PRICE_UNKNOWN'],
    ['a check by a tool that there is not', { checks: [{ tool: 'fly' }] }, 'TOOL_UNKNOWN'],
    ['a command without a shell', { checks: [{ command: 'true' }] }, 'TOOL_UNKNOWN'],
    ['rounds without end', { rounds: 1_000 }, 'INPUT_INVALID'],
  ])('with %s is refused at once', async (_what, review, type) => {
    await expect(prepare({ goal: 'x', review })).rejects.toMatchObject({ type, nonRetryable: true });
  });

  it('by a model without a price has one assumed where the run says so', async () => {
    const input = { goal: 'x', review: { model: 'maker/unpriced' }, unpricedModels: 'estimate' };
    expect((await prepare(input)).modelFacts?.['maker/unpriced']).toMatchObject({ price: ASSUMED_PRICE });
  });
});
