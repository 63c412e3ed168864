import { WithStartWorkflowOperation, type Client, type Workflow } from '@temporalio/client';
import {
  BUDGET,
  BUDGET_MEMO,
  BUDGET_UPDATES,
  budgetWorkflowId,
  toBudgetMemo,
  type BudgetMemo,
} from '../contract/budget.js';
import {
  checkBudgetName,
  readBudgetSettings,
  type BudgetRelease,
  type BudgetSettings,
} from '../core/money/budget-check.js';
import { newBudget, viewBudget, type BudgetView } from '../core/money/budget.js';
import { AgentError, isAgentError } from '../core/errors.js';
import { toNanoUsd } from '../core/money/ledger.js';
import type { Progress } from '../core/progress.js';
import { noWorker, toAgentError } from './errors.js';

/** How long a change waits for a worker. */
const UPDATE_TIMEOUT_MS = 15_000;

/** Budgets that runs share. Everything that reads works without a worker. */
export class BudgetClient {
  constructor(
    private readonly parts: {
      client: Client;
      taskQueue: string;
      progressOf: (runId: string) => Promise<Progress>;
    },
  ) {}

  /**
   * Sets a budget; what is used of it stays used.
   * @param name 1 to 64 of the characters A-Z a-z 0-9 . _ -
   * @throws AgentError `INPUT_INVALID`, `TEMPORAL_UNREACHABLE` (also when no worker is there to take it in)
   */
  async set(name: string, settings: BudgetSettings): Promise<BudgetView> {
    const budget = newBudget(checkBudgetName(name), readBudgetSettings(settings), Date.now());
    const startWorkflowOperation = new WithStartWorkflowOperation<Workflow>(BUDGET, {
      workflowId: budgetWorkflowId(name),
      taskQueue: this.parts.taskQueue,
      args: [settings],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `Budget ${name}`,
      // Readable before the first worker sees it.
      memo: { [BUDGET_MEMO]: toBudgetMemo(budget) },
    });
    return this.reporting(name, () =>
      this.parts.client.workflow.executeUpdateWithStart<Workflow, BudgetView, [BudgetSettings]>(
        BUDGET_UPDATES.setBudget,
        { args: [settings], startWorkflowOperation },
      ),
    );
  }

  /**
   * How a budget stands now.
   * @throws AgentError `BUDGET_UNKNOWN`, `INPUT_INVALID`, `TEMPORAL_UNREACHABLE`
   */
  async show(name: string): Promise<BudgetView> {
    const id = budgetWorkflowId(checkBudgetName(name));
    const info = await this.reporting(name, () => this.parts.client.workflow.getHandle(id).describe());
    if (info.status.name !== 'RUNNING') throw unknown(name);
    const budget = toView(info);
    if (!budget) throw noWorker(`No worker has taken in the budget ${name} yet. Start one: longhaul worker`);
    return budget;
  }

  /**
   * All budgets, by name. The server's list may be a second behind.
   * @throws AgentError `TEMPORAL_UNREACHABLE`
   */
  async list(): Promise<BudgetView[]> {
    const budgets: BudgetView[] = [];
    await this.reporting('', async () => {
      const query = `WorkflowType = '${BUDGET}' AND WorkflowId STARTS_WITH '${budgetWorkflowId('')}' AND ExecutionStatus = 'Running'`;
      for await (const info of this.parts.client.workflow.list({ query })) {
        const budget = toView(info);
        if (budget) budgets.push(budget);
      }
    });
    return budgets.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Settles for a run that never will, because it was terminated: what it did not spend goes back.
   * @param options.spentUsd what it spent; read from its history when left out, calls under way at their worst.
   * @throws AgentError `BUDGET_UNKNOWN`, `RUN_NOT_FOUND` (also when the run holds nothing), `INPUT_INVALID` (also while it is open),
   * `TEMPORAL_UNREACHABLE`
   */
  async release(name: string, runId: string, options: { spentUsd?: number } = {}): Promise<BudgetView> {
    const id = budgetWorkflowId(checkBudgetName(name));
    const spentNanoUsd = await this.spentBy(runId, options.spentUsd);
    return this.reporting(name, () =>
      this.parts.client.workflow
        .getHandle(id)
        .executeUpdate<BudgetView, [BudgetRelease]>(BUDGET_UPDATES.release, {
          args: [{ runId, spentNanoUsd }],
        }),
    );
  }

  private async spentBy(runId: string, spentUsd: number | undefined): Promise<number> {
    try {
      const { status, spend } = await this.parts.progressOf(runId);
      if (status !== 'closed')
        throw new AgentError(
          'INPUT_INVALID',
          `The run ${runId} is open and settles when it ends. To end it: longhaul stop ${runId}`,
        );
      return spentUsd === undefined
        ? spend.costNanoUsd + spend.estimatedNanoUsd + spend.reservedNanoUsd
        : toNanoUsd(spentUsd);
    } catch (error) {
      if (!isAgentError(error) || error.code !== 'RUN_NOT_FOUND') throw error;
      if (spentUsd !== undefined) return toNanoUsd(spentUsd);
      throw new AgentError(
        'RUN_NOT_FOUND',
        `The server knows no run ${runId} any more, so say what it spent: --spent 0`,
        { cause: error },
      );
    }
  }

  private async reporting<T>(name: string, call: () => Promise<T>): Promise<T> {
    try {
      return await this.parts.client.withDeadline(Date.now() + UPDATE_TIMEOUT_MS, call);
    } catch (error) {
      const known = toAgentError(error, budgetWorkflowId(name));
      // To the server a budget is a workflow as runs are. What the budget itself says has a cause with a type.
      const isAway = isAgentError(known) && (known.code === 'RUN_NOT_FOUND' || known.code === 'RUN_CLOSED');
      throw isAway && !isRefusal(error) ? unknown(name, error) : known;
    }
  }
}

function isRefusal(error: unknown): boolean {
  return typeof Object(Object(error).cause).type === 'string';
}

function unknown(name: string, cause?: unknown): AgentError {
  return new AgentError(
    'BUDGET_UNKNOWN',
    `There is no budget ${name}. Set it: longhaul budget set ${name} 50/day`,
    { cause },
  );
}

/** `null` when the workflow was started by hand and no worker has seen it. */
function toView(info: { memo?: Record<string, unknown> | undefined }): BudgetView | null {
  const memo = info.memo?.[BUDGET_MEMO];
  if (memo === undefined) return null;
  // Only budgets and this client write it.
  const { state, openRuns } = memo as BudgetMemo;
  return { ...viewBudget(state, Date.now()), openRuns };
}
