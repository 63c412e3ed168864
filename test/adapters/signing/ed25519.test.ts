import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { inspect } from 'node:util';
import { generateApproverKey, readApprover, signBytes } from '../../../src/adapters/signing/ed25519.js';
import { signDecision, signStatement } from '../../../src/adapters/signing/sign-statement.js';
import { statementText, type Statement } from '../../../src/core/human/statement.js';
import { RFC_8032, pemOfSeed } from '../../support/ed25519-vectors.js';

const STATEMENT: Statement = {
  runId: 'run-1',
  callId: 's0.c0',
  argsHash: 'sha256:00',
  requestedAt: '2026-01-01T00:00:00.000Z',
  decision: 'approve',
  args: { b: 'ü', a: 1 },
  text: 'Fine.',
};

describe('a pair of keys', () => {
  it('signs what its own line verifies, under a name or without one', () => {
    for (const name of [undefined, 'Ada Lovelace']) {
      const { approver, privateKeyPem } = generateApproverKey(name);
      expect(approver).toMatch(name === undefined ? /^ed25519:\S{44}$/ : /^ed25519:\S{44} Ada Lovelace$/);
      const read = readApprover(approver);
      expect(read.name).toBe(name ?? null);
      const signature = Buffer.from(signStatement(STATEMENT, privateKeyPem), 'base64');
      expect(signature).toHaveLength(64);
      expect(verify(null, Buffer.from(statementText(STATEMENT)), read.publicKey, signature)).toBe(true);
      expect(createPublicKey(privateKeyPem).equals(read.publicKey)).toBe(true);
    }
  });

  it('is another one each time', () => {
    expect(generateApproverKey().approver).not.toBe(generateApproverKey().approver);
  });

  test.each(['', ' a', 'a\nb', 'x'.repeat(101)])('is not made for the name %j', (name) => {
    expect(() => generateApproverKey(name)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });
});

test.each(RFC_8032)('signs as RFC 8032 §7.1 has it: $title', ({ seed, publicKey, message, signature }) => {
  expect(Buffer.from(signBytes(message, pemOfSeed(seed)), 'base64')).toEqual(signature);
  const line = `ed25519:${publicKey.toString('base64')}`;
  expect(readApprover(line).publicKey.equals(createPublicKey(pemOfSeed(seed)))).toBe(true);
});

it('signs a decision as the statement that it comes to', () => {
  const { privateKeyPem } = generateApproverKey();
  const { runId, callId, argsHash, requestedAt, ...choice } = STATEMENT;
  const item = {
    kind: 'decision' as const,
    callId,
    tool: 'pay',
    args: {},
    argsHash,
    summary: '',
    requestedAt,
    expiresAt: null,
  };
  expect(signDecision({ runId, item, ...choice }, privateKeyPem)).toBe(
    signStatement(STATEMENT, privateKeyPem),
  );
});

const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;

test.each([
  ['nothing', ''],
  ['text', 'secret words'],
  ['a truncated key', generateApproverKey().privateKeyPem.slice(0, 60)],
  ['a key of another kind', generateKeyPairSync('x25519').privateKey.export(pkcs8).toString()],
  [
    'a public key',
    createPublicKey(generateApproverKey().privateKeyPem).export({ type: 'spki', format: 'pem' }).toString(),
  ],
  [
    'a key under a passphrase',
    generateKeyPairSync('ed25519')
      .privateKey.export({ ...pkcs8, cipher: 'aes-256-cbc', passphrase: 'p' })
      .toString(),
  ],
])('does not sign with %s, and does not repeat it', (_what, pem) => {
  let caught: unknown;
  try {
    signStatement(STATEMENT, pem);
  } catch (error) {
    caught = error;
  }
  expect(caught).toMatchObject({ code: 'INPUT_INVALID' });
  const [first = '', secret = first] = pem.split('\n');
  if (secret !== '') expect(inspect(caught)).not.toContain(secret);
});

it('tells a line that names nobody', () => {
  expect(() => readApprover('ssh-ed25519 AAAA')).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
});
