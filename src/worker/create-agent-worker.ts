import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { createActivities } from '../activities/index.js';
import { HeartbeatPacer } from '../activities/heartbeat.js';
import { RunMemory } from '../activities/run-memory.js';
import { createArtifacts } from '../adapters/blobs/artifacts.js';
import { createFileBlobs } from '../adapters/blobs/file-blobs.js';
import type { LoadedConfigModule } from '../adapters/config-module.js';
import { connectMcp, type McpTools } from '../adapters/mcp/connect-mcp.js';
import { createGovernor, keyFingerprint, type WorkerGovernor } from '../adapters/governor/governor.js';
import { createOpenRouterModel } from '../adapters/openrouter/model.js';
import { checkAnswer } from '../adapters/answer-schema.js';
import { checkRunInput } from '../adapters/run-input.js';
import { connectNative } from '../adapters/temporal/connect-native.js';
import { connectPlain, temporalTarget } from '../adapters/temporal/connect.js';
import { createDataConverter } from '../adapters/temporal/data-converter.js';
import { ensureSearchAttributes } from '../adapters/temporal/search-attributes.js';
import { createBuiltinTools } from '../adapters/tools/builtin-tools.js';
import { createToolRegistry } from '../adapters/tools/registry.js';
import { createSharedCheck } from '../adapters/tools/shared-check.js';
import { cutForTranscript, toResultText } from '../adapters/tools/tool-output.js';
import { createWebhookSender } from '../adapters/webhook/sender.js';
import { requireModelKey, type Config } from '../config.js';
import type { ModelPort } from '../ports/model.js';

/** What a worker takes from the configuration module. */
export type WorkerModule = Pick<LoadedConfigModule, 'tools' | 'defaults'> &
  Partial<Pick<LoadedConfigModule, 'prices' | 'mcpServers' | 'shared'>>;

/** What a worker is made of. */
export interface AgentWorkerOptions {
  config: Config;
  /** What the user has configured. */
  module: WorkerModule;
  /** Takes the place of the configured Temporal address. */
  address?: string;
  /** Takes the place of OpenRouter. */
  model?: ModelPort;
  /** Gets a line when a server outside is lost, comes back or changes its tools. */
  log?: (line: string) => void;
  /** Further options of Temporal's worker; they win. */
  worker?: Partial<WorkerOptions>;
}

/** A worker that is ready to run. */
export interface AgentWorker {
  worker: Worker;
  taskQueue: string;
  identity: string;
  /** Things that are missing but tolerated. */
  warnings: string[];
  /** Runs until it is told to end and has drained. */
  run(): Promise<void>;
  /** Closes connections, after `run()` has ended. */
  close(): Promise<void>;
}

/** In each workflow task of history, so it is short. The default is a hash of 79 characters. */
const BUILD_ID = '0.1.0';

/**
 * Makes a worker for agent runs.
 * @throws AgentError `TEMPORAL_UNREACHABLE`, `CONFIG_INVALID`
 */
export async function createAgentWorker(options: AgentWorkerOptions): Promise<AgentWorker> {
  const { log } = options;
  const mcp = await connectMcp(options.module.mcpServers ?? {}, log ? { log } : {});
  try {
    return await assemble(options, mcp);
  } catch (error) {
    await mcp.close();
    throw error;
  }
}

async function assemble(options: AgentWorkerOptions, mcp: McpTools): Promise<AgentWorker> {
  const { config, address } = options;
  const ports = createPorts(options, mcp);
  const dataConverter = createDataConverter({ blobs: ports.blobs, encryptionKeys: config.encryptionKeys });
  const namespace = temporalTarget().namespace;
  const setUp = await connectPlain(address ? { address } : {});
  const attributes = await ensureSearchAttributes(setUp, namespace);
  await setUp.close();
  const connection = await connectNative(address ? { address } : {});
  const governor = options.model ? null : governorOf(config, { connection, namespace, dataConverter });
  const identity = `lh${process.pid}`;
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: config.taskQueue,
    identity,
    buildId: BUILD_ID,
    dataConverter,
    ...(await workflowCode(dataConverter.failureConverterPath === undefined)),
    activities: createActivities({
      ...ports,
      ...(governor && { governor }),
      searchAttributes: attributes.available,
    }),
    // Design §9: quick recovery from a killed worker, live tails, and a calm end on SIGTERM.
    stickyQueueScheduleToStartTimeout: '2s',
    maxHeartbeatThrottleInterval: '200ms',
    shutdownGraceTime: '30s',
    shutdownForceTime: '45s',
    maxConcurrentActivityTaskExecutions: 1_000,
    maxConcurrentWorkflowTaskExecutions: 100,
    ...options.worker,
  });
  return {
    worker,
    taskQueue: config.taskQueue,
    identity,
    warnings: [...warningsFor(attributes.missing), ...mcp.warnings()],
    run: () => runToEnd(worker),
    close: async () => {
      await governor?.close();
      await mcp.close();
      await connection.close();
    },
  };
}

/** All workers with the same key share what it may ask of each model. */
function governorOf(
  { openrouter, taskQueue }: Config,
  client: ConstructorParameters<typeof Client>[0],
): WorkerGovernor {
  const { baseUrl, apiKey } = openrouter;
  const fingerprint = keyFingerprint({ baseUrl, apiKey: apiKey ?? 'none' });
  return createGovernor({ client: new Client(client), taskQueue, fingerprint });
}

function createPorts({ config, module, model }: AgentWorkerOptions, mcp: McpTools) {
  mkdirSync(config.dataDir, { recursive: true });
  const blobs = createFileBlobs(config.blobs.dir);
  const artifacts = createArtifacts(blobs);
  const { model: defaultModel = config.model, unpricedModels, budget, taint, ...limits } = module.defaults;
  return {
    blobs,
    artifacts,
    model: model ?? createModel(config, module.prices ?? {}),
    tools: createToolRegistry(
      module.tools,
      createBuiltinTools({ workspace: config.workspace, dataDir: config.dataDir, shell: config.shell }),
      () => mcp.tools(),
    ),
    ...(module.shared && { checkShared: createSharedCheck(module.shared) }),
    webhook: createWebhookSender({ secret: config.webhook.secret, allow: config.webhook.allow }),
    memory: new RunMemory(),
    heartbeats: new HeartbeatPacer(),
    workspace: realpathSync(config.workspace),
    toOutput: (value: unknown) => cutForTranscript({ text: toResultText(value), artifacts }),
    checkInput: checkRunInput,
    checkAnswer,
    defaults: {
      model: defaultModel,
      limits,
      ...(unpricedModels && { unpricedModels }),
      ...(budget !== undefined && { budget }),
      ...(taint && { taint }),
      wire: config.wire,
    },
    heartbeatTimeoutMs: config.heartbeatTimeoutMs,
    continueAsNewEvents: config.continueAsNewEvents,
  };
}

function createModel(config: Config, prices: LoadedConfigModule['prices']): ModelPort {
  const { stallTimeoutMs, firstContentTimeoutMs } = config;
  return createOpenRouterModel({
    // A server that needs no key is still sent one, because the client insists.
    apiKey: requireModelKey(config) ?? 'none',
    baseUrl: config.openrouter.baseUrl,
    stallTimeoutMs,
    firstContentTimeoutMs,
    prices,
  });
}

/** The bundle that the build made, or the sources, which take two seconds more at each start. */
async function workflowCode(mayUseBundle: boolean): Promise<Partial<WorkerOptions>> {
  const bundle = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  if (mayUseBundle && existsSync(bundle)) return { workflowBundle: { codePath: bundle } };
  const extension = extname(fileURLToPath(import.meta.url));
  return { workflowsPath: fileURLToPath(new URL(`../workflows/index${extension}`, import.meta.url)) };
}

function warningsFor(missing: string[]): string[] {
  if (missing.length === 0) return [];
  return [
    `The Temporal server lacks the search attributes ${missing.join(', ')}, so lists cannot be filtered by them. Runs are not affected.`,
  ];
}

/**
 * SDK 1.23 sometimes still counts a call of its own when it lets go of a worker that has drained, and throws. Nothing is
 * lost then, as every task was answered before.
 */
async function runToEnd(worker: Worker): Promise<void> {
  try {
    await worker.run();
  } catch (error) {
    const { name, message } = Object(error);
    if (name !== 'IllegalStateError' || !String(message).includes('still in use')) throw error;
  }
}
