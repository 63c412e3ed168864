import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { World } from '../../support/run-support.js';

const CLIENT = fileURLToPath(new URL('../../../dist/client.js', import.meta.url));

/** What a command line of the built CLI did. */
export interface CliRun {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the built CLI in a world. */
export function longhaulCli(world: World, args: readonly string[]): Promise<CliRun> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: '1', ...world.env };
    const done = (error: unknown, stdout: string, stderr: string) => {
      const { code = 0 } = Object(error);
      resolve({ code: Number(code), stdout, stderr });
    };
    execFile(process.execPath, [CLIENT, ...args], { cwd: world.dir, env, timeout: 30_000 }, done);
  });
}
