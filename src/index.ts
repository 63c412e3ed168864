export { AgentClient, type ConnectOptions } from './agent-client.js';
export { chat, type ChatOptions } from './chat.js';
export type { BudgetClient } from './client/budget-client.js';
export type { DecisionOptions } from './client/decision-options.js';
export type { Delta } from './client/deltas.js';
export type { RunClient, RunListItem, StartInput } from './client/run-client.js';
export type { ForkOptions } from './client/fork-options.js';
export { RunHandle, type SayReceipt, type StartedRun, type WatchedEvent } from './client/run-handle.js';
export type { RunRecord } from './client/run-record.js';
export {
  hasToolCall,
  maxCost,
  maxDuration,
  maxTokensUsed,
  stepCountIs,
  type StopCondition,
} from './client/stop-conditions.js';
export {
  OpenRouterResponses,
  type OpenRouterResponsesOptions,
  type ResponsesCall,
} from './adapters/openrouter/responses/open-router-responses.js';
export { generateApproverKey } from './adapters/signing/ed25519.js';
export { signDecision, type DecisionToSign } from './adapters/signing/sign-statement.js';
export { defineConfig, type LonghaulConfig } from './adapters/tools/define-config.js';
export { defineTool, type ToolDefinition } from './adapters/tools/define-tool.js';
export { verifyWebhook, type WebhookHeaders, type WebhookToVerify } from './adapters/webhook/signature.js';
export type { WebhookBody, WebhookPendingItem } from './contract/webhook.js';
export type { ApproverKey } from './core/human/approvers.js';
export type { BudgetSettings } from './core/money/budget-check.js';
export type { BudgetView } from './core/money/budget.js';
export type { SayMode } from './core/human/controls.js';
export { AgentError, ERROR_CODES, isAgentError, type ErrorCode } from './core/errors.js';
export type { RunEvent } from './core/events.js';
export type { JsonObject, JsonValue } from './core/json.js';
export type {
  AccountSpend,
  AgentNote,
  ArtifactNote,
  DecidedNote,
  LimitName,
  PendingItem,
  Progress,
  RunResult,
  RunStatus,
  Spend,
  StandingApproval,
  TaintSource,
} from './core/progress.js';
export type {
  Limits,
  LimitsInput,
  ReasoningEffort,
  ReasoningOptions,
  RequireApproval,
  ReviewCheck,
  ReviewInput,
  RunInput,
  RunPriority,
  TaintPolicy,
  UnpricedModels,
} from './core/run-input.js';
export type { TranscriptItem } from './core/transcript.js';
export type {
  ChatAnswer,
  ChatFunctionCall,
  ChatMessage,
  ChatRequest,
  ChatText,
  ChatTextPart,
  ChatTool,
  ChatToolCall,
  ChatToolResultPart,
  ChatToolUsePart,
} from './ports/chat.js';
export type { Wire } from './ports/model.js';
export type {
  ArtifactPort,
  ExpiryPolicy,
  ToolContext,
  ToolEffect,
  ToolVerdict,
  UnknownPolicy,
} from './ports/tools.js';
