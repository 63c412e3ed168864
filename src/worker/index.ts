export { createAgentWorker, type AgentWorker, type AgentWorkerOptions } from './create-agent-worker.js';
export { loadConfig, type Config } from '../config.js';
export { loadConfigModule, type LoadedConfigModule } from '../adapters/config-module.js';
