import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AgentError } from '../../core/errors.js';
import type { BlobPort } from '../../ports/blobs.js';
import { systemErrorCode } from '../system-error.js';
import { contentKey, contentKeyHex } from './content-key.js';

/**
 * Blobs as files `<dir>/<first two hex digits>/<64 hex digits>`, mode 0600, in directories of mode 0700.
 * A file appears under its name only when it is whole and on disk, so a crash leaves no half blob behind.
 * @param dir made when missing
 */
export function createFileBlobs(dir: string): BlobPort {
  const pathOf = (hex: string): string => join(dir, hex.slice(0, 2), hex);

  return {
    async put(bytes) {
      const key = contentKey(bytes);
      const path = pathOf(key.slice('sha256-'.length));
      if ((await sizeOf(path)) !== bytes.byteLength) await writeWhole(path, bytes);
      return key;
    },

    async get(key) {
      const hex = contentKeyHex(key);
      if (hex === null) return null;
      const bytes = await readIfThere(pathOf(hex));
      if (bytes !== null && contentKey(bytes) !== key) {
        throw new AgentError(
          'CONFIG_INVALID',
          `Blob ${key} is damaged: its bytes do not fit its hash. Restore the file ${pathOf(hex)} from a backup.`,
          {
            details: { key },
          },
        );
      }
      return bytes;
    },
  };
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

async function readIfThere(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const shard = dirname(path);
  await mkdir(shard, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(shard);
}

/** The new name itself must survive a power cut: history will refer to it. Windows cannot sync directories and needs no such step. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
