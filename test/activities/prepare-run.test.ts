import { z } from 'zod';
import { createPrepareRun, type PrepareRunPorts } from '../../src/activities/prepare-run.js';
import { checkRunInput } from '../../src/adapters/run-input.js';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import { AgentError } from '../../src/core/errors.js';
import type { Prepared } from '../../src/core/run-input.js';
import type { ModelPort } from '../../src/ports/model.js';
import { environmentOf, FakeRun, registryOf } from './support/activity-world.js';

const tool = (name: string) =>
  defineTool({ name, description: name, effect: 'read', input: z.object({}), execute: () => 1 });
const KNOWN: readonly string[] = ['maker/default', 'maker/other'];

const model: ModelPort = {
  call: () => Promise.reject(new Error('Preparing asks no model.')),
  describe: async (id) => (KNOWN.includes(id) ? { id, contextLength: null, maxOutputTokens: null } : null),
  checkKey: async () => ({ limitRemainingUsd: null }),
};

function prepare(input: unknown, ports: Partial<PrepareRunPorts> = {}) {
  const run = new FakeRun();
  // Whatever a raw start may send is in the settings until it is checked.
  run.current = { ...run.current, input: input as never, prepared: null };
  const activity = createPrepareRun({
    model,
    tools: registryOf(tool('a'), tool('b')),
    checkInput: checkRunInput,
    defaults: { model: 'maker/default', limits: { maxCostUsd: 2, maxSteps: 50 } },
    searchAttributes: true,
    heartbeatTimeoutMs: 8_000,
    continueAsNewEvents: 2_000,
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
    heartbeatTimeoutMs: 8_000,
    continueAsNewEvents: 2_000,
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
  });
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

it.each(['checkKey', 'describe'] as const)(
  'goes on with a warning when the model server is away (%s)',
  async (question) => {
    const away = {
      ...model,
      [question]: () => Promise.reject(new AgentError('MODEL_UNREACHABLE', 'Nobody there.')),
    };
    const { warnings } = await prepare({ goal: 'x' }, { model: away });
    expect(warnings).toEqual([expect.stringContaining('Nobody there.')]);
  },
);

it('goes on without a warning when the model server has no list', async () => {
  const listless = { ...model, describe: async () => undefined };
  expect(await prepare({ goal: 'x', model: 'any/model' }, { model: listless })).toMatchObject({
    model: 'any/model',
    warnings: [],
  });
});

it('does not wait long for a model server that does not answer', async () => {
  jest.useFakeTimers();
  try {
    const prepared = prepare(
      { goal: 'x' },
      { model: { ...model, checkKey: () => new Promise(() => undefined) } },
    );
    await jest.advanceTimersByTimeAsync(10_000);
    expect((await prepared).warnings).toHaveLength(1);
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});
