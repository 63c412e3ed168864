import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the repository. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[\\/]$/, '');

/** The text of a file of the repository. */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** All files git knows or would take, relative to the repository, `/` between the parts. */
export async function repositoryFiles(): Promise<string[]> {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  const deleted = new Set((await run('git', ['ls-files', '-z', '--deleted'])).output.split('\0'));
  return (await run('git', args)).output.split('\0').filter((path) => path !== '' && !deleted.has(path));
}

/** Runs a program to its end; never rejects for an exit code. `output` is what it wrote to standard output. */
export function run(command: string, args: string[], cwd = ROOT): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, maxBuffer: 64 * 1024 * 1024 }, (error, output) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: error === null ? 0 : Number(error.code), output });
    });
  });
}

/** Runs the bin script of a dev dependency with this Node. */
export function runBin(
  script: string,
  args: string[],
  cwd = ROOT,
): Promise<{ code: number; output: string }> {
  return run(process.execPath, [join(ROOT, 'node_modules', script), ...args], cwd);
}

/** A directory with these files and the repository's packages, gone after `use`. */
export async function inTemporaryProject<T>(
  files: Record<string, string>,
  use: (dir: string) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'longhaul-fence-'));
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'), 'junction');
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    }
    return await use(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
