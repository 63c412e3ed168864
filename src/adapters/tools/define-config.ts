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
}

/** What a configuration module exports by default. Contract §3. */
export interface LonghaulConfig {
  /** Made with `defineTool`. */
  tools?: Tool[];
  /** By a name of the user's choice. Refused when the module is loaded: not available in this version. */
  mcpServers?: Record<string, McpServer>;
  defaults?: RunDefaults;
}

/** Types a configuration module. Checking happens when it is loaded, so that one error can name the file. */
export function defineConfig(config: LonghaulConfig): LonghaulConfig {
  return config;
}
