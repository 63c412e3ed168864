import { AgentError } from '../../core/errors.js';

/** An AES-256 key and the name under which payloads refer to it. */
export interface EncryptionKey {
  id: string;
  /** 32 bytes. */
  key: Buffer;
}

const KEY_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * Reads `id:base64,…` (`LONGHAUL_ENCRYPTION_KEYS`). The first key encrypts, all decrypt, so a key is replaced by putting a new one in front.
 * @throws CONFIG_INVALID for a bad id, a key that is not 32 bytes, or an id given twice. The message never holds key material.
 */
export function parseEncryptionKeys(text: string): EncryptionKey[] {
  const keys = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map(parseKey);
  const ids = new Set(keys.map(({ id }) => id));
  if (ids.size !== keys.length) throw invalid('names a key id twice. Give every key its own id.');
  return keys;
}

function parseKey(entry: string, index: number): EncryptionKey {
  const colon = entry.indexOf(':');
  const id = entry.slice(0, Math.max(colon, 0));
  if (!KEY_ID.test(id))
    throw invalid(
      `has no usable id in entry ${index + 1}. Write id:base64 with an id of letters, digits, dots, dashes or underscores.`,
    );
  const key = Buffer.from(entry.slice(colon + 1), 'base64');
  if (key.byteLength !== KEY_BYTES)
    throw invalid(
      `has a key "${id}" of ${key.byteLength} bytes. It takes ${KEY_BYTES}: openssl rand -base64 ${KEY_BYTES}`,
    );
  return { id, key };
}

const invalid = (problem: string): AgentError =>
  new AgentError('CONFIG_INVALID', `LONGHAUL_ENCRYPTION_KEYS ${problem}`);
