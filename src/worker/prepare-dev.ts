import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadConfigModule, type LoadedConfigModule } from '../adapters/config-module.js';
import { temporalTarget } from '../adapters/temporal/connect.js';
import { findTemporal, removeDevFile, writeDevFile } from '../adapters/temporal/dev-file.js';
import { refuseTakenPorts, startDevServer } from '../adapters/temporal/dev-server.js';
import { findTemporalBinary } from '../adapters/temporal/find-temporal.js';
import type { DevOptions, DevParts, DevTemporal } from '../cli/dev-parts.js';
import { commandEnvironment, requireModelKey, type Config } from '../config.js';
import { cannedAgent } from '../testing/canned-agent.js';
import { startStandIn, type StandIn } from '../testing/stand-in/stand-in.js';
import { openWorker } from './run-worker.js';
import type { WorkerModule } from './create-agent-worker.js';

const HOST = '127.0.0.1';
const DEFAULT_PORT = 7233;
const DEFAULT_UI_PORT = 8233;
const STAND_IN_MODEL = 'stand-in/agent';

/**
 * Checks everything that can be checked before anything is started, and says how the parts of `dev` are made.
 * @throws AgentError `CONFIG_INVALID`
 */
export async function prepareDev(config: Config, options: DevOptions): Promise<DevParts> {
  const module = await loadConfigModule({ cwd: process.cwd(), path: config.configPath });
  if (!options.standIn) requireModelKey(config);
  mkdirSync(config.dataDir, { recursive: true });
  const opened: (() => Promise<void>)[] = [];
  return {
    openTemporal: (onProgress) => openTemporal(config, options, onProgress),
    async openWorker(temporal) {
      const standIn = options.standIn ? await startStandIn({ script: cannedAgent }) : null;
      if (standIn) opened.unshift(() => standIn.stop());
      const agentWorker = await openWorker({
        ...withStandIn(config, module, standIn),
        address: temporal.address,
        shutdownSignals: [],
      });
      opened.unshift(() => agentWorker.close());
      const { worker, taskQueue, identity } = agentWorker;
      return {
        taskQueue,
        identity,
        running: agentWorker.run(),
        shutdown: () => worker.shutdown(),
        busyWith: () => worker.getStatus().numInFlightActivities,
      };
    },
    async close() {
      removeDevFile(config.dataDir);
      for (const close of opened) await close();
    },
  };
}

/** A server of our own, or the one that the environment names. */
async function openTemporal(
  config: Config,
  options: DevOptions,
  onProgress: (line: string) => void,
): Promise<DevTemporal> {
  const configured = findTemporal(config.dataDir);
  if (configured.from === 'environment') {
    onProgress(`Using the Temporal server at ${configured.address}, as TEMPORAL_ADDRESS says.`);
    return {
      address: configured.address,
      uiUrl: configured.uiUrl,
      ended: new Promise(() => undefined),
      stop: async () => undefined,
    };
  }
  const env = commandEnvironment();
  const ports = { port: options.port ?? DEFAULT_PORT, uiPort: options.uiPort ?? DEFAULT_UI_PORT };
  await refuseTakenPorts(HOST, ports);
  const { path } = await findTemporalBinary({ env, onProgress });
  onProgress('Starting Temporal.');
  const server = await startDevServer({
    binary: path,
    dbFile: options.db === undefined ? join(config.dataDir, 'temporal.db') : resolve(options.db),
    logFile: join(config.dataDir, 'temporal.log'),
    ip: HOST,
    ...ports,
    namespace: temporalTarget().namespace,
    env,
  });
  writeDevFile(config.dataDir, { pid: process.pid, address: server.address, uiUrl: server.uiUrl });
  return server;
}

/** The worker asks the stand-in for everything, whatever model the configuration names. */
function withStandIn(
  config: Config,
  module: LoadedConfigModule,
  standIn: StandIn | null,
): { config: Config; module: WorkerModule } {
  if (!standIn) return { config, module };
  const openrouter = { baseUrl: standIn.url, apiKey: 'stand-in' };
  return {
    config: { ...config, openrouter, model: STAND_IN_MODEL },
    // Its own prices go with it.
    module: { ...module, prices: {}, defaults: { ...module.defaults, model: STAND_IN_MODEL } },
  };
}
