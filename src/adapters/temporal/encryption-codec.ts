import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { AgentError } from '../../core/errors.js';
import type { EncryptionKey } from '../../ports/encryption.js';
import { metadataText, payloadEncoding, payloadFromBytes, payloadToBytes } from './payload-bytes.js';

const ENCODING = 'binary/encrypted';
const KEY_ID_METADATA = 'encryption-key-id';
const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** What the codec works with. */
export interface EncryptionOptions {
  /** The first encrypts, all decrypt. Without any, payloads leave as they are, and encrypted ones are refused with a clear error. */
  keys: readonly EncryptionKey[];
  /** From this size on (bytes), equal payloads give equal bytes. */
  stableFromBytes: number;
}

/**
 * Encrypts whole payloads with AES-256-GCM: data is iv, ciphertext, tag; the key's id stands in the metadata.
 *
 * A replaying worker encodes again what history already has. With a random iv, each replay of a large payload would leave another
 * blob in external storage; so from `stableFromBytes` on the iv is a keyed hash of the content. That shows only whether two such
 * payloads are equal. Smaller ones, where that could tell something, get a random iv.
 */
export function createEncryptionCodec({ keys, stableFromBytes }: EncryptionOptions): PayloadCodec {
  const [first] = keys;
  const byId = new Map(keys.map(({ id, key }) => [id, key]));
  return {
    async encode(payloads) {
      return first === undefined
        ? payloads
        : payloads.map((payload) => encrypt(payload, first, stableFromBytes));
    },
    async decode(payloads) {
      return payloads.map((payload) =>
        payloadEncoding(payload) === ENCODING ? decrypt(payload, byId) : payload,
      );
    },
  };
}

function encrypt(payload: Payload, { id, key }: EncryptionKey, stableFromBytes: number): Payload {
  const bytes = payloadToBytes(payload);
  const iv = bytes.byteLength >= stableFromBytes ? contentIv(key, bytes) : randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv);
  const data = Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  return { metadata: { encoding: Buffer.from(ENCODING), [KEY_ID_METADATA]: Buffer.from(id) }, data };
}

function contentIv(key: Buffer, bytes: Uint8Array): Buffer {
  const ivKey = Buffer.from(hkdfSync('sha256', key, '', 'longhaul payload iv', 32));
  return createHmac('sha256', ivKey).update(bytes).digest().subarray(0, IV_BYTES);
}

function decrypt(payload: Payload, byId: ReadonlyMap<string, Buffer>): Payload {
  const keyId = metadataText(payload, KEY_ID_METADATA);
  const key = byId.get(keyId);
  if (key === undefined) {
    throw new AgentError(
      'CONFIG_INVALID',
      `A payload is encrypted with key "${keyId}", which LONGHAUL_ENCRYPTION_KEYS does not have. Add that key behind the first.`,
      {
        details: { keyId },
      },
    );
  }
  const data = Buffer.from(payload.data ?? []);
  try {
    const decipher = createDecipheriv(CIPHER, key, data.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(data.subarray(-TAG_BYTES));
    return payloadFromBytes(
      Buffer.concat([decipher.update(data.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]),
    );
  } catch (cause) {
    throw new AgentError(
      'CONFIG_INVALID',
      `A payload cannot be decrypted: key "${keyId}" is not the one that encrypted it, or the payload was changed. Correct LONGHAUL_ENCRYPTION_KEYS.`,
      {
        details: { keyId },
        cause,
      },
    );
  }
}
