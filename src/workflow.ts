export { agentRun, type AgentRunInput } from './workflows/agent-run.js';
export type { RunResult } from './core/progress.js';
export type { RunInput } from './core/run-input.js';
