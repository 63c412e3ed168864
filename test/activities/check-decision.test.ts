import fc from 'fast-check';
import { z } from 'zod';
import { createCheckDecision } from '../../src/activities/check-decision.js';
import { signerOf } from '../../src/activities/verify-signature.js';
import { generateApproverKey } from '../../src/adapters/signing/ed25519.js';
import { signStatement } from '../../src/adapters/signing/sign-statement.js';
import { defineControlTool, defineTool } from '../../src/adapters/tools/define-tool.js';
import type { JsonObject } from '../../src/core/json.js';
import type { CheckDecisionInput, Statement } from '../../src/core/human/statement.js';
import { RFC_8032 } from '../support/ed25519-vectors.js';
import { environmentOf, FakeRun, registryOf } from './support/activity-world.js';

const ada = generateApproverKey('Ada');
const nameless = generateApproverKey();
const stranger = generateApproverKey('Ada');

const tools = registryOf(
  defineTool({
    name: 'pay',
    description: 'p',
    input: z.object({ usd: z.number() }),
    execute: () => 1,
  }),
  defineControlTool({
    name: 'wait',
    description: 'w',
    effect: 'read',
    input: z.object({ ms: z.number() }),
    control: ({ ms }) => ({ kind: 'wait', durationMs: ms }),
  }),
);

const STATEMENT: Statement = {
  runId: 'run-1',
  callId: 's0.c0',
  argsHash: 'sha256:00',
  requestedAt: '2026-01-01T00:00:00.000Z',
  decision: 'approve',
};

/** What the activity says to a decision of which some is given, signed by Ada unless said otherwise. */
function check(
  given: Partial<CheckDecisionInput> = {},
  approvers: string[] = [nameless.approver, ada.approver],
) {
  const run = new FakeRun();
  run.current = { ...run.current, input: { goal: 'x', approvers } };
  const statement = given.statement ?? STATEMENT;
  const signature = given.signature ?? signStatement(statement, ada.privateKeyPem);
  const activity = createCheckDecision({ tools });
  return environmentOf(run).run(activity, { name: 'pay', ...given, statement, signature });
}

const invalid = (message: RegExp) => ({
  ok: false,
  code: 'SIGNATURE_INVALID',
  message: expect.stringMatching(message),
});

/** A decision with other arguments, signed. */
const edited = (args: JsonObject, name = 'pay') => check({ name, args, statement: { ...STATEMENT, args } });

it('says who signed, by name or by the key of one without', async () => {
  expect(await check()).toEqual({ ok: true, approver: 'Ada' });
  const signature = signStatement(STATEMENT, nameless.privateKeyPem);
  expect(await check({ signature })).toEqual({ ok: true, approver: nameless.approver });
});

it.each<[string, Partial<Statement>]>([
  ['another run', { runId: 'run-2' }],
  ['another call', { callId: 's0.c1' }],
  ['other arguments', { argsHash: 'sha256:01' }],
  ['no arguments', { argsHash: null }],
  ['an earlier request', { requestedAt: '2025-12-31T00:00:00.000Z' }],
  ['a no', { decision: 'reject' }],
  ['an answer', { decision: 'answer' }],
  ['every call of the tool', { scope: 'run' }],
  ['a note', { text: 'Fine.' }],
  ['edited arguments', { args: { usd: 1 } }],
])('takes no signature that was made for %s', async (_what, other) => {
  const signature = signStatement({ ...STATEMENT, ...other }, ada.privateKeyPem);
  expect(await check({ signature })).toEqual(invalid(/None of the approvers has signed this/));
});

it('takes no signature of anybody else, whatever the name', async () => {
  const signature = signStatement(STATEMENT, stranger.privateKeyPem);
  expect(await check({ signature })).toEqual(invalid(/None of the approvers/));
});

const genuine = signStatement(STATEMENT, ada.privateKeyPem);

it.each([
  ['nothing', ''],
  ['no base64', '!'.repeat(88)],
  ['a truncated one', genuine.slice(0, 44)],
  ['one without its padding', genuine.replace(/=+$/, '')],
  ['one with more behind it', `${genuine}AAAA`],
  ['one with a line break', `${genuine}\n`],
  ['one in the digits of URLs', `-_${genuine.slice(2)}`],
  ['63 bytes', Buffer.alloc(63, 7).toString('base64')],
  ['65 bytes', Buffer.alloc(65, 7).toString('base64')],
])('takes no signature that is malformed: %s', async (_what, signature) => {
  expect(await check({ signature })).toEqual(invalid(/not 64 bytes in base64/));
});

it('takes no forgery: zeros, and a signature with any bit turned', async () => {
  expect(await check({ signature: Buffer.alloc(64).toString('base64') })).toEqual(invalid(/None/));
  expect(await check({ signature: genuine })).toMatchObject({ ok: true });
  await fc.assert(
    fc.asyncProperty(fc.nat(511), async (bit) => {
      const bytes = Buffer.from(genuine, 'base64');
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(await check({ signature: bytes.toString('base64') })).toEqual(invalid(/None/));
    }),
    { numRuns: 60 },
  );
});

/** L of RFC 8032 §5.1. */
const GROUP_ORDER = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;

it('takes no second form of a genuine signature', async () => {
  const bytes = Buffer.from(genuine, 'base64');
  const scalar = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + GROUP_ORDER;
  const second = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse();
  const signature = Buffer.concat([bytes.subarray(0, 32), second]).toString('base64');
  expect(await check({ signature })).toEqual(invalid(/None/));
});

it.each([[undefined], [[]]])('takes no signature for a run with the approvers %j', async (approvers) => {
  const run = new FakeRun();
  run.current = { ...run.current, input: { goal: 'x', ...(approvers && { approvers }) } };
  const activity = createCheckDecision({ tools });
  const input = { name: 'pay', statement: STATEMENT, signature: genuine };
  expect(await environmentOf(run).run(activity, input)).toEqual(invalid(/has no approvers/));
});

it('passes over lines that name nobody', async () => {
  const zeros = `ed25519:${Buffer.alloc(32).toString('base64')}`;
  expect(await check({}, ['', 'Ada', zeros, ada.approver])).toEqual({ ok: true, approver: 'Ada' });
  expect(await check({}, ['', 'Ada', zeros])).toEqual(invalid(/None/));
});

it('hands on edited arguments that fit, as the check of unsigned ones does', async () => {
  expect(await edited({ usd: 5 })).toEqual({
    ok: true,
    approver: 'Ada',
    edit: { args: '{"usd":5}', argsHash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
  });
  expect(await edited({ ms: 9 }, 'wait')).toMatchObject({
    ok: true,
    edit: { control: { kind: 'wait', durationMs: 9 } },
  });
});

it('takes the same arguments in another order', async () => {
  const signature = signStatement({ ...STATEMENT, args: { usd: 5, to: { b: 1, a: 2 } } }, ada.privateKeyPem);
  const args = { to: { a: 2, b: 1 }, usd: 5 };
  expect(await check({ args, statement: { ...STATEMENT, args }, signature })).toMatchObject({ ok: true });
});

it('refuses edited arguments that do not fit', async () => {
  expect(await edited({ usd: 'much' })).toEqual({
    ok: false,
    code: 'ARGS_INVALID',
    message: expect.stringContaining('usd'),
  });
});

it('tells nobody without a signature what fits', async () => {
  const args = { usd: 'much' };
  const signature = signStatement({ ...STATEMENT, args }, stranger.privateKeyPem);
  expect(await check({ args, statement: { ...STATEMENT, args }, signature })).toEqual(invalid(/None/));
});

it.each<[string, Partial<CheckDecisionInput>]>([
  ['others', { args: { usd: 9 }, statement: { ...STATEMENT, args: { usd: 5 } } }],
  ['none', { statement: { ...STATEMENT, args: { usd: 5 } } }],
  ['some that were not signed', { args: { usd: 5 } }],
])('runs no other arguments than those signed: %s', async (_what, given) => {
  expect(await check(given)).toEqual(invalid(/other arguments/));
});

it('leaves a tool that it does not have to another worker', async () => {
  await expect(edited({ usd: 5 }, 'nope')).rejects.toMatchObject({
    type: 'TOOL_UNKNOWN',
    nonRetryable: false,
  });
});

describe('signerOf', () => {
  const line = (key: Buffer) => `ed25519:${key.toString('base64')}`;

  it.each(RFC_8032)('verifies as RFC 8032 §7.1 has it: $title', ({ publicKey, message, signature }) => {
    const text = signature.toString('base64');
    expect(signerOf(message, text, [line(publicKey)])).toEqual({
      key: publicKey.toString('base64'),
      name: null,
    });
    expect(signerOf(Buffer.concat([message, Buffer.from([0])]), text, [line(publicKey)])).toBeNull();
  });

  it('gives one key one name, whatever the lines', () => {
    const [first] = RFC_8032;
    if (!first) throw new Error('There is a vector.');
    const { publicKey, message, signature } = first;
    const lines = [`${line(publicKey)} Ada`, `${line(publicKey)} Bob`];
    expect(signerOf(message, signature.toString('base64'), lines)?.name).toBe('Ada');
  });
});
