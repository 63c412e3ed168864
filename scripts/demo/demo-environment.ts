import { isAbsolute, join, relative } from 'node:path';
import { DEFAULT_BASE_URL, loadConfig, type Config } from '../../src/config.js';
import type { Mode } from './demo-state.js';

/** What `npm run demo` may be told. */
export interface DemoOptions {
  /** Without pauses between the words of the stand-in. */
  isFast: boolean;
  /** `null`: the usual one when it is free, else any. */
  port: number | null;
  uiPort: number | null;
}

/** Everything that is settled before anything is started. */
export interface DemoPlan extends DemoOptions {
  root: string;
  mode: Mode;
  /** Where database, logs and state of the demos are. */
  dir: string;
  isEmbedded: boolean;
  config: Config;
  /** The environment of the worker, but for what the servers add. */
  env: Record<string, string | undefined>;
}

/**
 * Reads the environment. An embedded server is no business of the user's Temporal profile, so this also takes that out of `env`.
 * @throws AgentError `CONFIG_INVALID`
 */
export function prepareDemo(
  env: Record<string, string | undefined>,
  options: DemoOptions & { root: string },
): DemoPlan {
  const { root } = options;
  const isEmbedded = !env['TEMPORAL_ADDRESS']?.trim();
  if (isEmbedded) {
    for (const name of Object.keys(env)) if (name.startsWith('TEMPORAL_')) delete env[name];
    // A file that does not exist counts as none; an empty one is an error of the SDK.
    env['TEMPORAL_CONFIG_FILE'] = join(root, 'no-profile.toml');
  }
  const mode: Mode = env['OPENROUTER_API_KEY']?.trim() ? 'openrouter' : 'stand-in';
  const demoEnv = {
    ...env,
    LONGHAUL_WORKSPACE: root,
    // Each kind has a queue of its own, so that a worker never takes up runs of the other kind.
    LONGHAUL_TASK_QUEUE: `longhaul-demo-${mode}`,
    ...(mode === 'stand-in' && { OPENROUTER_BASE_URL: DEFAULT_BASE_URL, LONGHAUL_MODEL: 'stand-in/agent' }),
  };
  const config = loadConfig(demoEnv, root);
  return { ...options, mode, dir: join(config.dataDir, 'demo'), isEmbedded, config, env: demoEnv };
}

/** What the worker is told of the servers. */
export function workerEnvironment(
  { env, config }: DemoPlan,
  at: { address: string | null; standInUrl: string | null },
): Record<string, string | undefined> {
  return {
    ...env,
    LONGHAUL_DATA_DIR: config.dataDir,
    ...(at.address !== null && { TEMPORAL_ADDRESS: at.address }),
    ...(at.standInUrl !== null && { OPENROUTER_API_KEY: 'stand-in', OPENROUTER_BASE_URL: at.standInUrl }),
  };
}

/** A path as a person in the clone would write it. */
export function shownPath(root: string, path: string): string {
  const short = relative(root, path);
  return short.startsWith('..') || isAbsolute(short) ? path : short;
}
