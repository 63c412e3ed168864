import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { connectionInterceptors } from '../../src/adapters/temporal/closed-channel.js';
import { startDevServer } from '../../src/adapters/temporal/dev-server.js';
import type { DevServer } from '../../src/adapters/temporal/dev-server.js';
import { findTemporalBinary } from '../../src/adapters/temporal/find-temporal.js';

/** A first build takes minutes; `npm test` does it before. */
const START_TIMEOUT_MS = 900_000;
const STOP_TIMEOUT_MS = 30_000;

// Workers tell of every change of their state otherwise, and warn of every workflow that a test makes fail.
Runtime.install({ logger: new DefaultLogger('ERROR') });

/** A Temporal server for the tests of one file, connected. Usable from `beforeAll` on. */
export class TestServer {
  #connected: Connected | null = null;

  async connect(address: string): Promise<void> {
    const connection = await Connection.connect({ address, interceptors: connectionInterceptors() });
    const nativeConnection = await NativeConnection.connect({ address });
    this.#connected = { address, connection, nativeConnection, client: new Client({ connection }) };
  }

  async close(): Promise<void> {
    await this.#connected?.nativeConnection.close();
    await this.#connected?.connection.close();
  }

  /** `host:port`. */
  get address(): string {
    return this.#members.address;
  }

  get connection(): Connection {
    return this.#members.connection;
  }

  get nativeConnection(): NativeConnection {
    return this.#members.nativeConnection;
  }

  /** With the default data converter, namespace `default`. */
  get client(): Client {
    return this.#members.client;
  }

  get #members(): Connected {
    if (this.#connected === null)
      throw new Error('The Temporal server is there from beforeAll on, not before.');
    return this.#connected;
  }
}

interface Connected {
  address: string;
  connection: Connection;
  nativeConnection: NativeConnection;
  client: Client;
}

/** A server that nobody else uses. */
export class OwnTestServer extends TestServer {
  #server: Promise<DevServer> | null = null;

  constructor(private readonly start: (port: number) => Promise<DevServer>) {
    super();
  }

  async startAndConnect(): Promise<void> {
    this.#server = this.start(0);
    await this.connect((await this.#server).address);
  }

  /** SIGKILL. Resolves when it is gone. */
  async kill(): Promise<void> {
    const server = await this.#server;
    this.#server = null;
    if (server === null) return;
    process.kill(server.pid, 'SIGKILL');
    await server.ended;
  }

  /** Starts it again (after SIGKILL when it is up) with the same database, port and arguments. Connections find it again. */
  async restart(): Promise<void> {
    await this.kill();
    this.#server = this.start(Number(this.address.split(':')[1]));
    await this.#server;
  }
}

/**
 * The server that all test files of a run share; started when the first asks. Workflow ids and task queues must be the test's own, see
 * {@link uniqueName}. Do not kill it.
 */
export function useTemporalServer(): TestServer {
  const server = new TestServer();
  beforeAll(async () => server.connect(await sharedAddress()), START_TIMEOUT_MS);
  afterAll(() => server.close(), STOP_TIMEOUT_MS);
  return server;
}

/** A server of the test file's own, to kill, restart, or start with arguments such as `--dynamic-config-value`. */
export function useOwnTemporalServer(options: { extraArgs?: readonly string[] } = {}): OwnTestServer {
  let dir: string;
  const server = new OwnTestServer((port) => startTestServer({ dir, port, ...options }));
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'longhaul-test-'));
    await server.startAndConnect();
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await server.close();
    await server.kill();
    await rm(dir, { recursive: true, force: true });
  }, STOP_TIMEOUT_MS);
  return server;
}

/** A name that no other test uses, for task queues and workflow ids. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomUUID()}`;
}

async function startTestServer({
  dir,
  port,
  extraArgs = [],
}: {
  dir: string;
  port: number;
  extraArgs?: readonly string[];
}): Promise<DevServer> {
  const { path } = await findTemporalBinary({
    env: process.env,
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  return startDevServer({
    binary: path,
    dbFile: join(dir, 'temporal.db'),
    logFile: join(dir, 'temporal.log'),
    port,
    headless: true,
    // A killed process loses nothing that the operating system has; only a power cut would.
    extraArgs: ['--sqlite-pragma', 'synchronous=OFF', ...extraArgs],
  });
}

async function sharedAddress(): Promise<string> {
  const port = process.env['LONGHAUL_TEST_BROKER_PORT'];
  if (port === undefined)
    throw new Error('Jest has to run with test/support/global-setup.ts as its globalSetup.');
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  const address = await text(socket);
  if (address === '') throw new Error('The shared Temporal server did not start; its output is above.');
  return address;
}
