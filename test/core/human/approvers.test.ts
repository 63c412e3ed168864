import { createPublicKey, verify } from 'node:crypto';
import fc from 'fast-check';
import { approverId, isApprover, parseApprover } from '../../../src/core/human/approvers.js';

const KEY = '11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';

const toLine = (key: Uint8Array, name?: string) =>
  `ed25519:${Buffer.from(key).toString('base64')}${name === undefined ? '' : ` ${name}`}`;

it('reads any key of 32 bytes, with and without a name', () => {
  const keys = fc.uint8Array({ minLength: 32, maxLength: 32, min: 1, max: 127 });
  const names = fc.option(fc.stringMatching(/^[\p{L}][\p{L} ]{0,20}[\p{L}]$/u), { nil: undefined });
  fc.assert(
    fc.property(keys, names, (key, name) => {
      const line = toLine(key, name);
      expect(parseApprover(line)).toEqual({
        key: Buffer.from(key).toString('base64'),
        name: name ?? null,
      });
    }),
  );
});

it('takes no key of another length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70, min: 1, max: 127 }), (key) => {
      expect(isApprover(toLine(key))).toBe(key.length === 32);
    }),
  );
});

test.each([
  '',
  KEY,
  `ed25519:${KEY.slice(0, -1)}`,
  `ed25519:${KEY.replace('=', '')}A=`,
  // The same bytes in other digits: one key must not pass for two.
  `ed25519:${KEY.replace('o=', 'p=')}`,
  `ed25519:${KEY.replace('/', '_')}`,
  `ed25519:${KEY}name`,
  `ed25519:${KEY} `,
  `ed25519:${KEY}  name`,
  `ed25519:${KEY} name `,
  `ed25519:${KEY} two\nlines`,
  `ed25519:${KEY} bell\u0007`,
  `ed25519:${KEY} \u202eecila`,
  `ed25519:${KEY} ${'x'.repeat(101)}`,
  `ed25519:${KEY}\n`,
  ` ed25519:${KEY}`,
  `ED25519:${KEY}`,
  `ssh-ed25519 ${KEY}`,
  null,
  7,
  [`ed25519:${KEY}`],
])('%j names nobody', (line) => {
  expect(isApprover(line)).toBe(false);
});

it('calls an approver by name, or by the key', () => {
  expect(approverId({ key: KEY, name: 'Ada' })).toBe('Ada');
  expect(approverId({ key: KEY, name: null })).toBe(`ed25519:${KEY}`);
});

/** y of the points of small order (RFC 8032 §5.1), and what is the same modulo p. */
const P = 2n ** 255n - 19n;
const ORDER_8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
const SMALL_ORDER = [0n, 1n, ORDER_8, P - ORDER_8, P - 1n, P, P + 1n].flatMap((y) => [y, y + 2n ** 255n]);

test.each(SMALL_ORDER)('a key of small order, y = %s, names nobody, as anybody can sign for it', (y) => {
  const key = Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse();
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') };
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
  // The neutral point and 0: made without any private key.
  const forged = Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]);
  const messages = Array.from({ length: 200 }, (_, index) => Buffer.from(`message ${index}`));
  expect(messages.some((message) => verify(null, message, publicKey, forged))).toBe(true);
  expect(isApprover(toLine(key))).toBe(false);
});
