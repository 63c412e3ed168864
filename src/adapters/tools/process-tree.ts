import { readdirSync, readFileSync } from 'node:fs';

/** What a process and all below it use at a moment. */
export interface TreeUsage {
  /** Threads count as processes, as for the kernel's own limit. */
  processes: number;
  /** Resident memory that is not part of a file. What processes share counts for each of them. */
  memoryBytes: number;
}

/**
 * Looks at processes and all below them. Nothing where there is no `/proc`.
 * @param enough stops looking when there are more processes than this, so that a fork bomb costs no more than others
 */
export function usageOf(rootPids: readonly number[], enough: number): TreeUsage {
  const usage = { processes: 0, memoryBytes: 0 };
  const pids = new Set(rootPids);
  // What is added to the set on the way is come by as well.
  for (const pid of pids) {
    if (usage.processes > enough) break;
    const status = readOr(`/proc/${pid}/status`, '');
    const numberOf = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    usage.processes += numberOf('Threads');
    usage.memoryBytes += (numberOf('RssAnon') + numberOf('RssShmem')) * 1024;
    for (const tid of listOr(`/proc/${pid}/task`)) {
      const children = readOr(`/proc/${pid}/task/${tid}/children`, '').split(' ').filter(Boolean);
      for (const child of children) pids.add(Number(child));
    }
  }
  return usage;
}

/** How many threads the whole system has. */
export function systemThreads(): number {
  return Number(/\/(\d+)/.exec(readOr('/proc/loadavg', ''))?.[1] ?? 0);
}

/** The processes that were started with this text in their environment, wherever they have gone since; of many only `enough`. */
export function markedProcesses(marker: string, enough: number): number[] {
  const marked: number[] = [];
  for (const name of listOr('/proc')) {
    if (marked.length >= enough) break;
    if (/^\d+$/.test(name) && readOr(`/proc/${name}/environ`, '').includes(marker)) marked.push(Number(name));
  }
  return marked;
}

/** Signals a process, or with a negative number a group of them; nothing when it is gone, or this user may not. */
export function signalProcess(pid: number, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Both are nothing that could be mended here.
  }
}

/** Processes end while they are looked at, and those of others are closed: both count as nothing. */
function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return fallback;
  }
}

function listOr(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
