import { z } from 'zod';
import * as mini from 'zod/mini';
import { defineControlTool, defineTool, isTool } from '../../../src/adapters/tools/define-tool.js';
import { toolContext } from './tool-harness.js';

const at = { runId: 'run', callId: 's0.c0', tainted: false };
const base = { name: 'ping', description: 'Pings.', input: z.object({}), execute: () => 'pong' };

test('types the arguments from the schema, with no cast by the user', async () => {
  const tool = defineTool({
    name: 'send_invoice',
    description: 'Sends it.',
    input: z.object({ to: z.email(), amountUsd: z.number().default(7) }),
    approval: ({ amountUsd }) => amountUsd > 100,
    execute: async (args, ctx) =>
      `${args.to.toUpperCase()} ${args.amountUsd.toFixed(2)} ${ctx.idempotencyKey} ${ctx.runId}`,
    verify: async (args, ctx) => (args.amountUsd > 1 && ctx.callId === 's0.c0' ? 'executed' : 'unknown'),
  });

  const parsed = tool.parse({ to: 'a@b.co' });

  expect(parsed).toEqual({ ok: true, value: { to: 'a@b.co', amountUsd: 7 } });
  const value = parsed.ok ? parsed.value : undefined;
  await expect(tool.execute(value, toolContext())).resolves.toBe('A@B.CO 7.00 key run');
  await expect(tool.verify?.(value, toolContext())).resolves.toBe('executed');
  await expect(tool.needsApproval(value, at)).resolves.toBe(false);
  await expect(tool.needsApproval({ to: 'a@b.co', amountUsd: 101 }, at)).resolves.toBe(true);
});

test('fills in what is left out with the safe choices', () => {
  const tool = defineTool(base);

  expect(tool).toMatchObject({ effect: 'once', onExpiry: 'wait', expiresInMs: null, timeoutMs: 60_000 });
  expect(tool.verify).toBeUndefined();
  expect(tool.control).toBeUndefined();
});

test('keeps what a definition says beyond that, and nothing that is as usual', () => {
  const unusual = {
    expiresInMs: 20,
    remindInMs: 10,
    approvals: 10,
    separateApprover: true,
    onUnknown: 'tell_model',
    maxAttempts: 1,
    maxParallel: 64,
    untrusted: true,
  } as const;
  const usual = { approvals: 1, separateApprover: false, onUnknown: 'ask', untrusted: false } as const;

  expect(defineTool({ ...base, ...unusual })).toMatchObject(unusual);
  expect(Object.keys(defineTool({ ...base, ...usual }))).toEqual(Object.keys(defineTool(base)));
});

test.each([
  ['once', undefined, true],
  ['idempotent', undefined, false],
  ['read', undefined, false],
  ['once', 'never', false],
  ['read', 'always', true],
] as const)('a tool with effect %s and approval %s asks: %s', async (effect, approval, asks) => {
  const tool = defineTool({ ...base, effect, ...(approval && { approval }) });

  await expect(tool.needsApproval({}, at)).resolves.toBe(asks);
});

test('passes the run and the call to an approval function, and its error on', async () => {
  const seen: unknown[] = [];
  const asking = defineTool({ ...base, approval: async (args, ctx) => seen.push(args, ctx) > 0 });
  const broken = defineTool({
    ...base,
    approval: () => {
      throw new Error('no idea');
    },
  });

  await expect(asking.needsApproval({}, at)).resolves.toBe(true);
  expect(seen).toEqual([{}, at]);
  await expect(broken.needsApproval({}, at)).rejects.toThrow('no idea');
});

test('tells the model of an object schema in which defaulted arguments are optional', () => {
  const tool = defineTool({
    ...base,
    input: z.object({ a: z.string().describe('An a.'), b: z.number().default(1) }),
  });

  expect(tool.spec).toEqual({
    name: 'ping',
    description: 'Pings.',
    parameters: {
      type: 'object',
      properties: { a: { type: 'string', description: 'An a.' }, b: { type: 'number', default: 1 } },
      required: ['a'],
    },
  });
});

test('takes schemas of zod/mini as well', () => {
  const tool = defineTool({ ...base, input: mini.object({ n: mini.number() }) });

  expect(tool.parse({ n: 1 })).toEqual({ ok: true, value: { n: 1 } });
  expect(tool.parse({ n: 'x' })).toMatchObject({ ok: false });
});

test('says in words what is wrong with arguments', () => {
  const tool = defineTool({ ...base, input: z.object({ to: z.email(), nested: z.object({ n: z.int() }) }) });

  expect(tool.parse({ to: 'x', nested: { n: 1.5 } })).toEqual({
    ok: false,
    message: 'to: Invalid email address; nested.n: Invalid input: expected int, received number',
  });
  expect(tool.parse(null)).toEqual({ ok: false, message: 'Invalid input: expected object, received null' });
});

test('cuts a long list of problems', () => {
  const tool = defineTool({ ...base, input: z.object({ list: z.array(z.number()) }) });

  const result = tool.parse({ list: Array.from({ length: 500 }, () => 'x') });

  expect(result).toMatchObject({ ok: false, message: expect.stringMatching(/; and 490 more$/) });
});

test.each([
  [
    'throws',
    z.object({}).refine(() => {
      throw new Error('broken rule');
    }),
  ],
  ['is asynchronous', z.object({}).refine(async () => true)],
])('a refinement that %s is a problem of the arguments, not a crash', (_, input) => {
  expect(defineTool({ ...base, input }).parse({})).toMatchObject({
    ok: false,
    message: expect.stringContaining('could not be checked'),
  });
});

test.each([
  [{ ...base, name: 'two words' }, 'tool "two words": name must be 1 to 64'],
  [{ ...base, name: '' }, 'a tool without a name: name must be'],
  [{ ...base, name: 'x'.repeat(65) }, 'name must be 1 to 64'],
  [{ ...base, name: undefined }, 'a tool without a name: name must be a string'],
  [{ ...base, description: ' ' }, 'description must not be empty'],
  [{ ...base, effect: 'twice' }, "effect must be 'read' or 'idempotent' or 'once'"],
  [{ ...base, approval: true }, 'approval must be'],
  [{ ...base, onExpiry: 'never' }, 'onExpiry must be'],
  [{ ...base, timeoutMs: 0 }, 'timeoutMs must be a whole number'],
  [{ ...base, timeoutMs: '1s' }, 'timeoutMs must be a whole number'],
  [
    { ...base, timeoutMs: 2_147_483_648 },
    'timeoutMs must be a whole number of milliseconds from 1 to 2147483647',
  ],
  [{ ...base, expiresInMs: 1.5 }, 'expiresInMs must be a whole number'],
  [{ ...base, remindInMs: 0 }, 'remindInMs must be a whole number'],
  [{ ...base, remindInMs: 10, expiresInMs: 10 }, 'remindInMs must be below expiresInMs'],
  [{ ...base, approvals: 0 }, 'approvals must be a whole number from 1 to 10'],
  [{ ...base, approvals: 11 }, 'approvals must be a whole number from 1 to 10'],
  [{ ...base, approvals: 1.5 }, 'approvals must be a whole number from 1 to 10'],
  [{ ...base, separateApprover: 'yes' }, 'separateApprover must be true or false'],
  [{ ...base, onUnknown: 'retry' }, "onUnknown must be 'ask' or 'tell_model' or 'land'"],
  [{ ...base, maxAttempts: 0 }, 'maxAttempts must be a whole number from 1 to 20'],
  [{ ...base, maxAttempts: 21 }, 'maxAttempts must be a whole number from 1 to 20'],
  [{ ...base, maxParallel: 0 }, 'maxParallel must be a whole number from 1 to 64'],
  [{ ...base, maxParallel: 65 }, 'maxParallel must be a whole number from 1 to 64'],
  [{ ...base, untrusted: 1 }, 'untrusted must be true or false'],
  [{ ...base, verify: 'yes' }, 'verify must be a function'],
  [{ ...base, execute: undefined }, 'execute must be a function'],
  [{ ...base, input: { type: 'object' } }, 'input must be a zod 4 schema'],
  [{ ...base, input: undefined }, 'input must be a zod 4 schema'],
  [{ ...base, input: z.string() }, 'input must be an object schema'],
  [{ ...base, input: z.union([z.object({}), z.string()]) }, 'input must be an object schema'],
  [{ ...base, input: z.object({ d: z.date() }) }, 'input has no JSON Schema: Date'],
  [undefined, 'a tool without a name'],
])('refuses definition %#, naming the tool and what fits', (definition, words) => {
  expect(() => defineTool(definition as never)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) }),
  );
});

test('names all problems of a definition at once', () => {
  expect(() => defineTool({ ...base, description: '', timeoutMs: -1 })).toThrow(
    /description must not be empty; timeoutMs must/,
  );
});

test('a control tool tells the workflow what to do and cannot be executed', async () => {
  const tool = defineControlTool({
    ...base,
    input: z.object({ question: z.string() }),
    control: ({ question }) => ({ kind: 'ask', question }),
  });

  expect(tool.control?.({ question: 'why?' })).toEqual({ kind: 'ask', question: 'why?' });
  await expect(tool.execute({}, toolContext())).rejects.toMatchObject({ code: 'TOOL_FAILED' });
});

test('recognises tools by their shape, so that another copy of the package does not matter', () => {
  expect(isTool({ ...defineTool(base) })).toBe(true);
  const { spec, parse, needsApproval, execute } = defineTool(base);
  expect(isTool({ spec, parse, needsApproval, execute })).toBe(true);
  for (const other of [null, 'ping', {}, base, { spec: { name: 'x' } }]) expect(isTool(other)).toBe(false);
});
