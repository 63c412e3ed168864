import { AgentError } from '../../core/errors.js';

/** The error for a Temporal server that does not answer. */
export function unreachable(address: string | undefined, cause: unknown): AgentError {
  return new AgentError(
    'TEMPORAL_UNREACHABLE',
    `The Temporal server${address ? ` at ${address}` : ''} does not answer. Start one with \`longhaul dev\`, or set TEMPORAL_ADDRESS.`,
    { cause },
  );
}
