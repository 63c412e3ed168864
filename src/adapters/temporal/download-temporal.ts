import { createRequire } from 'node:module';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './run-command.js';
import type { CommandEnvironment } from './run-command.js';
import { TEMPORAL_CLI_VERSION } from './temporal-version.js';

/** Without an answer for this long the network is taken for closed; a firewall may swallow packets in silence. */
const NO_PROGRESS_MS = 10_000;
const LOOK_EVERY_MS = 1_000;

/** Downloading through the SDK, which starts what it has downloaded; its own process keeps that runtime out of ours. */
const SCRIPT = `
const [, testing, downloadDir, version] = process.argv;
const executable = { type: 'cached-download', downloadDir, version };
require(testing).TestWorkflowEnvironment.createLocal({ server: { executable } })
  .then((environment) => environment.teardown())
  .catch((error) => { console.error(error.message); process.exitCode = 1; });`;

/** How a download went. */
export type DownloadResult = { ok: true } | { ok: false; problem: string };

/**
 * Downloads the Temporal CLI by the SDK's own means (from temporal.download) to `target`, whole or not at all. Gives up when nothing
 * comes for 10 s.
 */
export async function downloadTemporal(target: string, env: CommandEnvironment): Promise<DownloadResult> {
  const downloadDir = `${target}.download`;
  // The names are the SDK's.
  const downloaded = join(
    downloadDir,
    `temporal-v${TEMPORAL_CLI_VERSION}${process.platform === 'win32' ? '.exe' : ''}`,
  );
  // A download that was cut off leaves a file behind on which the SDK would wait.
  await rm(downloadDir, { recursive: true, force: true });
  await mkdir(downloadDir, { recursive: true });
  const giveUp = new AbortController();
  const watching = watchProgress(`${downloaded}.downloading`, giveUp);
  try {
    const testing = createRequire(import.meta.url).resolve('@temporalio/testing');
    const args = ['-e', SCRIPT, testing, downloadDir, `v${TEMPORAL_CLI_VERSION}`];
    const { problem } = await runCommand(process.execPath, args, { env, signal: giveUp.signal });
    if ((await sizeOf(downloaded)) === 0)
      return {
        ok: false,
        problem: giveUp.signal.aborted ? `nothing came for ${NO_PROGRESS_MS / 1000} s` : problem,
      };
    await rename(downloaded, target);
    return { ok: true };
  } finally {
    clearInterval(watching);
    await rm(downloadDir, { recursive: true, force: true });
  }
}

/** Aborts when the file of the running download has not grown for a while. */
function watchProgress(file: string, giveUp: AbortController): NodeJS.Timeout {
  let size = 0;
  let grewAt = Date.now();
  const look = async (): Promise<void> => {
    const sizeNow = await sizeOf(file);
    if (sizeNow !== size) [size, grewAt] = [sizeNow, Date.now()];
    if (Date.now() - grewAt > NO_PROGRESS_MS) giveUp.abort();
  };
  return setInterval(() => void look(), LOOK_EVERY_MS);
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
