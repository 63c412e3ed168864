import { createExchange } from '../../../src/adapters/temporal/governor-exchange.js';
import { BUDGET_UPDATES, budgetWorkflowId } from '../../../src/contract/budget.js';
import { governorId, type GovernorReport } from '../../../src/contract/governor.js';
import type { DrawInput } from '../../../src/core/money/budget-draw.js';
import { MODEL, type World } from '../../support/run-support.js';

/** A workflow beside the runs whose history is kept. */
export interface OtherLife {
  name: string;
  /** Resolves to the id of the workflow when it has ended. */
  live(world: World): Promise<string>;
}

/** The runs that draw from the budget; enough for it to continue as new once, as a draw takes six events. */
const DRAWING_RUNS = 45;

export const OTHER_LIVES: OtherLife[] = [
  {
    name: 'budget',
    async live({ client, temporal }) {
      const name = 'life';
      await client.budgets.set(name, { limitUsd: 1, period: 'day' });
      const workflowId = budgetWorkflowId(name);
      const handle = temporal.workflow.getHandle(workflowId);
      const draw = (input: Omit<DrawInput, 'budget'>) =>
        handle.executeUpdate(BUDGET_UPDATES.draw, { args: [{ budget: name, ...input }] });
      for (let run = 0; run < DRAWING_RUNS; run += 1) {
        const runId = `run-${run}`;
        await draw({ runId, totalNanoUsd: 30_000_000 });
        // Every tenth run stays open.
        if (run % 10 !== 9) await draw({ runId, totalNanoUsd: 10_000_000, final: true });
      }
      await client.budgets.set(name, { limitUsd: 2, period: 'month' });
      await handle.signal(BUDGET_UPDATES.setBudget, { limitUsd: 3, period: 'total' });
      await handle.signal(BUDGET_UPDATES.setBudget, { limitUsd: 'much' });
      await draw({ runId: '', totalNanoUsd: -1 }).catch(() => undefined);
      await client.budgets.release(name, 'run-9', { spentUsd: 0.02 });
      await handle.cancel();
      await handle.result().catch(() => undefined);
      return workflowId;
    },
  },
  {
    name: 'model-governor',
    async live({ temporal, taskQueue }) {
      const fingerprint = 'recorded';
      const input = { continueAsNewEvents: 30, idleMs: 500 };
      const exchange = createExchange({ client: temporal, taskQueue, fingerprint, model: MODEL, input });
      const workflowId = governorId(fingerprint, MODEL);
      const handle = temporal.workflow.getHandle(workflowId);
      for (let count = 1; count <= 8; count += 1) {
        await exchange({ ...REPORT, ok: count });
        await exchange({
          ...REPORT,
          worker: 'w2',
          limited: count === 2,
          retryAfterMs: count === 2 ? 300 : null,
        });
      }
      await handle.signal('hello');
      await exchange({ ...REPORT, worker: '' }).catch(() => undefined);
      // Nobody reports any more.
      await handle.result();
      return workflowId;
    },
  },
];

const REPORT: GovernorReport = {
  worker: 'w1',
  inFlight: 1,
  want: 2,
  epoch: null,
  ok: 0,
  limited: false,
  retryAfterMs: null,
};
