import { isAgentError } from '../core/errors.js';

/** Exit codes, contract §4. */
export const EXIT = { done: 0, failed: 1, usage: 2, limit: 3, stopped: 4, unreachable: 5 } as const;

/** Reports an error where people or programs look for it, and returns the exit code for it. */
export function toExit(error: unknown, { json }: { json: boolean }): number {
  const known = isAgentError(error);
  const message = error instanceof Error ? error.message : String(error);
  const code = known ? error.code : 'INTERNAL';
  const hint = known ? error.hint : 'This is a defect. Please report it with what you did.';
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  else process.stderr.write(`error: ${message}\n${hint}\n`);
  if (code === 'CONFIG_INVALID' || code === 'INPUT_INVALID') return EXIT.usage;
  return code === 'TEMPORAL_UNREACHABLE' || code === 'MODEL_UNREACHABLE' ? EXIT.unreachable : EXIT.failed;
}
