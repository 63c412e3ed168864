import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { OutputWindow } from './output-window.js';
import { markedProcesses, signalProcess, systemThreads, usageOf } from './process-tree.js';

/** How to start a process. */
export interface Launch {
  file: string;
  args: readonly string[];
  cwd: string;
  /** All of its environment. */
  env: Readonly<Record<string, string>>;
  /** Handed down as file descriptors from 3. */
  descriptors?: readonly number[];
  /** Stands in `env`. What carries it is killed at the end, even when it has left the process group. */
  marker?: string;
}

/** What a process and all that it starts may use. */
export interface ProcessLimits {
  /** All together, looked at many times a second. */
  memoryBytes: number;
  /** All together, threads included. */
  processes: number;
}

/** How a process ended. */
export interface ProcessOutcome {
  /** As shells have it: 128 and more for a signal. */
  exitCode: number;
  /** Why it was killed; `null` when it ended by itself. */
  killedFor: 'time' | 'memory' | 'processes' | null;
  stdout: OutputWindow;
  stderr: OutputWindow;
  durationMs: number;
}

/**
 * The worker comes first where the machine is busy, and goes last where it runs out of memory. Done by the process itself, because what
 * it starts at once would not inherit it from outside.
 */
const YIELD = '{ echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null; exec nice -n 10 "$@"';

const KEPT_BYTES = 128 * 1024;
const KEPT_ERROR_BYTES = 4 * 1024;
/** A fork bomb makes some thousand processes in a second: seen this early it is a few hundred. */
const TICK_MS = 25;
/** Where looking takes long, because there are many processes or the machine is busy, it is done less often, up to this. */
const MAX_TICK_MS = 200;
const LOOKING_SHARE = 0.2;
const LINE_INTERVAL_MS = 500;
/** More is left in the pipe, so that a flood of output does not keep the worker from its other work. */
const MAX_BYTES_PER_TICK = 2 * 1024 * 1024;
const MAX_LINE_BYTES = 400;
const MAX_KILL_ROUNDS = 10;
/** For what is in the pipe when the process has ended, and for the kernel to end what was killed. */
const DRAIN_MS = 2_000;

/**
 * Runs a process within limits; nothing that it started is left when this returns, unless it took pains to hide.
 * @throws the reason of `signal` when that is aborted; the error of the system when the process cannot be started.
 */
export async function runBounded(
  launch: Launch,
  options: {
    timeoutMs: number;
    limits: ProcessLimits;
    signal: AbortSignal;
    /** Gets the last line of the output now and then. */
    onLine: (line: string) => void;
  },
): Promise<ProcessOutcome> {
  const { signal, limits } = options;
  signal.throwIfAborted();
  const startedAtMs = performance.now();
  const child = start(launch);
  const { stdout, stderr, resume } = collect(child);
  let killedFor: ProcessOutcome['killedFor'] = null;
  const end = (): void => killAll(child, launch.marker);
  const endFor = (reason: ProcessOutcome['killedFor']): void => {
    killedFor ??= reason;
    end();
  };
  const timer = setTimeout(() => endFor('time'), options.timeoutMs);
  const lines = setInterval(whenNew(stdout, options.onLine), LINE_INTERVAL_MS);
  const threadsBefore = systemThreads();
  const stopLooking = repeat(() => {
    resume();
    const isCrowded = systemThreads() - threadsBefore > limits.processes;
    const exceeded = limitExceeded(child, isCrowded ? launch.marker : undefined, limits);
    if (exceeded !== null) endFor(exceeded);
  });
  signal.addEventListener('abort', end, { once: true });
  try {
    const exitCode = await ended(child);
    const durationMs = performance.now() - startedAtMs;
    end();
    await closed(child);
    signal.throwIfAborted();
    return { exitCode, killedFor, stdout, stderr, durationMs };
  } finally {
    clearTimeout(timer);
    clearInterval(lines);
    stopLooking();
    signal.removeEventListener('abort', end);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

function start({ file, args, cwd, env, descriptors = [] }: Launch): Child {
  // Detached: the leader of a process group of its own, which can be killed as a whole.
  return spawn('bash', ['-c', YIELD, 'bash', file, ...args], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...descriptors],
  }) as Child; // The type does not see through the spread that 1 and 2 are pipes.
}

function collect(child: Child): { stdout: OutputWindow; stderr: OutputWindow; resume: () => void } {
  const stdout = new OutputWindow(KEPT_BYTES);
  const stderr = new OutputWindow(KEPT_ERROR_BYTES);
  let bytesInTick = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    stdout.add(chunk);
    bytesInTick += chunk.length;
    if (bytesInTick > MAX_BYTES_PER_TICK) child.stdout.pause();
  });
  child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
  const resume = (): void => {
    bytesInTick = 0;
    child.stdout.resume();
  };
  return { stdout, stderr, resume };
}

function whenNew(output: OutputWindow, onLine: (line: string) => void): () => void {
  let shownBytes = 0;
  return () => {
    if (output.totalBytes > shownBytes) onLine(output.lastLine(MAX_LINE_BYTES));
    shownBytes = output.totalBytes;
  };
}

/** Does something again and again. Returns what ends that. */
function repeat(work: () => void): () => void {
  const tick = (): void => {
    const startedAtMs = performance.now();
    work();
    const tookMs = performance.now() - startedAtMs;
    timer = setTimeout(tick, Math.min(MAX_TICK_MS, Math.max(TICK_MS, tookMs / LOOKING_SHARE)));
  };
  let timer = setTimeout(tick, TICK_MS);
  return () => clearTimeout(timer);
}

function limitExceeded(
  { pid }: Child,
  marker: string | undefined,
  { processes, memoryBytes }: ProcessLimits,
): 'processes' | 'memory' | null {
  if (pid === undefined) return null;
  // Without a sandbox, what has lost its parent is no longer below the first process. Looking for it takes long, and a fork bomb would
  // win the race: so all wait meanwhile.
  if (marker !== undefined) signalProcess(-pid, 'SIGSTOP');
  const strays = marker === undefined ? [] : markedProcesses(marker, processes + 1);
  const usage = usageOf([pid, ...strays], processes);
  if (marker !== undefined) signalProcess(-pid, 'SIGCONT');
  if (usage.processes > processes) return 'processes';
  return usage.memoryBytes > memoryBytes ? 'memory' : null;
}

function killAll({ pid }: Child, marker: string | undefined): void {
  // The group at once. In a sandbox all the rest dies with the first process.
  if (pid !== undefined) signalProcess(-pid, 'SIGKILL');
  if (marker === undefined) return;
  // Again as long as there are some: one may start another between being seen and being killed.
  for (let round = 0; round < MAX_KILL_ROUNDS; round += 1) {
    const strays = markedProcesses(marker, Infinity);
    if (strays.length === 0) return;
    for (const stray of strays) signalProcess(stray, 'SIGKILL');
  }
}

function ended(child: Child): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}

/** Until the pipes are read to their ends. A process that hid itself may hold them open: not waited for. */
async function closed(child: Child): Promise<void> {
  const isOpen = [child.stdout, child.stderr].some((stream) => !stream.readableEnded && !stream.closed);
  if (!isOpen) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, DRAIN_MS);
    child.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
