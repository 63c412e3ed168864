import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The environment of a child process. Handed in, because only the configuration reads the process's own. */
export type CommandEnvironment = Readonly<Record<string, string | undefined>>;

/** How a command is run. */
export interface CommandOptions {
  env: CommandEnvironment;
  /** The command is killed when it takes longer. Default: no bound. */
  timeoutMs?: number;
  /** The command is killed when this is aborted. */
  signal?: AbortSignal;
  cwd?: string;
  /** Gets each line of standard error as it comes. */
  onErrorLine?: (line: string) => void;
}

/** How a command ended. */
export interface CommandResult {
  ok: boolean;
  /** Standard output, trimmed. */
  output: string;
  /** The last lines of standard error, or why the command could not be run. */
  problem: string;
}

const PROBLEM_LINES = 5;

/** Runs a command to its end. Never throws: a command that cannot be started is one that is not `ok`. */
export function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  // The `timeout` of spawn keeps the event loop alive when the command does not exist; this one never does.
  const signals = [
    options.signal,
    options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs),
  ];
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      env: { ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      killSignal: 'SIGKILL',
      signal: AbortSignal.any(signals.filter((signal) => signal !== undefined)),
    });
    const outputParts: Buffer[] = [];
    const problemLines: string[] = [];
    child.stdout.on('data', (part: Buffer) => outputParts.push(part));
    createInterface({ input: child.stderr }).on('line', (line) => {
      problemLines.push(line);
      problemLines.splice(0, problemLines.length - PROBLEM_LINES);
      options.onErrorLine?.(line);
    });
    child.once('error', (error) => resolve({ ok: false, output: '', problem: error.message }));
    child.once('close', (code, signal) => {
      const output = Buffer.concat(outputParts).toString('utf8').trim();
      const problem =
        problemLines.join('\n').trim() || (signal === null ? `exit code ${code}` : `ended by ${signal}`);
      resolve({ ok: code === 0, output, problem });
    });
  });
}
