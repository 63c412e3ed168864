import type { JsonObject } from './json.js';

/** Ceilings of a run. `null` or absent: none. */
export interface LimitsInput {
  maxCostUsd?: number | null;
  /** Model calls of purpose `step`. */
  maxSteps?: number | null;
  /** Prompt plus completion tokens, summed over the model calls. */
  maxTokens?: number | null;
  maxDurationMs?: number | null;
}

/** {@link LimitsInput} with every field present. */
export interface Limits {
  maxCostUsd: number | null;
  maxSteps: number | null;
  maxTokens: number | null;
  maxDurationMs: number | null;
}

/** Which calls wait for a human: none, those that the tool's own policy names, or all. */
export type RequireApproval = 'never' | 'policy' | 'always';

/** What starts a run. Contract §5; only `goal` is required. */
export interface RunInput {
  goal: string;
  model?: string;
  /** Fallback models, in order. */
  models?: string[];
  /** Added to the built-in system prompt. */
  system?: string;
  /** Names of the tools the run may use; all of the worker's when absent. */
  tools?: string[];
  requireApproval?: RequireApproval;
  limits?: LimitsInput;
  /** Lands after a call of one of these tools has ended. */
  stopOnTool?: string[];
  reasoning?: 'low' | 'medium' | 'high';
  temperature?: number;
  maxOutputTokens?: number;
  shared?: JsonObject;
}

/** What the worker settles once, before the first step. Everything that may differ between workers or versions is fixed here. */
export interface Prepared {
  /** Chooses the behaviour of the core for this run's whole life, see `behaviour.ts`. */
  behaviour: number;
  model: string;
  models: string[];
  tools: string[];
  limits: Limits;
  /** Whether the server knows the search attributes of contract §5. */
  searchAttributes: boolean;
  heartbeatTimeoutMs: number;
  continueAsNewEvents: number;
  /** Shown to watchers at the start. */
  warnings: string[];
}

/** Largest goal and system prompt, in characters. Leaves the start event far below Temporal's 2 MB payload limit. */
export const MAX_GOAL_CHARS = 200_000;

/** Largest note, answer or message of a human, in characters. */
export const MAX_MESSAGE_CHARS = 65_536;

/** Largest id or name in a control, in characters. */
export const MAX_NAME_CHARS = 256;

/** Largest arguments that a human may put in the place of the model's, in characters of JSON. */
export const MAX_EDITED_ARGS_CHARS = 65_536;

/** No ceilings at all. */
export const NO_LIMITS: Limits = { maxCostUsd: null, maxSteps: null, maxTokens: null, maxDurationMs: null };
