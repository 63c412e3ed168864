import { Runtime } from '@temporalio/worker';
import { createLogger } from './adapters/logger.js';
import { loadConfigModule } from './adapters/config-module.js';
import { loadConfig } from './config.js';
import { toExit } from './cli/exit.js';
import { createAgentWorker } from './worker/create-agent-worker.js';

/** Runs one worker until it is told to end; then what runs is given time, and the exit code is 0. */
async function main(): Promise<void> {
  const json = process.argv.includes('--json');
  const config = loadConfig();
  const module = await loadConfigModule({ cwd: process.cwd(), path: config.configPath });
  const logger = createLogger('warn');
  Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
  const { worker, taskQueue, identity, warnings, close } = await createAgentWorker({ config, module });
  for (const warning of warnings) logger.warn(warning);
  const running = worker.run();
  process.stdout.write(json ? `${JSON.stringify({ ready: true, taskQueue, identity })}\n` : `Worker ${identity} is ready on task queue ${taskQueue}.\n`);
  await running;
  await close();
}

main().catch((error: unknown) => {
  process.exitCode = toExit(error, { json: process.argv.includes('--json') });
});
