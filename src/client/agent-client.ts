import { randomUUID } from 'node:crypto';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { createFileBlobs } from '../adapters/blobs/file-blobs.js';
import { checkRunInput } from '../adapters/run-input.js';
import { connectClient } from '../adapters/temporal/connect.js';
import { createDataConverter } from '../adapters/temporal/data-converter.js';
import { loadConfig, type Config } from '../config.js';
import { AGENT_RUN } from '../contract/names.js';
import { AgentError } from '../core/errors.js';
import type { RunInput } from '../core/run-input.js';
import { toAgentError } from './errors.js';
import { RunHandle } from './run-handle.js';
import { toLimits, type StopCondition } from './stop-conditions.js';

/** What a client is made of; everything comes from the environment when left out. */
export interface ConnectOptions {
  config?: Config;
  /** Takes the place of the configured Temporal address. */
  address?: string;
}

/** A run's input as the library takes it: ceilings may be given as conditions, which become plain data. */
export type StartInput = RunInput & { stopWhen?: StopCondition[] };

/** A line of a list of runs. */
export interface RunListItem {
  runId: string;
  temporalRunId: string;
  /** `running`, `waiting`, `paused`, `landing` or `closed`; the server's word where the attribute is missing. */
  status: string;
  model: string | null;
  steps: number | null;
  costUsd: number | null;
  needsDecision: boolean | null;
  startedAt: string;
  closedAt: string | null;
}

/** Ids that need no quoting anywhere: in shells, URLs, file names. */
const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/;

/** Starts runs and finds them again. */
export class AgentClient {
  private constructor(
    private readonly client: Client,
    private readonly taskQueue: string,
  ) {}

  /**
   * Connects by Temporal's own environment configuration.
   * @throws AgentError `TEMPORAL_UNREACHABLE`, `CONFIG_INVALID`
   */
  static async connect(options: ConnectOptions = {}): Promise<AgentClient> {
    const config = options.config ?? loadConfig();
    const dataConverter = createDataConverter({ blobs: createFileBlobs(config.blobs.dir), encryptionKeys: config.encryptionKeys });
    return new AgentClient(await connectClient({ dataConverter, ...(options.address && { address: options.address }) }), config.taskQueue);
  }

  /**
   * Starts a run.
   * @param options.id the run's id; a random one when left out.
   * @throws AgentError `INPUT_INVALID`, `RUN_EXISTS`, `TEMPORAL_UNREACHABLE`
   */
  async start(input: StartInput, options: { id?: string } = {}): Promise<RunHandle & { temporalRunId: string }> {
    const { stopWhen = [], ...rest } = input;
    const checked = checkRunInput({ ...rest, ...toLimits(rest, stopWhen) });
    const runId = options.id ?? `run-${randomUUID().slice(0, 13)}`;
    if (!RUN_ID.test(runId))
      throw new AgentError('INPUT_INVALID', `The id ${JSON.stringify(runId.slice(0, 80))} does not fit: letters, digits, . _ : - and up to 200 characters.`);
    try {
      const handle = await this.client.workflow.start(AGENT_RUN, {
        workflowId: runId,
        taskQueue: this.taskQueue,
        args: [checked],
        workflowTaskTimeout: '30s',
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        staticSummary: summaryOf(checked.goal),
      });
      return Object.assign(this.run(runId), { temporalRunId: handle.firstExecutionRunId });
    } catch (error) {
      throw toAgentError(error, runId);
    }
  }

  /** A run by its id; whether it exists shows at the first call. */
  run(runId: string): RunHandle {
    return new RunHandle(this.client, runId);
  }

  /**
   * The newest runs first.
   * @param options.status filters by `AgentStatus`. @param options.limit default 20.
   * @throws AgentError `TEMPORAL_UNREACHABLE`
   */
  async list(options: { status?: string; limit?: number } = {}): Promise<RunListItem[]> {
    const { status, limit = 20 } = options;
    const filter = statusFilter(status);
    const items: RunListItem[] = [];
    try {
      for await (const info of this.client.workflow.list({ query: `WorkflowType = '${AGENT_RUN}' AND ExecutionStatus != 'ContinuedAsNew'${filter}` })) {
        if (items.length >= limit) break;
        items.push(toListItem(info));
      }
    } catch (error) {
      throw toAgentError(error, '');
    }
    return items;
  }

  /** Closes the connection. */
  close(): Promise<void> {
    return this.client.connection.close();
  }
}

/** Whether a run is closed is the server's word: one that was terminated could not say so itself. */
function statusFilter(status: string | undefined): string {
  if (status === undefined) return '';
  if (status === 'closed') return ` AND ExecutionStatus != 'Running'`;
  return ` AND ExecutionStatus = 'Running' AND AgentStatus = '${status.replaceAll("'", '')}'`;
}

function toListItem(info: WorkflowExecutionInfo): RunListItem {
  const attribute = (name: string): unknown => Object(info.searchAttributes[name])[0];
  const numberOr = (value: unknown) => (typeof value === 'number' ? value : null);
  const status = attribute('AgentStatus');
  const model = attribute('AgentModel');
  const needsDecision = attribute('AgentNeedsDecision');
  return {
    runId: info.workflowId,
    temporalRunId: info.runId,
    status: info.closeTime ? 'closed' : typeof status === 'string' ? status : info.status.name.toLowerCase(),
    model: typeof model === 'string' ? model : null,
    steps: numberOr(attribute('AgentSteps')),
    costUsd: numberOr(attribute('AgentCostUsd')),
    needsDecision: typeof needsDecision === 'boolean' ? needsDecision : null,
    startedAt: info.startTime.toISOString(),
    closedAt: info.closeTime?.toISOString() ?? null,
  };
}

/** One line of at most 400 bytes, which is what Temporal takes. */
function summaryOf(goal: string): string {
  return goal.replace(/\s+/g, ' ').trim().slice(0, 100);
}
