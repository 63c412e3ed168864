import fc from 'fast-check';
import { z } from 'zod';
import { hashArgs, planCalls } from '../../src/activities/plan-calls.js';
import { defineControlTool, defineTool } from '../../src/adapters/tools/define-tool.js';
import type { RequireApproval } from '../../src/core/run-input.js';
import { registryOf } from './support/activity-world.js';

const input = z.object({ amount: z.number().default(1) });
const tools = [
  defineTool({ name: 'look', description: 'l', effect: 'read', input, execute: () => 1 }),
  defineTool({
    name: 'put',
    description: 'p',
    effect: 'idempotent',
    timeoutMs: 5_000,
    input,
    execute: () => 1,
  }),
  defineTool({ name: 'send', description: 's', input, execute: () => 1 }),
  defineTool({ name: 'free', description: 'f', approval: 'never', input, execute: () => 1 }),
  defineTool({ name: 'hidden', description: 'h', effect: 'read', input, execute: () => 1 }),
  defineTool({
    name: 'pay',
    description: 'p',
    approval: ({ amount }) => amount > 100,
    onExpiry: 'deny',
    expiresInMs: 1_000,
    input,
    execute: () => 1,
  }),
  defineTool({
    name: 'broken_policy',
    description: 'b',
    approval: () => {
      throw new Error('The policy is broken.');
    },
    input,
    execute: () => 1,
  }),
  defineControlTool({
    name: 'ask',
    description: 'a',
    effect: 'read',
    input,
    control: () => ({ kind: 'ask', question: 'Which?' }),
  }),
];

const context = (requireApproval: RequireApproval = 'policy') => ({
  runId: 'run-1',
  step: 4,
  registry: registryOf(...tools),
  allowed: tools.map(({ spec }) => spec.name).filter((name) => name !== 'hidden'),
  requireApproval,
});

async function planOf(name: string, args: string, requireApproval?: RequireApproval) {
  const [planned] = await planCalls([{ id: 'call_a', name, args }], context(requireApproval));
  return planned;
}

it.each([
  ['look', '{"amount":2}', { id: 'call_a', name: 'look', args: '{"amount":2}', effect: 'read' }],
  ['look', '', { id: 'call_a', name: 'look', args: '{}', effect: 'read' }],
  ['look', ' {"amount" : 2} ', { id: 'call_a', name: 'look', args: '{"amount":2}', effect: 'read' }],
  ['put', '{}', { id: 'call_a', name: 'put', args: '{}', effect: 'idempotent', timeoutMs: 5_000 }],
  ['free', '{}', { id: 'call_a', name: 'free', args: '{}' }],
  [
    'ask',
    '{}',
    { id: 'call_a', name: 'ask', args: '{}', effect: 'read', control: { kind: 'ask', question: 'Which?' } },
  ],
  ['pay', '{"amount":100}', { id: 'call_a', name: 'pay', args: '{"amount":100}' }],
])('plans a call of %s with %j in as few words as it takes', async (name, args, expected) => {
  expect(await planOf(name, args)).toEqual(expected);
});

it.each([
  ['look', '{"amount":', 'invalid_arguments', /not a JSON object/],
  ['look', '[1]', 'invalid_arguments', /not a JSON object/],
  ['look', 'null', 'invalid_arguments', /not a JSON object/],
  ['look', '"text"', 'invalid_arguments', /not a JSON object/],
  ['look', '{"amount":"two"}', 'invalid_arguments', /amount/],
  ['nope', '{}', 'unknown_tool', /no tool nope.*look/s],
  ['hidden', '{}', 'unknown_tool', /no tool hidden/],
])('tells the model what is wrong with a call of %s with %j', async (name, args, status, message) => {
  const planned = await planOf(name, args);
  expect(planned?.problem).toEqual({ status, message: expect.stringMatching(message) });
  expect(JSON.parse(planned?.args ?? '')).toEqual(expect.any(Object));
  expect(planned).not.toHaveProperty('gate');
});

it.each<[string, string, RequireApproval, boolean]>([
  ['look', '{}', 'policy', false],
  ['send', '{}', 'policy', true],
  ['free', '{}', 'policy', false],
  ['pay', '{"amount":100}', 'policy', false],
  ['pay', '{"amount":101}', 'policy', true],
  ['broken_policy', '{}', 'policy', true],
  ['look', '{}', 'always', true],
  ['free', '{}', 'always', true],
  ['send', '{}', 'never', false],
  ['broken_policy', '{}', 'never', false],
])(
  'gates a call of %s with %j when approval is asked for %s: %s',
  async (name, args, requireApproval, isGated) => {
    expect((await planOf(name, args, requireApproval))?.gate !== undefined).toBe(isGated);
  },
);

it('tells the human that the approval policy failed', async () => {
  const planned = await planOf('broken_policy', '{}');
  expect(planned?.gate?.summary).toMatch(/policy of the tool failed: The policy is broken\./);
});

it('binds a gate to the arguments and the expiry policy', async () => {
  expect((await planOf('pay', '{"amount":500}'))?.gate).toEqual({
    argsHash: hashArgs({ amount: 500 }),
    summary: expect.stringContaining('500'),
    onExpiry: 'deny',
    expiresInMs: 1_000,
  });
});

it('keeps the order of the calls, and one that is wrong harms no other', async () => {
  const calls = ['send', 'nope', 'look'].map((name, index) => ({ id: `call_${index}`, name, args: '{}' }));
  const planned = await planCalls(calls, context());
  expect(planned.map(({ id, name }) => [id, name])).toEqual(calls.map(({ id, name }) => [id, name]));
});

it('plans whatever a model writes without failing', () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom('look', 'send', 'nope'),
      fc.oneof(fc.string(), fc.json()),
      async (name, args) => {
        const planned = await planOf(name, args);
        expect(JSON.parse(planned?.args ?? '')).not.toBeNull();
      },
    ),
  ));

it('gives equal arguments one hash, whatever the order of their fields', () => {
  expect(hashArgs({ a: 1, b: { c: 2, d: 3 } })).toBe(hashArgs({ b: { d: 3, c: 2 }, a: 1 }));
  expect(hashArgs({ a: 1 })).not.toBe(hashArgs({ a: 2 }));
});
