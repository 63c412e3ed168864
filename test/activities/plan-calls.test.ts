import fc from 'fast-check';
import { z } from 'zod';
import { hashArgs, planCalls, type PlanContext } from '../../src/activities/plan-calls.js';
import { delegateTool } from '../../src/adapters/tools/builtin/delegate.js';
import { defineControlTool, defineTool } from '../../src/adapters/tools/define-tool.js';
import { fingerprint } from '../../src/core/context/loop-guard.js';
import type { RequireApproval } from '../../src/core/run-input.js';
import type { Tool } from '../../src/ports/tools.js';
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
  tainted: false,
  pins: {},
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

it('binds a gate to the arguments and the expiry policy, with a reminder at half time', async () => {
  expect((await planOf('pay', '{"amount":500}'))?.gate).toEqual({
    argsHash: hashArgs({ amount: 500 }),
    summary: expect.stringContaining('500'),
    onExpiry: 'deny',
    expiresInMs: 1_000,
    remindInMs: 500,
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

describe('what a tool says of itself', () => {
  const plan = async (tool: Tool, parts: Partial<PlanContext> = {}, args = '{}') => {
    const registry = registryOf(tool);
    const allowed = [tool.spec.name];
    const [planned] = await planCalls([{ id: 'call_a', name: tool.spec.name, args }], {
      ...context(),
      registry,
      allowed,
      ...parts,
    });
    return planned;
  };
  const options = {
    name: 'act',
    description: 'Acts.',
    input,
    execute: () => 1,
    verify: () => 'unknown' as const,
    onUnknown: 'land' as const,
    maxAttempts: 7,
    maxParallel: 2,
  };
  const basics = { id: 'call_a', name: 'act', args: '{}', parallel: 2 };

  it('goes with a call that may run only once as far as it matters there', async () => {
    expect(await plan(defineTool({ ...options, approval: 'never' }))).toEqual({
      ...basics,
      verify: true,
      onUnknown: 'land',
    });
  });

  it('goes with a call that may run again as far as it matters there', async () => {
    const planned = await plan(defineTool({ ...options, effect: 'idempotent' }));
    expect(planned).toEqual({ ...basics, effect: 'idempotent', attempts: 7 });
  });

  it('goes with the gate of a call', async () => {
    const tool: Tool = {
      ...defineTool({
        ...options,
        expiresInMs: 2_000,
        remindInMs: 500,
        approvals: 2,
        separateApprover: true,
      }),
      specHash: 'h1',
    };
    const planned = await plan(tool, { pins: { act: 'h1' } });
    expect(planned).toHaveProperty('specHash', 'h1');
    expect(planned?.gate).toEqual({
      argsHash: hashArgs({}),
      summary: 'act {}',
      expiresInMs: 2_000,
      remindInMs: 500,
      approvals: 2,
      separate: true,
    });
  });

  it('tells its policy whether content from outside was read', async () => {
    const approval = jest.fn(() => false);
    const tool = defineTool({ ...options, effect: 'read', approval });
    await plan(tool, { tainted: true });
    expect(approval).toHaveBeenCalledWith({ amount: 1 }, { runId: 'run-1', callId: 's4.c0', tainted: true });
  });

  describe('and that its server has changed', () => {
    const changed: Tool = {
      ...defineTool({ ...options, description: `New: ${'x'.repeat(500)}`, effect: 'read' }),
      specHash: 'h2',
    };

    it.each<RequireApproval>(['never', 'policy', 'always'])(
      'asks a human under %s, who is shown what it says now',
      async (requireApproval) => {
        const planned = await plan(changed, { requireApproval, pins: { act: 'h1' } });
        expect(planned).toMatchObject({ specHash: 'h2', gate: { reason: 'changed' } });
        const gate = planned?.gate;
        expect(gate?.summary).toMatch(
          /its server has changed what it says of the tool, now: New: xxx.*act \{\}$/,
        );
      },
    );

    it.each([{}, { act: 'h2' }, { other: 'h1' }])('asks nobody with the pins %j', async (pins) => {
      expect(await plan(changed, { pins, requireApproval: 'never' })).not.toHaveProperty('gate');
    });
  });
});

describe('once content from outside was read', () => {
  const gateOf = async (name: string, requireApproval: RequireApproval = 'policy', args = '{}') => {
    const [planned] = await planCalls([{ id: 'call_a', name, args }], {
      ...context(requireApproval),
      tainted: true,
    });
    return planned?.gate;
  };

  it.each(['put', 'free', 'pay'])('asks about %s, which acts, and says why', async (name) => {
    expect(await gateOf(name)).toMatchObject({
      reason: 'taint',
      summary: expect.stringMatching(new RegExp(`text from outside was read.*${name} {}`)),
    });
  });

  it.each(['send', 'broken_policy'])('asks about %s as its own policy does', async (name) => {
    expect(await gateOf(name)).toEqual(expect.not.objectContaining({ reason: expect.anything() }));
  });

  it.each(['look', 'ask'])('lets %s pass, which does not act', async (name) => {
    expect(await gateOf(name)).toBeUndefined();
  });

  it('asks nobody where no human is to be asked, and about all where one is', async () => {
    expect(await gateOf('free', 'never')).toBeUndefined();
    expect(await gateOf('free', 'always')).toEqual({ argsHash: hashArgs({}), summary: 'free {}' });
  });
});

describe('in a run that goes in circles', () => {
  const asks = [fingerprint('look', { amount: 1, deep: { a: 1, b: 2 } }), fingerprint('send', { amount: 7 })];
  const gateOf = async (name: string, args: object, parts: Partial<PlanContext> = {}) => {
    const call = { id: 'call_a', name, args: JSON.stringify(args) };
    const [planned] = await planCalls([call], { ...context(), asks, ...parts });
    return planned?.gate;
  };

  it('a human is asked about the very call that comes again, whatever the order of its fields, and told why', async () => {
    const args = { deep: { b: 2, a: 1 }, amount: 1 };
    expect(await gateOf('look', args)).toEqual({
      argsHash: hashArgs(args),
      summary: expect.stringMatching(/^\[the run goes in circles.*\] look \{"deep"/),
      reason: 'loop',
    });
  });

  it('nobody is asked about other arguments, or the same of another tool', async () => {
    expect(await gateOf('look', { amount: 2 })).toBeUndefined();
    expect(await gateOf('free', { amount: 7 })).toBeUndefined();
  });

  it.each<[RequireApproval, string | undefined]>([
    ['policy', 'loop'],
    ['always', 'loop'],
    ['never', undefined],
  ])('under %s the reason is %s', async (requireApproval, reason) => {
    expect((await gateOf('send', { amount: 7 }, { requireApproval }))?.reason).toBe(reason);
  });

  it('the reason comes before that of content from outside, and after that of a tool that has changed', async () => {
    expect(await gateOf('send', { amount: 7 }, { tainted: true })).toMatchObject({ reason: 'loop' });
    const changed: Tool = {
      ...defineTool({ name: 'send', description: 's', input, execute: () => 1 }),
      specHash: 'h2',
    };
    const parts = { registry: registryOf(changed), pins: { send: 'h1' } };
    expect(await gateOf('send', { amount: 7 }, parts)).toMatchObject({ reason: 'changed' });
  });

  it('the policy of the tool is not asked any more, and what cannot run is not asked about', async () => {
    const approval = jest.fn(() => false);
    const tool = defineTool({ name: 'send', description: 's', approval, input, execute: () => 1 });
    expect(await gateOf('send', { amount: 7 }, { registry: registryOf(tool) })).toMatchObject({
      reason: 'loop',
    });
    expect(approval).not.toHaveBeenCalled();
    expect(await gateOf('nope', {}, { asks: [fingerprint('nope', {})] })).toBeUndefined();
  });
});

it('tells of a tool that it is for looking again', async () => {
  const tool = defineTool({
    name: 'poll',
    description: 'p',
    effect: 'read',
    polling: true,
    input,
    execute: () => 1,
  });
  const [planned] = await planCalls([{ id: 'call_a', name: 'poll', args: '{}' }], {
    ...context(),
    registry: registryOf(tool),
    allowed: ['poll'],
  });
  expect(planned).toEqual({ id: 'call_a', name: 'poll', args: '{}', effect: 'read', polling: true });
});

describe('a call that hands work on', () => {
  const delegate = async (args: object, parts: Partial<PlanContext> = {}) => {
    const registry = registryOf(...tools, delegateTool());
    const call = { id: 'call_a', name: 'delegate', args: JSON.stringify(args) };
    const [planned] = await planCalls([call], {
      ...context(),
      registry,
      allowed: ['look', 'send', 'delegate'],
      ...parts,
    });
    return planned;
  };

  it('may hand on tools that the run has', async () => {
    const args = { goal: 'Look.', tools: ['look', 'delegate'] };
    expect(await delegate(args, { tainted: true })).toEqual({
      id: 'call_a',
      name: 'delegate',
      args: JSON.stringify(args),
      effect: 'read',
      control: { kind: 'delegate', ...args },
    });
  });

  it.each([['hidden'], ['look', 'nope', 'pay']])(
    'may not hand on tools that it has not: %s',
    async (...names) => {
      expect((await delegate({ goal: 'Look.', tools: names }))?.problem).toEqual({
        status: 'invalid_arguments',
        message: expect.stringMatching(/There is no tool .*Use some of: look, send, delegate\./),
      });
    },
  );
});
