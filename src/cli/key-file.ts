import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AgentError } from '../core/errors.js';

/** Others than the owner may read, write or run it. */
const OPEN_TO_OTHERS = 0o077;

/** Where the key of an approver is kept when nobody says where: not in the working directory, whose files tools may read. */
export function defaultKeyFile(homeDir: string): string {
  return join(homeDir, '.config', 'longhaul', 'approver.pem');
}

/**
 * Writes a private key to a new file that only its owner can read.
 * @param options.makeDir makes the directory too.
 * @throws AgentError `INPUT_INVALID` when there is such a file, or it cannot be written
 */
export function writeKeyFile(file: string, pem: string, { makeDir }: { makeDir: boolean }): void {
  try {
    if (makeDir) mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, pem, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (codeOf(error) === 'EEXIST')
      throw new AgentError(
        'INPUT_INVALID',
        `There is a file ${file}; a key is never overwritten. Name another: -o FILE`,
      );
    throw new AgentError('INPUT_INVALID', `The key cannot be written to ${file}: ${messageOf(error)}`);
  }
}

/**
 * Reads a private key.
 * @param warn hears of a file that others can read.
 * @throws AgentError `INPUT_INVALID` when it cannot be read
 */
export function readKeyFile(file: string, warn: (text: string) => void): string {
  try {
    const handle = openSync(file, 'r');
    try {
      const { mode } = fstatSync(handle);
      // Windows has no such modes.
      if (process.platform !== 'win32' && mode & OPEN_TO_OTHERS)
        warn(
          `${file} is open to other users (mode ${(mode & 0o777).toString(8).padStart(4, '0')}). Keep it to yourself: chmod 600 ${file}`,
        );
      return readFileSync(handle, 'utf8');
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    const hint = codeOf(error) === 'ENOENT' ? ' Make one: longhaul keys' : '';
    throw new AgentError('INPUT_INVALID', `The key file ${file} cannot be read: ${messageOf(error)}.${hint}`);
  }
}

function codeOf(error: unknown): unknown {
  return Object(error).code;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
