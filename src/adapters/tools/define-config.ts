import type { z } from 'zod';
import type { TaintPolicy, UnpricedModels } from '../../core/run-input.js';
import type { Tool, ToolEffect } from '../../ports/tools.js';

/** What holds for the tools of an MCP server, however it is reached. Tools are named as the server names them. */
export interface McpServerOptions {
  /** Only these tools. @defaultValue all that the server has */
  tools?: string[];
  /** What running a tool twice would mean, by tool. Wins over what the server says. @defaultValue `'once'` for each */
  effects?: Record<string, ToolEffect>;
  /** Who lets calls run, for all tools of the server. @defaultValue `'always'` for the effect `'once'`, else `'never'` */
  approval?: 'always' | 'never';
  /**
   * Believes what the server says of its tools. `readOnlyHint` makes a tool `read`, without a gate. `idempotentHint` makes it
   * `idempotent`, without a gate only together with `destructiveHint: false`: a deletion may be repeated, but not taken back. Any
   * other tool stays `once` and gated, also one that destroys nothing: what it adds a second time may be a second payment.
   * @defaultValue false
   */
  trustAnnotations?: boolean;
  /** How long one call may take, in milliseconds. @defaultValue 60_000 */
  timeoutMs?: number;
  /** How long starting the server, greeting it and reading its list of tools may take, in milliseconds. @defaultValue 60_000 */
  connectTimeoutMs?: number;
}

/**
 * How to reach an MCP server: a program to start, which is spoken to over its standard input and output, or the address of its
 * streamable HTTP endpoint. The program sees `env` and of the worker's environment only `PATH`, `HOME` and the like.
 */
export type McpServer = McpServerOptions &
  (
    | { command: string; args?: string[]; env?: Record<string, string> }
    | { url: string; headers?: Record<string, string> }
  );

/** What runs get that do not say it themselves. */
export interface RunDefaults {
  model?: string;
  maxCostUsd?: number;
  maxSteps?: number;
  maxTokens?: number;
  maxDurationMs?: number;
  /** What a run with `maxCostUsd` does with a model whose price nobody knows: refuse it, or take it for a dear one. */
  unpricedModels?: UnpricedModels;
  /** The shared budget that runs draw from. */
  budget?: string;
  /** Whether tools with side effects need a decision once content from outside has entered the context. Default `ask`. */
  taint?: TaintPolicy;
}

/** What tokens cost, in US dollars for a million of them. */
export interface TokenPriceConfig {
  promptUsdPerMillion: number;
  /** Written tokens, reasoning included. */
  completionUsdPerMillion: number;
  /** Prompt tokens that the provider's cache already had. Default: as `promptUsdPerMillion`. */
  cacheReadUsdPerMillion?: number;
  /** Prompt tokens that go into the provider's cache. Default: as `promptUsdPerMillion`. */
  cacheWriteUsdPerMillion?: number;
}

/** What a model costs. */
export interface PriceConfig extends TokenPriceConfig {
  /** For each request, whatever its size. Default 0. */
  requestUsd?: number;
  /** For each image in the prompt. Default: images are counted as tokens. */
  imageUsd?: number;
  audioUsdPerMillion?: number;
  /** Prices that take the place of all token prices above, for prompts of that size and larger. */
  tiers?: (TokenPriceConfig & { minPromptTokens: number })[];
}

/** What a configuration module exports by default. Contract §3. */
export interface LonghaulConfig {
  /** Made with `defineTool`. */
  tools?: Tool[];
  /** By a name of the user's choice: letters, digits, `_` and `-`, at most 32. The model sees its tools as `<name>__<tool>`. */
  mcpServers?: Record<string, McpServer>;
  defaults?: RunDefaults;
  /** By model id. They win over what the server lists, and make runs with `maxCostUsd` possible where it lists nothing. */
  prices?: Record<string, PriceConfig>;
  /**
   * A zod 4 object schema of the values that the tools of a run share (`ctx.shared`). They are held against it as a whole, at the start
   * and whenever a tool changes them, so each that need not be there from the start is optional. Default: any JSON.
   */
  shared?: z.core.$ZodObject;
}

/** Types a configuration module. Checking happens when it is loaded, so that one error can name the file. */
export function defineConfig(config: LonghaulConfig): LonghaulConfig {
  return config;
}
