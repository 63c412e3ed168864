import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import {
  isApproverName,
  MAX_APPROVER_NAME_CHARS,
  parseApprover,
  type ApproverKey,
} from '../../core/human/approvers.js';
import { AgentError } from '../../core/errors.js';

/**
 * Makes a pair of Ed25519 keys.
 * @param name whom decisions name: 1 to 100 characters, no control characters. Without one they name the key.
 * @throws AgentError `INPUT_INVALID` when the name does not fit
 */
export function generateApproverKey(name?: string): ApproverKey {
  if (name !== undefined && !isApproverName(name))
    throw new AgentError(
      'INPUT_INVALID',
      `The name of an approver has 1 to ${MAX_APPROVER_NAME_CHARS} characters, no control characters and no blanks around it.`,
    );
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const key = Buffer.from(x, 'base64url').toString('base64');
  return {
    privateKeyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    approver: `ed25519:${key}${name === undefined ? '' : ` ${name}`}`,
  };
}

/**
 * Reads a line that names an approver.
 * @throws AgentError `INPUT_INVALID` when it is none
 */
export function readApprover(line: string): { publicKey: KeyObject; name: string | null } {
  const approver = parseApprover(line);
  if (!approver)
    throw new AgentError(
      'INPUT_INVALID',
      'An approver is a line such as "ed25519:<43 characters>= name", as `longhaul keys` prints it.',
    );
  const x = Buffer.from(approver.key, 'base64').toString('base64url');
  return {
    publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
    name: approver.name,
  };
}

/**
 * Signs bytes.
 * @param privateKeyPem an Ed25519 key, PKCS#8 in PEM.
 * @returns 64 bytes in base64.
 * @throws AgentError `INPUT_INVALID` when it is no such key
 */
export function signBytes(bytes: Uint8Array, privateKeyPem: string): string {
  return sign(null, bytes, readPrivateKey(privateKeyPem)).toString('base64');
}

function readPrivateKey(pem: string): KeyObject {
  let key: KeyObject | null = null;
  try {
    key = createPrivateKey(pem);
  } catch {
    // What is wrong with it is not repeated: it may quote the key.
  }
  if (key?.asymmetricKeyType === 'ed25519') return key;
  throw new AgentError(
    'INPUT_INVALID',
    'The key to sign with must be an Ed25519 private key, PKCS#8 in PEM, without a passphrase. Make one: longhaul keys',
  );
}
