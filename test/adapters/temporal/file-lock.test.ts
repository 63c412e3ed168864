import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withFileLock } from '../../../src/adapters/temporal/file-lock.js';

let dir: string;
let lockFile: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'longhaul-lock-'));
  lockFile = join(dir, 'lock');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('a file lock', () => {
  test('lets one do its work at a time and tells the others that they wait', async () => {
    let inside = 0;
    let most = 0;
    const onWait = jest.fn();
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withFileLock(lockFile, onWait, work)));
    expect(most).toBe(1);
    expect(onWait.mock.calls.length).toBeGreaterThanOrEqual(2);
    expect(existsSync(lockFile)).toBe(false);
  });

  test('is free again when the work fails', async () => {
    await expect(
      withFileLock(lockFile, jest.fn(), () => Promise.reject(new Error('failed work'))),
    ).rejects.toThrow('failed work');
    expect(existsSync(lockFile)).toBe(false);
  });

  test.each([
    ['whose process is gone', '4194999', 0],
    ['that a live process has not touched for long', String(process.pid), 60],
  ])('%s is taken over at once', async (_, holder, ageSeconds) => {
    await writeFile(lockFile, holder);
    const touchedAt = Date.now() / 1000 - ageSeconds;
    await utimes(lockFile, touchedAt, touchedAt);
    const onWait = jest.fn();
    expect(await withFileLock(lockFile, onWait, async () => 'done')).toBe('done');
    expect(onWait).not.toHaveBeenCalled();
  });
});
