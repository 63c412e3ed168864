import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Which model a demo runs on. Runs of one kind are never taken up with the other. */
export type Mode = 'stand-in' | 'openrouter';

/** What a demo leaves behind for the next one. */
export interface DemoState {
  /** The newest run of each kind; it may have ended. */
  runs: Partial<Record<Mode, string>>;
  /** Processes that were started. They end with the demo that started them, which takes up to 5 s when it was killed. */
  pids: number[];
}

/** As long as the watcher of a server process takes to end it by force, and some. */
const LEFTOVER_TIMEOUT_MS = 12_000;
const LOOK_EVERY_MS = 100;

/** What the last demo left; nothing where there was none. */
export async function readState(dir: string): Promise<DemoState> {
  try {
    // Written by `writeState`, in whole or not at all.
    return JSON.parse(await readFile(fileIn(dir), 'utf8')) as DemoState;
  } catch {
    return { runs: {}, pids: [] };
  }
}

/** Keeps it for the next demo. */
export async function writeState(dir: string, state: DemoState): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(`${fileIn(dir)}.tmp`, JSON.stringify(state));
  await rename(`${fileIn(dir)}.tmp`, fileIn(dir));
}

/** Waits until the processes of a demo that was killed are gone, so that ports and database are free again. */
export async function waitForLeftovers({ pids }: DemoState, onWait: () => void): Promise<void> {
  const deadlineMs = Date.now() + LEFTOVER_TIMEOUT_MS;
  if (pids.some(isAlive)) onWait();
  while (pids.some(isAlive) && Date.now() < deadlineMs) await delay(LOOK_EVERY_MS);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function fileIn(dir: string): string {
  return join(dir, 'state.json');
}
