import { isAgentError, type AgentError } from '../core/errors.js';
import type { RunResult } from '../core/progress.js';

/** Exit codes, contract §4. `interrupted` is the shell's own convention for Ctrl-C: 128 + SIGINT. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  limit: 3,
  stopped: 4,
  unreachable: 5,
  interrupted: 130,
} as const;

const OUTCOMES = {
  done: EXIT.done,
  failed: EXIT.failed,
  limit: EXIT.limit,
  stopped: EXIT.stopped,
  cancelled: EXIT.stopped,
};

/** The exit code for an error code of the contract. */
export function exitOfCode(code: string): number {
  if (code === 'CONFIG_INVALID' || code === 'INPUT_INVALID') return EXIT.usage;
  return code === 'TEMPORAL_UNREACHABLE' || code === 'MODEL_UNREACHABLE' ? EXIT.unreachable : EXIT.failed;
}

/** The exit code for how a run ended. A run that failed because the model API was away is 5, as contract §4 has it. */
export function exitOfResult({ outcome, error }: Pick<RunResult, 'outcome' | 'error'>): number {
  if (outcome === 'failed' && error?.code === 'MODEL_UNREACHABLE') return EXIT.unreachable;
  return OUTCOMES[outcome];
}

/** Where {@link toExit} writes. */
interface Outlets {
  json: boolean;
  stdout?: { write(text: string): unknown };
  stderr?: { write(text: string): unknown };
}

/** Reports an error where people or programs look for it, and returns the exit code for it. */
export function toExit(
  error: unknown,
  { json, stdout = process.stdout, stderr = process.stderr }: Outlets,
): number {
  const known = isAgentError(error);
  const message = error instanceof Error ? error.message : String(error);
  const code = known ? error.code : 'INTERNAL';
  const hint = known ? hintOf(error) : 'This is a defect. Please report it with what you did.';
  if (json) stdout.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  else stderr.write(`error: ${message}\nhint: ${hint}\n`);
  return exitOfCode(code);
}

/** One code stands for a server that is away and for a server without a worker. */
function hintOf({ details, hint }: AgentError): string {
  return details['missing'] === 'worker' ? 'Start a worker: `longhaul worker`.' : hint;
}
