import { runCommand } from './run-command.js';
import type { CommandEnvironment } from './run-command.js';

/** The release that is downloaded or built: Temporal server 1.31.2, Web UI 2.50.1. `tools/temporal/go.mod` names the same one. */
export const TEMPORAL_CLI_VERSION = '1.8.2';

/** The oldest release that starts with the flags of the dev server here. */
export const OLDEST_TEMPORAL_CLI_VERSION = '1.5.1';

/** A cold start reads a binary of 140 MB from disk. */
const ASK_TIMEOUT_MS = 20_000;

/** What a binary says of itself. */
export type TemporalVersion = { ok: true; version: string } | { ok: false; problem: string };

/** Runs a binary to learn whether it is a Temporal CLI that can be used here. */
export async function askTemporalVersion(path: string, env: CommandEnvironment): Promise<TemporalVersion> {
  const { ok, output, problem } = await runCommand(path, ['--version'], { env, timeoutMs: ASK_TIMEOUT_MS });
  if (!ok) return { ok, problem: `it does not run (${problem})` };
  const version = /^temporal version v?(\d+\.\d+\.\d+\S*)/.exec(output)?.[1];
  if (version === undefined)
    return { ok: false, problem: 'it is not the Temporal CLI, or a build without a version' };
  if (!isAtLeast(version, OLDEST_TEMPORAL_CLI_VERSION))
    return { ok: false, problem: `version ${version} is older than ${OLDEST_TEMPORAL_CLI_VERSION}` };
  return { ok, version };
}

/** Whether a version such as `1.26.4` is not older than another; what is left out counts as 0. */
export function isAtLeast(version: string, oldest: string): boolean {
  const [have, want] = [numbersOf(version), numbersOf(oldest)];
  const differing = want.findIndex((number, index) => number !== (have[index] ?? 0));
  return differing === -1 || (have[differing] ?? 0) > (want[differing] ?? 0);
}

const numbersOf = (version: string): number[] =>
  version
    .split(/[^0-9]+/)
    .filter((part) => part !== '')
    .map(Number);
