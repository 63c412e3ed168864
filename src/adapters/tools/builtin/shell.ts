import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import type { Tool } from '../../../ports/tools.js';
import { runBounded, type ProcessOutcome } from '../bounded-process.js';
import { defineTool } from '../define-tool.js';
import type { CommandLimits, CommandPlace } from '../sandbox.js';
import { refusal } from '../workspace.js';

const DEFAULT_TIMEOUT_MS = 120_000;
const MAX_TIMEOUT_MS = 600_000;
/** So that a command which is too slow ends by its own limit: then it is known how it ended. */
const MARGIN_MS = 30_000;

/** `shell`: runs a bash command in the workspace. A person is asked each time. */
export function shellTool(place: CommandPlace): Tool {
  const { limits, kind } = place;
  const mebibytes = limits.memoryBytes / 1024 ** 2;
  const reach =
    kind === 'sandboxed'
      ? 'It has no network, can write only in the workspace (not in .git) and in a /tmp of its own that is gone afterwards, ' +
        'and sees no other files but the programs of the system. '
      : '';
  return defineTool({
    name: 'shell',
    description:
      `Runs a bash command in the workspace and gives its exit code and its output. ${reach}` +
      `It may use ${mebibytes} MiB of memory and ${limits.processes} processes; there is no input to read. ` +
      'What still runs when the command ends is killed. A person is asked first.',
    input: z.object({
      command: z
        .string()
        .max(30_000)
        // A blank command does nothing, and no argument of a process can hold a NUL.
        .refine(
          (text) => text.trim() !== '' && !text.includes('\0'),
          'must not be blank or hold a NUL character',
        )
        .describe('Command for bash; may be several lines. The working directory is the workspace.'),
      timeoutMs: z
        .int()
        .min(100)
        .max(MAX_TIMEOUT_MS)
        .default(DEFAULT_TIMEOUT_MS)
        .describe('Kill the command after this many milliseconds.'),
    }),
    effect: 'once',
    approval: 'always',
    // Without a network it can print only what the workspace holds.
    untrusted: kind === 'unconfined',
    timeoutMs: MAX_TIMEOUT_MS + MARGIN_MS,
    execute: async ({ command, timeoutMs }, context) => {
      const { signal } = context;
      const { launch, release } = await place.prepare(command, signal);
      try {
        const onLine = (line: string): void => context.progress(stripVTControlCharacters(line));
        const outcome = await runBounded(launch, { timeoutMs, limits, signal, onLine });
        return report(outcome, { timeoutMs, limits });
      } catch (error) {
        signal.throwIfAborted();
        // Only errors of the system have this: the process could not be made.
        if (typeof error === 'object' && error !== null && 'syscall' in error)
          throw refusal('The command could not be started; nothing was done.', error);
        throw error;
      } finally {
        release();
      }
    },
  });
}

function report(outcome: ProcessOutcome, bounds: { timeoutMs: number; limits: CommandLimits }): string {
  const { exitCode, stdout, stderr, killedFor } = outcome;
  // The command itself has no second output: see the prelude of sandbox.ts.
  const complaint = stderr.text().trim();
  if (exitCode !== 0 && killedFor === null && stdout.totalBytes === 0 && complaint !== '')
    throw refusal(`The command could not be started: ${complaint}`);
  const output = stripVTControlCharacters(stdout.text());
  return `${ending(outcome, bounds)}\n\n${output === '' ? '(no output)' : output}`;
}

function ending(
  { killedFor, exitCode, durationMs }: ProcessOutcome,
  { timeoutMs, limits }: { timeoutMs: number; limits: CommandLimits },
): string {
  const seconds = `${(durationMs / 1000).toFixed(1)} s`;
  switch (killedFor) {
    case 'time':
      return `Killed: it took longer than ${timeoutMs} ms. What it did until then is done.`;
    case 'memory':
      return `Killed after ${seconds}: it used more than ${limits.memoryBytes / 1024 ** 2} MiB of memory. What it did until then is done.`;
    case 'processes':
      return `Killed after ${seconds}: it had more than ${limits.processes} processes. What it did until then is done.`;
    case null:
      return `Exit code ${exitCode} after ${seconds}.`;
  }
}
