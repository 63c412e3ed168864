import { existsSync } from 'node:fs';
import { extname, isAbsolute, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { isBudgetName } from '../core/money/budget-check.js';
import { AgentError } from '../core/errors.js';
import type { ModelPrice } from '../core/money/price.js';
import type { Tool } from '../ports/tools.js';
import { mcpServersConfig } from './mcp/server-config.js';
import { priceConfig } from './openrouter/price-config.js';
import type { McpServer, RunDefaults } from './tools/define-config.js';
import { isTool } from './tools/define-tool.js';

/** What the configuration module says; empty where there is none. */
export interface LoadedConfigModule {
  /** Absolute; `null` when there is no module. */
  file: string | null;
  tools: Tool[];
  /** By the name that the names of their tools begin with. */
  mcpServers: Record<string, McpServer>;
  defaults: RunDefaults;
  /** By model id, in the place of what the server lists. */
  prices: Record<string, ModelPrice>;
  /** What values the tools of a run may share; absent: any. */
  shared?: z.core.$ZodType;
}

/** In the order in which they are looked for. */
const DEFAULT_FILES = ['longhaul.config.ts', 'longhaul.config.mjs', 'longhaul.config.js'];
const MAX_REASON_CHARS = 600;

const positive = z.number('must be a number').positive('must be above 0').optional();
const shape = z.strictObject({
  tools: z
    .array(z.custom<Tool>(isTool, 'is no tool: make it with defineTool({…})'), 'must be a list of tools')
    .default([]),
  mcpServers: mcpServersConfig.default({}),
  defaults: z
    .strictObject({
      model: z.string('must be a model name').min(1, 'must be a model name').optional(),
      maxCostUsd: positive,
      maxSteps: positive,
      maxTokens: positive,
      maxDurationMs: positive,
      unpricedModels: z.enum(['refuse', 'estimate'], 'must be "refuse" or "estimate"').optional(),
      budget: z.custom<string>(isBudgetName, 'must be the name of a budget').optional(),
      taint: z.enum(['ask', 'off'], 'must be "ask" or "off"').optional(),
    })
    .default({}),
  prices: priceConfig.default({}),
  shared: z
    .custom<z.core.$ZodType>(
      (value) => Object(value) === value && '_zod' in Object(value),
      'must be a zod 4 schema',
    )
    .optional(),
});

/**
 * Loads the configuration module: `path` when given, else the first `longhaul.config.{ts,mjs,js}` in `cwd`, else nothing.
 * TypeScript needs no build.
 * @throws AgentError `CONFIG_INVALID` naming the file and the reason: not there, does not load, wrong shape.
 */
export async function loadConfigModule(options: {
  cwd: string;
  path?: string | null;
}): Promise<LoadedConfigModule> {
  const file = findFile(options);
  if (file === null) return { file, tools: [], mcpServers: {}, defaults: {}, prices: {} };
  const name = displayName(file, options.cwd);
  const result = shape.safeParse(await importDefault(file, name));
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => `${label(path)} ${message}`);
    throw new AgentError('CONFIG_INVALID', `Correct the default export of ${name}: ${problems.join('; ')}.`);
  }
  const { tools, mcpServers, defaults, prices, shared } = result.data;
  return { file, tools, mcpServers, defaults: withoutUndefined(defaults), prices, ...(shared && { shared }) };
}

function findFile({ cwd, path }: { cwd: string; path?: string | null }): string | null {
  if (path === undefined || path === null) {
    return DEFAULT_FILES.map((name) => resolve(cwd, name)).find((file) => existsSync(file)) ?? null;
  }
  const file = resolve(cwd, path);
  if (!existsSync(file))
    throw new AgentError(
      'CONFIG_INVALID',
      `LONGHAUL_CONFIG names ${displayName(file, cwd)}, which does not exist.`,
    );
  return file;
}

async function importDefault(file: string, name: string): Promise<unknown> {
  const url = pathToFileURL(file).href;
  let exported: unknown;
  try {
    exported = /^\.[cm]?ts$/.test(extname(file)) ? await importTypeScript(url) : await import(url);
  } catch (cause) {
    throw new AgentError('CONFIG_INVALID', `${name} cannot be loaded: ${reasonOf(cause)}`, { cause });
  }
  const value = defaultOf(exported);
  // A file that was taken for CommonJS arrives with its whole export object as the default.
  const config = isObject(value) && '__esModule' in value ? defaultOf(value) : value;
  if (config === undefined) {
    throw new AgentError(
      'CONFIG_INVALID',
      `${name} has no default export. Write: export default defineConfig({ … }).`,
    );
  }
  return config;
}

async function importTypeScript(url: string): Promise<unknown> {
  // Loaded only when needed: it brings a compiler.
  const { tsImport } = await import('tsx/esm/api');
  return tsImport(url, import.meta.url);
}

function defaultOf(value: unknown): unknown {
  return isObject(value) && 'default' in value ? value.default : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function reasonOf(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).replace(
    /\nRequire stack:[^]*$/,
    '',
  );
  const reason = message.length > MAX_REASON_CHARS ? `${message.slice(0, MAX_REASON_CHARS)}…` : message;
  const isOurs = /^Cannot find (package|module) '(longhaul['/]|.*[\\/]dist[\\/])/.test(message);
  if (isOurs)
    return `${reason}. Run beside it: npm install longhaul (from a clone: npm run build, then npm link in it, npm link longhaul here)`;
  const [, missing] = /^Cannot find (?:package|module) '([@\w][^'\\]*)'/.exec(message) ?? [];
  return missing ? `${reason}. Run beside it: npm install ${missing}` : reason;
}

function displayName(file: string, cwd: string): string {
  const short = relative(cwd, file);
  return short.startsWith('..') || isAbsolute(short) ? file : short;
}

function label(path: readonly PropertyKey[]): string {
  return path.length === 0
    ? 'it'
    : path
        .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
        .join('')
        .slice(1);
}

/** The optional properties of {@link RunDefaults} are absent when not given, zod's are undefined. */
function withoutUndefined(defaults: {
  [Key in keyof RunDefaults]: RunDefaults[Key] | undefined;
}): RunDefaults {
  return Object.fromEntries(Object.entries(defaults).filter(([, value]) => value !== undefined));
}
