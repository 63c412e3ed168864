import { accessSync, constants, statSync } from 'node:fs';
import { loadConfigModule, type LoadedConfigModule } from '../adapters/config-module.js';
import { createOpenRouterModel } from '../adapters/openrouter/model.js';
import { connectPlain, temporalTarget } from '../adapters/temporal/connect.js';
import { findTemporal } from '../adapters/temporal/dev-file.js';
import { lookForTemporalBinary } from '../adapters/temporal/find-temporal.js';
import { askServer, type ServerHealth } from '../adapters/temporal/health.js';
import { createBuiltinTools } from '../adapters/tools/builtin-tools.js';
import { createToolRegistry } from '../adapters/tools/registry.js';
import type { Check } from '../cli/check.js';
import { commandEnvironment, loadConfig, requireModelKey, type Config } from '../config.js';
import { isAgentError, type ErrorCode } from '../core/errors.js';
import type { ModelPort } from '../ports/model.js';

/** What `engines` of the package asks for. */
const OLDEST_NODE = [20, 19] as const;

/** Looks at everything that a run needs, one thing after the other. Changes nothing and never throws. */
export async function* examine(): AsyncGenerator<Check> {
  yield checkNode(process.versions.node);
  let config: Config;
  try {
    config = loadConfig();
    yield ok('environment', `data in ${config.dataDir}`);
  } catch (error) {
    return yield failed('environment', error, 'CONFIG_INVALID');
  }
  const module = await checked('configuration', () =>
    loadConfigModule({ cwd: process.cwd(), path: config.configPath }),
  );
  yield* 'check' in module
    ? [module.check]
    : [ok('configuration', module.value.file ?? 'no configuration module; the built-in tools alone')];
  yield checkWorkspace(config.workspace);
  if ('value' in module) yield checkTools(config, module.value);
  yield* checkTemporal(config);
  yield* checkModel(config, 'value' in module ? module.value : null);
}

function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  if (isNew) return ok('Node', version);
  return {
    name: 'Node',
    status: 'fail',
    detail: `${version} is too old`,
    mend: `Install Node ${OLDEST_NODE.join('.')} or newer.`,
    code: 'CONFIG_INVALID',
  };
}

function checkWorkspace(workspace: string): Check {
  try {
    if (!statSync(workspace).isDirectory()) throw new Error('it is no directory');
    accessSync(workspace, constants.R_OK | constants.W_OK);
    return ok('workspace', workspace);
  } catch (error) {
    const detail = `${workspace} cannot be used: ${messageOf(error)}`;
    return {
      name: 'workspace',
      status: 'fail',
      detail,
      mend: 'Set LONGHAUL_WORKSPACE to a directory that can be written.',
      code: 'CONFIG_INVALID',
    };
  }
}

function checkTools({ workspace, dataDir, shell }: Config, module: LoadedConfigModule): Check {
  try {
    const names = createToolRegistry(module.tools, createBuiltinTools({ workspace, dataDir, shell })).names();
    return ok('tools', names.join(', '));
  } catch (error) {
    return failed('tools', error, 'CONFIG_INVALID');
  }
}

async function* checkTemporal(config: Config): AsyncGenerator<Check> {
  const health = await checked('Temporal', () => askTemporal(config));
  if ('check' in health) {
    yield { ...health.check, mend: await howToGetTemporal() };
    return;
  }
  const { value } = health;
  yield ok('Temporal', `server ${value.version} at ${value.address}, namespace ${value.namespace}`);
  const missing = value.missingAttributes;
  yield missing.length === 0
    ? ok('search attributes', 'all there')
    : warning(
        'search attributes',
        `missing: ${missing.join(', ')}`,
        'A worker adds them when it starts, if it may; or: temporal operator search-attribute create. Runs work without them.',
      );
  yield value.workers.length > 0
    ? ok('worker', `${value.workers.join(', ')} on task queue ${config.taskQueue}`)
    : warning(
        'worker',
        `none on task queue ${config.taskQueue}`,
        'Runs wait for one. Start it: longhaul worker',
      );
}

async function askTemporal(config: Config): Promise<ServerHealth & { address: string; namespace: string }> {
  const { address } = findTemporal(config.dataDir);
  const { namespace } = temporalTarget();
  const connection = await connectPlain({ address });
  try {
    return {
      address,
      namespace,
      ...(await askServer(connection, { namespace, taskQueue: config.taskQueue })),
    };
  } finally {
    await connection.close();
  }
}

async function howToGetTemporal(): Promise<string> {
  const found = await lookForTemporalBinary({ env: commandEnvironment() }).catch(() => null);
  const way = found
    ? `it uses ${found.path}, version ${found.version}`
    : 'it downloads or builds the Temporal CLI the first time';
  return `Start one: longhaul dev (${way}). Or set TEMPORAL_ADDRESS to one that runs.`;
}

async function* checkModel(config: Config, module: LoadedConfigModule | null): AsyncGenerator<Check> {
  const { baseUrl } = config.openrouter;
  const key = await checked('model key', async () => {
    const apiKey = requireModelKey(config) ?? 'none';
    const { stallTimeoutMs, firstContentTimeoutMs } = config;
    const prices = module?.prices ?? {};
    const port = createOpenRouterModel({ apiKey, baseUrl, stallTimeoutMs, firstContentTimeoutMs, prices });
    return { port, ...(await port.checkKey()) };
  });
  if ('check' in key) {
    yield forWantOfKey(key.check);
    return;
  }
  const { port, ...said } = key.value;
  yield judgeKey(baseUrl, said);
  const model = module?.defaults.model ?? config.model;
  const info = await checked('model', () => port.describe(model));
  if ('check' in info) yield info.check;
  else if (info.value === null)
    yield {
      name: 'model',
      status: 'fail',
      detail: `${baseUrl} has no model ${model}`,
      mend: 'Set LONGHAUL_MODEL to one of its models.',
      code: 'CONFIG_INVALID',
    };
  else if (info.value === undefined)
    yield warning(
      'model',
      `${model}; the server has no list to look it up in`,
      'The first run shows whether it is there.',
    );
  else
    yield ok(
      'model',
      `${model}${info.value.contextLength === null ? '' : `, context of ${info.value.contextLength.toLocaleString('en')} tokens`}`,
    );
}

/** Shows a way without a key where that is what is wrong: it is not set, or it is refused. */
function forWantOfKey(check: Check): Check {
  if (check.code !== 'CONFIG_INVALID' && check.code !== 'MODEL_AUTH') return check;
  return {
    ...check,
    mend: `${check.mend ?? ''} To try things out without a key: longhaul dev --stand-in`,
  };
}

function judgeKey(
  baseUrl: string,
  { limitRemainingUsd, unchecked }: Awaited<ReturnType<ModelPort['checkKey']>>,
): Check {
  if (unchecked)
    return warning(
      'model key',
      `not checked: ${baseUrl} has no endpoint /key to ask about it`,
      'The first run shows whether the server accepts it.',
    );
  if (limitRemainingUsd !== null && limitRemainingUsd <= 0)
    return warning(
      'model key',
      `accepted by ${baseUrl}, but nothing is left to spend`,
      'Add credit, or raise the limit of the key.',
    );
  const left = limitRemainingUsd === null ? '' : `, $${limitRemainingUsd.toFixed(2)} left`;
  return ok('model key', `accepted by ${baseUrl}${left}`);
}

async function checked<T>(name: string, look: () => Promise<T>): Promise<{ value: T } | { check: Check }> {
  try {
    return { value: await look() };
  } catch (error) {
    return { check: failed(name, error) };
  }
}

function ok(name: string, detail: string): Check {
  return { name, status: 'ok', detail, mend: null };
}

function warning(name: string, detail: string, mend: string): Check {
  return { name, status: 'warn', detail, mend };
}

function failed(name: string, error: unknown, code?: ErrorCode): Check {
  const known = isAgentError(error)
    ? { mend: error.hint, code: error.code }
    : { mend: null, ...(code && { code }) };
  return { name, status: 'fail', detail: messageOf(error), ...known };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
