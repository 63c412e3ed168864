import { mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createFileBlobs } from '../../../src/adapters/blobs/file-blobs.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'longhaul-blobs-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const pathOf = (key: string): string => join(dir, key.slice(7, 9), key.slice(7));

describe('file blobs', () => {
  test('give back any bytes under a key that is the hash of their content', async () => {
    const blobs = createFileBlobs(dir);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (bytes) => {
        expect(Buffer.from((await blobs.get(await blobs.put(bytes))) ?? []).equals(bytes)).toBe(true);
      }),
      { numRuns: 30 },
    );
    expect(await blobs.put(Buffer.from('abc'))).toBe(
      'sha256-ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  test('are readable by their owner alone and leave nothing else behind', async () => {
    const key = await createFileBlobs(dir).put(Buffer.from('secret'));
    expect((await stat(pathOf(key))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, key.slice(7, 9)))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(dir, key.slice(7, 9)))).toEqual([key.slice(7)]);
  });

  test('are not written again when they are there', async () => {
    const blobs = createFileBlobs(dir);
    const key = await blobs.put(Buffer.from('once'));
    await utimes(pathOf(key), 1, 1);
    expect(await blobs.put(Buffer.from('once'))).toBe(key);
    expect((await stat(pathOf(key))).mtimeMs).toBe(1_000);
  });

  test('survive being put many times at once', async () => {
    const blobs = createFileBlobs(dir);
    const keys = await Promise.all(Array.from({ length: 20 }, () => blobs.put(Buffer.alloc(100_000, 7))));
    expect(new Set(keys).size).toBe(1);
    expect((await blobs.get(keys[0] ?? ''))?.byteLength).toBe(100_000);
    expect(await readdir(join(dir, (keys[0] ?? '').slice(7, 9)))).toHaveLength(1);
  });

  test('are refused when their bytes are damaged', async () => {
    const blobs = createFileBlobs(dir);
    const key = await blobs.put(Buffer.from('whole'));
    await writeFile(pathOf(key), 'WHOLE');
    await expect(blobs.get(key)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(key),
      details: { key },
    });
  });

  test('are mended by putting them again after they were cut short', async () => {
    const blobs = createFileBlobs(dir);
    const key = await blobs.put(Buffer.from('whole'));
    await truncate(pathOf(key), 2);
    await blobs.put(Buffer.from('whole'));
    expect((await readFile(pathOf(key))).toString()).toBe('whole');
  });

  test('that are not there, and texts that are no key, give null', async () => {
    const blobs = createFileBlobs(dir);
    await writeFile(join(dir, 'outside'), 'x');
    for (const key of [
      `sha256-${'0'.repeat(64)}`,
      '',
      '../outside',
      `sha256-../../${'a'.repeat(58)}`,
      `SHA256-${'0'.repeat(64)}`,
    ]) {
      expect(await blobs.get(key)).toBeNull();
    }
  });
});
