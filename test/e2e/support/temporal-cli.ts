import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findTemporalBinary } from '../../../src/adapters/temporal/find-temporal.js';

const run = promisify(execFile);

/** Runs the real `temporal` against a server and returns what it prints. Rejects when it fails. */
export async function temporalCli(address: string, args: readonly string[]): Promise<string> {
  const { path } = await findTemporalBinary({ env: process.env });
  const { stdout } = await run(path, [...args, '--address', address], { timeout: 30_000 });
  return stdout;
}
