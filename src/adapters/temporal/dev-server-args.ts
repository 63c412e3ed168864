import { AGENT_SEARCH_ATTRIBUTES } from './search-attributes.js';

/** What the arguments of a dev server depend on. */
export interface DevServerArgs {
  ip: string;
  port: number;
  /** `null`: without the Web UI. */
  uiPort: number | null;
  dbFile: string;
  namespace?: string;
  extraArgs?: readonly string[];
}

const DYNAMIC_CONFIG = {
  // The dev server has one history shard and polls its transfer queue 20 times a second by default, so each task waits up to 50 ms: a
  // sequential activity took 93 ms, and takes 12 ms with this (measured on server 1.31.2, 2 cores).
  'history.transferProcessorMaxPollRPS': 2000,
  'system.enableActivityEagerExecution': true,
  'matching.enableFairness': true,
  'frontend.WorkflowPauseEnabled': true,
  // An update of 2 to 4 MiB gets past the server, but its run cannot even refuse it under the usual 2 MiB: each answer repeats the update,
  // so the run stands still until the caller gives up, or for ever (measured on server 1.31.2).
  'limit.blobSize.error': 4_194_304,
};

const SQLITE_PRAGMAS = {
  journal_mode: 'WAL',
  // Every commit reaches the disk: with NORMAL a power cut could take back what a worker was told is done.
  synchronous: 'FULL',
  // The server uses one connection. It holds the file's lock while it lives, so a second server on the same file is refused.
  locking_mode: 'EXCLUSIVE',
};

/** Arguments of `temporal` that start a dev server for agents. */
export function devServerArgs({
  ip,
  port,
  uiPort,
  dbFile,
  namespace = 'default',
  extraArgs = [],
}: DevServerArgs): string[] {
  return [
    // Left at its default, warn, the log level makes the server end without a burst of warnings.
    'server',
    'start-dev',
    `--ip=${ip}`,
    `--port=${port}`,
    `--namespace=${namespace}`,
    `--db-filename=${dbFile}`,
    ...(uiPort === null ? ['--headless'] : [`--ui-port=${uiPort}`]),
    ...repeated('--sqlite-pragma', SQLITE_PRAGMAS),
    ...repeated('--dynamic-config-value', DYNAMIC_CONFIG),
    // Only a new database file heeds these; for all others they are added once the server is up.
    ...repeated('--search-attribute', AGENT_SEARCH_ATTRIBUTES),
    ...extraArgs,
  ];
}

function repeated(flag: string, values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${String(value)}`]);
}
