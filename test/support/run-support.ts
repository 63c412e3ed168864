import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  type WorkerOptions,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { createFileBlobs } from '../../src/adapters/blobs/file-blobs.js';
import { connectClient } from '../../src/adapters/temporal/connect.js';
import { createDataConverter } from '../../src/adapters/temporal/data-converter.js';
import type { McpServer } from '../../src/adapters/tools/define-config.js';
import { AgentClient } from '../../src/agent-client.js';
import type { RunHandle, WatchedEvent } from '../../src/client/run-handle.js';
import { loadConfig, type Config } from '../../src/config.js';
import type { RunEvent } from '../../src/core/events.js';
import type { Tool } from '../../src/ports/tools.js';
import { startStandIn, type StandIn, type StandInOptions } from '../../src/testing/stand-in/stand-in.js';
import type { Script } from '../../src/testing/stand-in/script.js';
import { createAgentWorker } from '../../src/worker/create-agent-worker.js';
import { uniqueName, type TestServer } from './temporal-server.js';

/** What a world is made of. */
export interface WorldOptions {
  script: Script;
  standIn?: Partial<StandInOptions>;
  /** Tools beside the built-in ones, of the worker in this process. */
  tools?: Tool[];
  /** MCP servers of the workers in this process; looked at anew when one is started. */
  mcpServers?: Record<string, McpServer>;
  /** Gets what workers in this process tell of servers outside. */
  log?: (line: string) => void;
  env?: Record<string, string>;
}

/** A model server, a client and what workers need, for one test. Runs of other tests do not reach it. */
export interface World {
  address: string;
  taskQueue: string;
  /** Working files of this world; the workspace is in it. */
  dir: string;
  config: Config;
  /** The environment that says the same as `config`, for other processes. */
  env: Record<string, string>;
  standIn: StandIn;
  client: AgentClient;
  /** Temporal's client, with the data converter of the runs. */
  temporal: Client;
  /** Starts a worker in this process. */
  startWorker(options?: Partial<WorkerOptions>): Promise<TestWorker>;
  /** Fails when a provider would have refused one of the requests. */
  expectNoRefusals(): void;
  close(): Promise<void>;
}

/** A worker in this process. */
export interface TestWorker {
  /** Drains it. */
  stop(): Promise<void>;
}

/** The key that the stand-in takes. */
export const MODEL_KEY = 'sk-test-right';

/** The model that runs use when they name none. */
export const MODEL = 'stand-in/agent';

let bundle: Promise<WorkflowBundleWithSourceMap> | null = null;

/** The workflows as they stand in the sources; bundled once per test file. */
export function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  bundle ??= bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  return bundle;
}

/** Makes a world; `afterEach` or the test itself has to close it. */
export async function openWorld(server: TestServer, options: WorldOptions): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'longhaul-world-'));
  const standIn = await startStandIn({ script: options.script, apiKeys: [MODEL_KEY], ...options.standIn });
  const taskQueue = uniqueName('queue');
  const env = {
    OPENROUTER_API_KEY: MODEL_KEY,
    OPENROUTER_BASE_URL: standIn.url,
    LONGHAUL_MODEL: MODEL,
    LONGHAUL_TASK_QUEUE: taskQueue,
    LONGHAUL_WORKSPACE: dir,
    LONGHAUL_DATA_DIR: join(dir, '.data'),
    LONGHAUL_HEARTBEAT_TIMEOUT_MS: '2000',
    TEMPORAL_ADDRESS: server.address,
    ...options.env,
  };
  const config = loadConfig(env, dir);
  const { address } = server;
  const dataConverter = createDataConverter({
    blobs: createFileBlobs(config.blobs.dir),
    encryptionKeys: config.encryptionKeys,
  });
  const temporal = await connectClient({ address, dataConverter });
  const client = await AgentClient.connect({ config, address });
  const workers = new Set<TestWorker>();
  const startWorker = async (workerOptions: Partial<WorkerOptions> = {}): Promise<TestWorker> => {
    const made = await createAgentWorker({
      config,
      module: { tools: options.tools ?? [], mcpServers: options.mcpServers ?? {}, defaults: {} },
      ...(options.log && { log: options.log }),
      address,
      worker: {
        workflowBundle: await workflowBundle(),
        shutdownGraceTime: '500ms',
        shutdownForceTime: '20s',
        ...workerOptions,
      },
    });
    const running = made.run();
    const worker: TestWorker = {
      async stop() {
        if (!workers.delete(worker)) return;
        made.worker.shutdown();
        await running;
        await made.close();
      },
    };
    workers.add(worker);
    return worker;
  };
  return {
    address,
    taskQueue,
    dir,
    config,
    env,
    standIn,
    client,
    temporal,
    startWorker,
    expectNoRefusals: () => expect(refusals(standIn)).toEqual([]),
    async close() {
      await Promise.all([...workers].map((worker) => worker.stop()));
      await Promise.all([client.close(), temporal.connection.close(), standIn.stop()]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** What providers would have refused. */
export function refusals(standIn: StandIn): (string | null)[] {
  return standIn.requests.filter((request) => request.problem !== null).map((request) => request.problem);
}

/** Waits for an event of a run. */
export async function untilEvent<T extends RunEvent['type']>(
  run: RunHandle,
  type: T,
  fits: (event: Extract<WatchedEvent, { type: T }>) => boolean = () => true,
): Promise<Extract<WatchedEvent, { type: T }>> {
  const found = new AbortController();
  try {
    for await (const event of run.events({ signal: found.signal }))
      if (isOf(event, type) && fits(event)) return event;
  } finally {
    found.abort();
  }
  throw new Error(`The run ${run.runId} ended without the event ${type}.`);
}

function isOf<T extends RunEvent['type']>(
  event: WatchedEvent,
  type: T,
): event is Extract<WatchedEvent, { type: T }> {
  return event.type === type;
}
