import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { AgentError } from '../../core/errors.js';
import { devServerArgs } from './dev-server-args.js';
import { findFreePort, isPortFree } from './free-port.js';
import { prepareNamespace } from './namespace.js';
import type { CommandEnvironment } from './run-command.js';
import { startServerProcess } from './server-process.js';
import type { ProcessEnd, ServerProcess } from './server-process.js';

/** A fresh server answers after about half a second; a slow disk or a large database takes longer. */
const READY_TIMEOUT_MS = 60_000;
const LOOK_EVERY_MS = 100;
/** Keeps the Web UI from loading news from the internet. Older releases do not know it; 1.5.1 is one. */
const NO_NEWS = '--ui-disable-news-fetch';
/** Ports that were free when they were looked for may be taken by the time the server listens on them. */
const CURABLE = new RegExp(`address already in use|unknown flag: ${NO_NEWS}`, 'i');
const TRIES = 3;

/** How the dev server is started. */
export interface DevServerOptions {
  /** Path of the Temporal CLI, see `findTemporalBinary`. */
  binary: string;
  /** The SQLite database; made when missing. All runs are in it. */
  dbFile: string;
  /** Gets the server's output, appended. */
  logFile: string;
  /** Default `127.0.0.1`. */
  ip?: string;
  /** Port of the gRPC frontend; 0 (default) takes a free one. */
  port?: number;
  /** Port of the Web UI; 0 (default) takes a free one. */
  uiPort?: number;
  /** Default `default`. */
  namespace?: string;
  /** Without the Web UI. Default false. */
  headless?: boolean;
  /** More arguments for `temporal server start-dev`. A repeated setting wins over the one here. */
  extraArgs?: readonly string[];
  /** Environment of the server. Default: that of this process. */
  env?: CommandEnvironment;
}

/** A Temporal dev server that answers. */
export interface DevServer {
  /** `host:port` of the gRPC frontend. */
  address: string;
  /** `null` when headless. */
  uiUrl: string | null;
  pid: number;
  /** Resolves when the server is gone, for whatever reason. */
  ended: Promise<ProcessEnd>;
  /** Ends it gracefully (about a second), by force after 5 s. Stop its clients and workers first. */
  stop(): Promise<void>;
}

/**
 * Starts a Temporal server with a file database and waits until it answers and has the search attributes of agent runs. Started again on
 * the same file, it carries every run on, however it ended before. The server does not outlive this process, and Ctrl-C in the terminal does not reach it.
 * @throws CONFIG_INVALID when a port is in use or another server has the database open
 * @throws TEMPORAL_UNREACHABLE when it ends at start or does not answer in 60 s; the message has its last log lines
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const ip = options.ip ?? '127.0.0.1';
  await refuseTakenPorts(ip, options);
  await mkdir(dirname(options.dbFile), { recursive: true });
  let optionalArgs = [NO_NEWS];
  for (let triesLeft = TRIES; ; triesLeft -= 1) {
    const port = options.port || (await findFreePort(ip));
    const uiPort = options.headless ? null : options.uiPort || (await findFreePort(ip));
    const { binary, logFile, env } = options;
    const args = [...devServerArgs({ ...options, ip, port, uiPort }), ...optionalArgs];
    const server = await startServerProcess({ binary, args, logFile, ...(env && { env }) });
    const address = `${ip}:${port}`;
    const problem = await waitUntilReady(server, address, options.namespace ?? 'default');
    if (problem === null)
      return {
        address,
        uiUrl: uiPort === null ? null : `http://${ip}:${uiPort}`,
        pid: server.pid,
        ended: server.ended,
        stop: () => server.stop(),
      };
    await server.stop();
    if (triesLeft === 1 || !CURABLE.test(problem)) throw startError(options, problem);
    if (problem.includes('unknown flag')) optionalArgs = [];
  }
}

/**
 * Refuses ports that something listens on. To be asked before a binary is built for minutes.
 * @throws AgentError `CONFIG_INVALID`
 */
export async function refuseTakenPorts(
  ip: string,
  { port, uiPort, headless }: Pick<DevServerOptions, 'port' | 'uiPort' | 'headless'>,
): Promise<void> {
  if (port && !(await isPortFree(ip, port))) {
    throw new AgentError(
      'CONFIG_INVALID',
      `Port ${port} of ${ip} is in use. Choose another with --port, or use the Temporal server that listens there: TEMPORAL_ADDRESS=${ip}:${port}`,
      {
        details: { ip, port },
      },
    );
  }
  if (uiPort && !headless && !(await isPortFree(ip, uiPort))) {
    throw new AgentError(
      'CONFIG_INVALID',
      `Port ${uiPort} of ${ip} is in use, so Temporal's Web UI cannot listen there. Choose another with --ui-port`,
      {
        details: { ip, port: uiPort },
      },
    );
  }
}

/** Returns `null` once the server can be used, or else what it said before it ended. */
async function waitUntilReady(
  server: ServerProcess,
  address: string,
  namespace: string,
): Promise<string | null> {
  const stopTrying = new AbortController();
  const giveUp = setTimeout(() => stopTrying.abort(), READY_TIMEOUT_MS);
  const ended = server.ended.then(
    ({ code, signal }) => `It ended at start (${signal ?? `exit code ${code}`}).`,
  );
  try {
    const problem = await Promise.race([ended, prepareWhenUp(address, namespace, stopTrying.signal)]);
    if (problem === null) return null;
    return `${problem}\n${await server.logTail()}`;
  } finally {
    clearTimeout(giveUp);
    stopTrying.abort();
  }
}

async function prepareWhenUp(
  address: string,
  namespace: string,
  signal: AbortSignal,
): Promise<string | null> {
  for (;;) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: '2s' });
      try {
        await prepareNamespace(connection, namespace);
        return null;
      } finally {
        await connection.close();
      }
    } catch (error) {
      if (signal.aborted)
        return `It did not answer within ${READY_TIMEOUT_MS / 1000} s (${error instanceof Error ? error.message : String(error)}).`;
      await delay(LOOK_EVERY_MS);
    }
  }
}

function startError({ dbFile, logFile }: DevServerOptions, problem: string): AgentError {
  if (/database is locked/i.test(problem)) {
    return new AgentError(
      'CONFIG_INVALID',
      `Another server has the database ${dbFile} open. Stop it, or choose another file with --db.`,
      { details: { dbFile } },
    );
  }
  return new AgentError(
    'TEMPORAL_UNREACHABLE',
    `The Temporal server did not start. ${problem}\nIts log: ${logFile}`,
    { details: { dbFile, logFile } },
  );
}
