import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { systemErrorCode } from '../system-error.js';

/** A holder touches its lock three times in this span; a lock untouched for longer belongs to nobody. */
const STALE_AFTER_MS = 30_000;
const LOOK_AGAIN_MS = 500;

/**
 * Does some work while no other process on this machine does work under the same lock file. The lock of a process that has died, or that
 * stopped touching it for 30 s, is taken over. In a rare race two may then hold it: use it to save work, not for correctness.
 * @param onWait called once when another process holds the lock
 */
export async function withFileLock<T>(
  lockFile: string,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; !(await tryLock(lockFile)); attempt += 1) {
    if (await isAbandoned(lockFile)) {
      await rm(lockFile, { force: true });
      continue;
    }
    if (attempt === 0) onWait();
    await delay(LOOK_AGAIN_MS);
  }
  // The touch fails only when the lock was taken over meanwhile, and then there is nothing left to hold.
  const touching = setInterval(
    () => void utimes(lockFile, new Date(), new Date()).catch(() => undefined),
    STALE_AFTER_MS / 3,
  );
  try {
    return await work();
  } finally {
    clearInterval(touching);
    await rm(lockFile, { force: true });
  }
}

async function tryLock(lockFile: string): Promise<boolean> {
  try {
    await writeFile(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function isAbandoned(lockFile: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(lockFile);
    if (Date.now() - mtimeMs > STALE_AFTER_MS) return true;
    const pid = Number(await readFile(lockFile, 'utf8'));
    // Right after it is made the file is empty for a moment.
    return pid > 0 && !isAlive(pid);
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: alive, but another user's.
    return systemErrorCode(error) === 'EPERM';
  }
}
