import { createHash } from 'node:crypto';

const CONTENT_KEY = /^sha256-([0-9a-f]{64})$/;

/** The key of bytes: `sha256-<hex>`. */
export function contentKey(bytes: Uint8Array): string {
  return `sha256-${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The hex digits of a key, or `null` when a text is no key. A key comes from outside and becomes part of a path. */
export function contentKeyHex(key: string): string | null {
  return CONTENT_KEY.exec(key)?.[1] ?? null;
}
