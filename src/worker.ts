import { loadConfigModule } from './adapters/config-module.js';
import { findTemporal } from './adapters/temporal/dev-file.js';
import { toExit } from './cli/exit.js';
import { loadConfig } from './config.js';
import { runWorker } from './worker/run-worker.js';

/** How long what is closed may take to go away. */
const EXIT_AFTER_MS = 5_000;

const json = process.argv.includes('--json');

/** Runs one worker until it is told to end; then what runs is given time, and the exit code is 0. */
async function main(): Promise<void> {
  const config = loadConfig();
  const module = await loadConfigModule({ cwd: process.cwd(), path: config.configPath });
  await runWorker({ config, module, address: findTemporal(config.dataDir).address }, { json });
}

main()
  .catch((error: unknown) => {
    process.exitCode = toExit(error, { json });
  })
  .finally(() => {
    // A native worker that the SDK could not let go of would keep the process for ever.
    setTimeout(() => process.exit(), EXIT_AFTER_MS).unref();
  });
