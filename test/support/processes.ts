import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** The processes with this word among their arguments. */
export function pidsNamed(word: string): number[] {
  return readdirSync('/proc')
    .filter((name) => {
      try {
        return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').includes(word);
      } catch {
        return false; // It ended meanwhile.
      }
    })
    .map(Number);
}

/** Waits until so many processes have this word among their arguments. Nothing tells of those that are no children of this one. */
export async function untilNamed(word: string, count: number): Promise<number[]> {
  for (;;) {
    const pids = pidsNamed(word);
    if (pids.length === count) return pids;
    await delay(20);
  }
}
