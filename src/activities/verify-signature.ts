import { createPublicKey, verify } from 'node:crypto';
import { parseApprover, type Approver } from '../core/human/approvers.js';

/** 64 bytes in base64, written in the only canonical way: the last digit has four bits to spare. */
const SIGNATURE = /^[A-Za-z0-9+/]{85}[AQgw]==$/;

/** Whether a text can be an Ed25519 signature at all. */
export function isSignature(text: string): boolean {
  return SIGNATURE.test(text);
}

/**
 * Which of the approvers signed these bytes, or `null`. Lines that name nobody are passed over.
 * @param signature base64, see {@link isSignature}.
 */
export function signerOf(bytes: Uint8Array, signature: string, lines: readonly string[]): Approver | null {
  if (!isSignature(signature)) return null;
  const raw = Buffer.from(signature, 'base64');
  for (const line of lines) {
    const approver = parseApprover(line);
    if (approver && verify(null, bytes, publicKeyOf(approver), raw)) return approver;
  }
  return null;
}

function publicKeyOf({ key }: Approver) {
  const x = Buffer.from(key, 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
