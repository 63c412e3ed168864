import type { JsonObject } from './json.js';
import type { PlannedCall } from './outcomes.js';
import type { ModelPrice } from './money/price.js';

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

/** What to do about a model without a price when there is a cost ceiling: refuse the run, or assume a high price. */
export type UnpricedModels = 'refuse' | 'estimate';

/** Temporal's priority and fairness of a run's tasks. */
export interface RunPriority {
  /** 1 is the highest, 5 the lowest; 3 is usual. */
  priorityKey?: number;
  /** Runs with different keys get their turns in proportion to their weights. */
  fairnessKey?: string;
  fairnessWeight?: number;
}

/** A run that goes on from where another one ended. */
export interface ForkInput {
  /** Its id. */
  of: string;
  /** Its last state, see `snapshot.ts`. */
  snapshot: unknown;
  /** Said to the model at the start; absent: that it may go on. */
  say?: string;
}

/** How hard the model shall think: OpenRouter's efforts. */
export const REASONING_EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

/** See {@link REASONING_EFFORTS}. */
export type ReasoningEffort = (typeof REASONING_EFFORTS)[number];

/** How a model shall think. */
export interface ReasoningOptions {
  effort?: ReasoningEffort;
  /** Tokens that it may think; in the place of an effort. */
  maxTokens?: number;
  /** It thinks, and nobody is shown what. */
  exclude?: boolean;
}

/** What is run to see whether an answer holds: a tool of the run, or a command, which is the shell tool with it. */
export type ReviewCheck = { tool: string; args?: JsonObject } | { command: string };

/** How answers are reviewed before they count. */
export interface ReviewInput {
  /** How often at most. Default 3. */
  rounds?: number;
  /** The model that reviews; default: the one that answered. */
  model?: string;
  /** Run before each review; their results are evidence. */
  checks?: ReviewCheck[];
  /** What follows the last round when the reviewer still disagrees. Default `report`. */
  onDisagreement?: 'report' | 'ask';
  /** The share of the cost ceiling that reviewers may spend, 0 to 1. Default 0.25. */
  budgetShare?: number;
}

/** See {@link RunInput.taint}. */
export type TaintPolicy = 'ask' | 'off';

/** The run that has delegated its goal, as a sub-agent is told of it. */
export interface ParentInput {
  runId: string;
  /** The key of the work that the sub-agent is. */
  key: string;
  /** The run that a human has started, and the ids of the calls from there to this sub-agent. */
  rootId: string;
  path: string;
  /** 1 for a sub-agent of that run. */
  depth: number;
  /** Content from outside had entered the context in which the goal was written. */
  tainted?: boolean;
  /** As in {@link Prepared}: what servers said of their tools when the run that a human has started began. */
  pins?: Readonly<Record<string, string>>;
  pinnedId?: string;
}

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
  /** Default `refuse`. */
  unpricedModels?: UnpricedModels;
  /** A budget shared with other runs, from which this one draws. */
  budget?: string;
  priority?: RunPriority;
  /** Lands after a call of one of these tools has ended. */
  stopOnTool?: string[];
  reasoning?: ReasoningEffort | ReasoningOptions;
  temperature?: number;
  maxOutputTokens?: number;
  /** The API of the model server that is spoken; default: as the worker is configured. */
  wire?: 'chat' | 'responses';
  /** JSON Schema of the answer. */
  schema?: JsonObject;
  /** Answers are reviewed before they count. */
  review?: ReviewInput | boolean;
  /** Prompt tokens, with those reserved for the answer, at which the conversation is shortened; default: what the model takes. */
  compactAtTokens?: number;
  /** Values that the tools of the run share from the start. */
  shared?: JsonObject;
  /** The run stays after its answer and waits for the next message. */
  session?: boolean | { idleMs?: number };
  /** Whose signed decisions alone count: lines of `longhaul keys`. */
  approvers?: string[];
  /** Who asked for the run. */
  requestedBy?: string;
  /** Told when a human is asked, and when the run has ended. */
  webhookUrl?: string;
  /** Whether tools with side effects need a decision once content from outside has entered the context. Default `ask`. */
  taint?: TaintPolicy;
  /** Written by the run that delegates. */
  parent?: ParentInput;
  /** Written by the client, see `longhaul fork`. */
  fork?: ForkInput;
}

/** What is known of a model. */
export interface ModelFacts {
  /** `null`: the server's list names none. */
  price: ModelPrice | null;
  /** The price is assumed, see `ASSUMED_PRICE`; where that is not allowed, it stands for one that could not be read yet, and nothing is sent at it. */
  assumed?: true;
  /** Longest answer and longest request with answer, in tokens. */
  maxOutputTokens: number | null;
  contextLength: number | null;
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
  /** By model name. A model is missing when the server could not be asked. Absent before behaviour 2. */
  modelFacts?: Readonly<Record<string, ModelFacts>>;
  unpricedModels?: UnpricedModels;
  /** The shared budget that the run draws from. */
  budget?: string;
  /** By tool name: what a server outside said of the tool at the start of the run, see `Tool.specHash`. */
  pins?: Readonly<Record<string, string>>;
  /** Where the specs of these tools are kept, a JSON list. */
  pinnedId?: string;
  /** JSON of the tools' names, descriptions and schemas, which are a part of each prompt. */
  toolsSizeBytes?: number;
  /** Absent before behaviour 3. */
  taint?: TaintPolicy;
  /** The run is a session, and ends when nobody has said anything for so long. */
  idleMs?: number;
  /** Absent before behaviour 4, where it was `chat`. */
  wire?: 'chat' | 'responses';
  /** Answers are reviewed, and how. `checks`: as the worker has judged them. */
  review?: Omit<ReviewInput, 'checks' | 'rounds'> & { rounds: number; checks: PlannedCall[] };
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

/** Largest shared values of a run, in characters of JSON. */
export const MAX_SHARED_CHARS = 16_384;

/** No ceilings at all. */
export const NO_LIMITS: Limits = { maxCostUsd: null, maxSteps: null, maxTokens: null, maxDurationMs: null };
