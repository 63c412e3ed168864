import type { UnpricedModels } from '../../core/run-input.js';
import type { Tool } from '../../ports/tools.js';

/** How to reach an MCP server: a program to start, or an address. */
export type McpServer =
  | { command: string; args?: string[]; env?: Record<string, string> }
  | { url: string; headers?: Record<string, string> };

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
  /** By a name of the user's choice. Refused when the module is loaded: not available in this version. */
  mcpServers?: Record<string, McpServer>;
  defaults?: RunDefaults;
  /** By model id. They win over what the server lists, and make runs with `maxCostUsd` possible where it lists nothing. */
  prices?: Record<string, PriceConfig>;
}

/** Types a configuration module. Checking happens when it is loaded, so that one error can name the file. */
export function defineConfig(config: LonghaulConfig): LonghaulConfig {
  return config;
}
