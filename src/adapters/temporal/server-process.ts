import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandEnvironment } from './run-command.js';

/**
 * A server without clients closes its database in about a second; one with open long polls would wait for them. Nothing is lost
 * by force: every commit is on disk.
 */
const STOP_TIMEOUT_SECONDS = 5;
const TAIL_BYTES = 8_192;
const TAIL_LINES = 12;

/**
 * Becomes the server, after leaving a watcher behind that ends the server when the other end of fd 3 closes: that is when the process
 * that started it is gone, however it went. A line on fd 3 sends the watcher home.
 */
const GUARDED = `
end_server() {
  kill -TERM $$
  waited=0
  while kill -0 $$ && [ $waited -lt ${STOP_TIMEOUT_SECONDS} ]; do sleep 1; waited=$((waited + 1)); done
  kill -KILL $$
}
( read -r _ <&3 || end_server ) >/dev/null 2>&1 &
exec "$@" 3<&-`;

/** How a process ended. */
export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A server in a process group of its own, so that Ctrl-C in a terminal does not reach it before its clients have drained. */
export interface ServerProcess {
  pid: number;
  ended: Promise<ProcessEnd>;
  /** Asks it to end, kills it after 5 s, and waits until it is gone. */
  stop(): Promise<void>;
  /** The last lines that it wrote to its log since it was started. */
  logTail(): Promise<string>;
}

/** What {@link startServerProcess} runs. */
export interface ServerProcessOptions {
  binary: string;
  args: readonly string[];
  /** Both output streams are appended here; made when missing. */
  logFile: string;
  /** Default: that of this process. */
  env?: CommandEnvironment;
}

/**
 * Starts a server that does not outlive this process.
 * @throws the error of `spawn` when the binary cannot be run
 */
export async function startServerProcess({
  binary,
  args,
  logFile,
  env,
}: ServerProcessOptions): Promise<ServerProcess> {
  await mkdir(dirname(logFile), { recursive: true });
  const log = await open(logFile, 'a', 0o600);
  const { size: logStart } = await log.stat();
  const guarded = process.platform !== 'win32';
  const child = spawn(guarded ? '/bin/sh' : binary, guarded ? ['-c', GUARDED, 'sh', binary, ...args] : args, {
    stdio: ['ignore', log.fd, log.fd, guarded ? 'pipe' : 'ignore'],
    detached: guarded,
    windowsHide: true,
    ...(env !== undefined && { env: { ...env } }),
  });
  const ended = endOf(child);
  let pid: number;
  try {
    pid = await pidOf(child);
  } finally {
    await log.close();
  }
  const killNow = (): void => void child.kill('SIGKILL');
  // Where there is no watcher, this covers at least the ordinary ways to end.
  if (!guarded) process.once('exit', killNow);
  void ended.then(() => process.off('exit', killNow));

  return {
    pid,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const patience = new AbortController();
      void ended.then(() => patience.abort());
      await delay(STOP_TIMEOUT_SECONDS * 1000, undefined, { signal: patience.signal }).then(
        killNow,
        () => undefined,
      );
      await ended;
    },
    logTail: () => tailOf(logFile, logStart),
  };
}

function pidOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
}

function endOf(child: ChildProcess): Promise<ProcessEnd> {
  const watcher = child.stdio[3];
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      // The watcher must not signal a process id that may belong to another process by now.
      if (watcher && 'end' in watcher) watcher.on('error', () => undefined).end('\n');
      resolve({ code, signal });
    });
  });
}

async function tailOf(file: string, from: number): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const start = Math.max(from, size - TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(Math.max(size - start, 0)),
      0,
      undefined,
      start,
    );
    const lines = buffer.subarray(0, bytesRead).toString('utf8').trim().split('\n');
    // The CLI prints its whole usage before it says what is wrong.
    const verdict = lines.map((line) => line.startsWith('Error: ')).lastIndexOf(true);
    return lines.slice(Math.max(verdict, lines.length - TAIL_LINES)).join('\n');
  } finally {
    await handle.close();
  }
}
