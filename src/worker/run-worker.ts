import { Runtime, type RuntimeOptions } from '@temporalio/worker';
import { createLogger } from '../adapters/logger.js';
import { metricsTelemetry } from '../adapters/telemetry/metrics.js';
import type { Config } from '../config.js';
import { AgentError } from '../core/errors.js';
import { createAgentWorker, type AgentWorker, type WorkerModule } from './create-agent-worker.js';

/** What a worker process is made of. */
export interface RunWorkerOptions {
  config: Config;
  module: WorkerModule;
  /** Where Temporal is. */
  address: string;
  /** Signals that make the worker drain; none when the caller does that. */
  shutdownSignals: NodeJS.Signals[];
}

/**
 * Makes the worker of a process of its own, logging to stderr, its warnings told.
 * @throws AgentError `TEMPORAL_UNREACHABLE`, `CONFIG_INVALID`
 */
export async function openWorker({ shutdownSignals, ...options }: RunWorkerOptions): Promise<AgentWorker> {
  const logger = createLogger('warn');
  installRuntime(options.config, { logger, shutdownSignals });
  // A tool may leave a promise or a timer behind that fails: that must not take every other run of the worker down.
  for (const event of ['unhandledRejection', 'uncaughtException'] as const)
    process.on(event, (error: unknown) =>
      logger.error('a tool left something behind that failed', strayError(error)),
    );
  const log = (line: string) => logger.warn(line);
  const agentWorker = await createAgentWorker({ ...options, log }).catch(async (error: unknown) => {
    // What was installed keeps the process alive and swallows SIGTERM.
    await Runtime.instance().shutdown();
    throw error;
  });
  for (const warning of agentWorker.warnings) logger.warn(warning);
  return agentWorker;
}

/** Before anything of Temporal is made, since what is made uses it. */
function installRuntime(
  { metricsAddress }: Config,
  options: Pick<RuntimeOptions, 'logger' | 'shutdownSignals'>,
): void {
  const logging = { forward: {}, filter: 'ERROR' };
  try {
    Runtime.install({ ...options, telemetryOptions: { logging, ...metricsTelemetry(metricsAddress) } });
  } catch (error) {
    if (metricsAddress === null) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new AgentError(
      'CONFIG_INVALID',
      `No metrics can be served at ${metricsAddress} (${reason}). Set LONGHAUL_METRICS_ADDRESS to an address that is free, one for each worker, or leave it out.`,
      { cause: error },
    );
  }
}

/** Runs one worker until SIGINT or SIGTERM; then what runs is given time. Prints one line when it is ready. */
export async function runWorker(
  options: Omit<RunWorkerOptions, 'shutdownSignals'>,
  { json }: { json: boolean },
): Promise<void> {
  const agentWorker = await openWorker({
    ...options,
    shutdownSignals: ['SIGINT', 'SIGTERM'],
  });
  const { taskQueue, identity } = agentWorker;
  const running = agentWorker.run();
  process.stdout.write(
    json
      ? `${JSON.stringify({ ready: true, taskQueue, identity })}\n`
      : `Worker ${identity} is ready on task queue ${taskQueue}.\n`,
  );
  try {
    await running;
  } finally {
    await agentWorker.close();
  }
}

/** Its stack says whose it is. */
function strayError(error: unknown): { error: string } {
  return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
