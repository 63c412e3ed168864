export { AgentClient, type ConnectOptions } from './agent-client.js';
export type { BudgetClient } from './client/budget-client.js';
export type { RunClient, RunListItem, StartInput } from './client/run-client.js';
export { RunHandle, type ForkOptions, type WatchedEvent } from './client/run-handle.js';
export type { Delta } from './client/deltas.js';
export {
  hasToolCall,
  maxCost,
  maxDuration,
  maxTokensUsed,
  stepCountIs,
  type StopCondition,
} from './client/stop-conditions.js';
export { generateApproverKey } from './adapters/signing/ed25519.js';
export { signDecision, type DecisionToSign } from './adapters/signing/sign-statement.js';
export { defineConfig, type LonghaulConfig } from './adapters/tools/define-config.js';
export { defineTool, type ToolDefinition } from './adapters/tools/define-tool.js';
export type { BudgetSettings } from './core/budget-check.js';
export type { BudgetView } from './core/budget.js';
export { AgentError, ERROR_CODES, isAgentError, type ErrorCode } from './core/errors.js';
export type { RunEvent } from './core/events.js';
export type { AccountSpend, PendingItem, Progress, RunResult, Spend } from './core/progress.js';
export type { Limits, LimitsInput, RunInput } from './core/run-input.js';
export type { TranscriptItem } from './core/transcript.js';
export type { ToolContext } from './ports/tools.js';
