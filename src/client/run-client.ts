import { randomUUID } from 'node:crypto';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { AGENT_RUN } from '../contract/names.js';
import { readRunMemo } from '../contract/run-memo.js';
import { AgentError } from '../core/errors.js';
import type { LimitName, RunResult } from '../core/progress.js';
import type { RunInput } from '../core/run-input.js';
import { BudgetClient } from './budget-client.js';
import { toAgentError } from './errors.js';
import { RunHandle, type StartedRun } from './run-handle.js';
import { toLimits, type StopCondition } from './stop-conditions.js';

/** What a client works with. */
export interface RunClientParts {
  client: Client;
  taskQueue: string;
  /**
   * Checks the input of a run before anything is sent.
   * @throws AgentError `INPUT_INVALID`
   */
  checkInput(input: unknown): RunInput;
}

/** A run's input as the library takes it: ceilings may be given as conditions, which become plain data. */
export type StartInput = RunInput & { stopWhen?: StopCondition[] };

/** A line of a list of runs. */
export interface RunListItem {
  runId: string;
  temporalRunId: string;
  /** The workflow that has started it: of a sub-agent the run that has delegated; `null` for a run of its own. */
  parentId: string | null;
  /** `running`, `waiting`, `paused`, `landing` or `closed`; the server's word where the attribute is missing. */
  status: string;
  /** How it ended; `null` while it runs, and where an older version did not say. */
  outcome: RunResult['outcome'] | null;
  /** The ceiling that ended it. */
  limit: LimitName | null;
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
export class RunClient {
  /** Budgets that runs share. */
  readonly budgets: BudgetClient;
  private readonly client: Client;

  constructor(private readonly parts: RunClientParts) {
    this.client = parts.client;
    this.budgets = new BudgetClient({ ...parts, progressOf: (runId) => this.run(runId).progress() });
  }

  /**
   * Starts a run.
   * @param options.id the run's id; a random one when left out.
   * @throws AgentError `INPUT_INVALID`, `RUN_EXISTS`, `TEMPORAL_UNREACHABLE`
   */
  async start(input: StartInput, options: { id?: string } = {}): Promise<StartedRun> {
    const { stopWhen = [], ...rest } = input;
    const checked = this.parts.checkInput({ ...rest, ...toLimits(rest, stopWhen) });
    const runId = options.id ?? `run-${randomUUID().slice(0, 13)}`;
    if (!RUN_ID.test(runId))
      throw new AgentError(
        'INPUT_INVALID',
        `The id ${JSON.stringify(runId.slice(0, 80))} does not fit: letters, digits, . _ : - and up to 200 characters.`,
      );
    try {
      const handle = await this.client.workflow.start(AGENT_RUN, {
        workflowId: runId,
        taskQueue: this.parts.taskQueue,
        args: [checked],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        staticSummary: summaryOf(checked.goal),
        // The run's activities inherit it.
        ...(checked.priority && { priority: checked.priority }),
      });
      return Object.assign(this.run(runId), { temporalRunId: handle.firstExecutionRunId });
    } catch (error) {
      throw toAgentError(error, runId);
    }
  }

  /** A run by its id; whether it exists shows at the first call. */
  run(runId: string): RunHandle {
    return new RunHandle(this.client, runId, (input, options) => this.start(input, options));
  }

  /**
   * The newest runs first, without sub-agents.
   * @param options.status filters by `AgentStatus`. @param options.limit default 20. @param options.all with sub-agents.
   * @throws AgentError `TEMPORAL_UNREACHABLE`
   */
  async list(options: { status?: string; limit?: number; all?: boolean } = {}): Promise<RunListItem[]> {
    const { status, limit = 20, all = false } = options;
    const filter = statusFilter(status);
    const items: RunListItem[] = [];
    try {
      for await (const info of this.client.workflow.list({
        query: `WorkflowType = '${AGENT_RUN}' AND ExecutionStatus != 'ContinuedAsNew'${filter}`,
      })) {
        if (items.length >= limit) break;
        const item = toListItem(info);
        if (all || !isSubAgent(item)) items.push(item);
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

/** A run that a workflow of the user's own has started has a parent too; a sub-agent is called after the run that has delegated. */
function isSubAgent({ runId, parentId }: RunListItem): boolean {
  return parentId !== null && runId.startsWith(`${parentId}/`);
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
    ...endOf(info),
    runId: info.workflowId,
    temporalRunId: info.runId,
    parentId: info.parentExecution?.workflowId || null,
    status: info.closeTime ? 'closed' : typeof status === 'string' ? status : info.status.name.toLowerCase(),
    model: typeof model === 'string' ? model : null,
    steps: numberOr(attribute('AgentSteps')),
    costUsd: numberOr(attribute('AgentCostUsd')),
    needsDecision: typeof needsDecision === 'boolean' ? needsDecision : null,
    startedAt: info.startTime.toISOString(),
    closedAt: info.closeTime?.toISOString() ?? null,
  };
}

/** The run's own word; of one that could not say it, the server's. That a run has completed does not tell whether it was done. */
function endOf({ closeTime, memo, status }: WorkflowExecutionInfo): Pick<RunListItem, 'outcome' | 'limit'> {
  if (!closeTime) return { outcome: null, limit: null };
  const own = readRunMemo(memo);
  if (status.name === 'COMPLETED') return own;
  return {
    ...own,
    outcome: status.name === 'FAILED' || status.name === 'TIMED_OUT' ? 'failed' : 'cancelled',
  };
}

/** One line of at most 400 bytes, which is what Temporal takes. */
function summaryOf(goal: string): string {
  return goal.replace(/\s+/g, ' ').trim().slice(0, 100);
}
