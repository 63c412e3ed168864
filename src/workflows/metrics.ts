import { metricMeter, workflowInfo } from '@temporalio/workflow';
import type { AccountSpend, Progress, Spend } from '../core/progress.js';

type Accounts = Readonly<Record<string, AccountSpend>>;
type Sum = 'calls' | 'costNanoUsd' | 'estimatedNanoUsd';
interface Part {
  purpose: string;
  model: string;
  amount: number;
}

/**
 * Makes the function that counts what has changed since it was called last; the first call only takes note. Temporal's meter counts
 * nothing while a run is replayed, so each change is counted once; a workflow task that is done twice may count twice.
 *
 * Confirmed cost is counted when the server has confirmed it. What stays an estimate, and what attempts without an answer have cost,
 * may still change until the run has ended and is counted then. So the sum over `kind` is what was charged, and nothing is counted twice.
 */
export function createMetrics(): (progress: Progress) => void {
  const count = counters();
  let before: Spend | null = null;
  let first: Spend | null = null;
  let isClosed = false;
  return ({ spend, result }) => {
    before ??= spend;
    // What other runs have spent of it, they have counted. What earlier executions of this run could not count yet is left to the last.
    first ??= workflowInfo().continuedFromExecutionRunId === undefined ? spend : null;
    for (const part of changes(before, spend, 'costNanoUsd')) count.cost(part, 'confirmed');
    for (const { amount, ...tags } of changes(before, spend, 'calls')) count.calls.add(amount, tags);
    count.lostCalls.add(Math.max(0, spend.lostModelCalls - before.lostModelCalls));
    before = spend;
    if (result === null || isClosed) return;
    isClosed = true;
    for (const part of changes(first, spend, 'estimatedNanoUsd')) count.cost(part, 'estimated');
    count.lostCost.add(Math.max(0, spend.lostNanoUsd - (first?.lostNanoUsd ?? 0)));
    count.runs.add(1, { outcome: result.outcome, limit: result.limit ?? 'none' });
  };
}

function counters() {
  const counter = (name: string, unit: string, description: string) =>
    metricMeter.createCounter(`longhaul_${name}`, unit, description);
  const cost = counter('cost_nano_usd', 'nano-dollars', 'What model calls were charged.');
  return {
    cost: ({ amount, ...tags }: Part, kind: 'confirmed' | 'estimated') => cost.add(amount, { ...tags, kind }),
    lostCost: counter(
      'lost_cost_nano_usd',
      'nano-dollars',
      'What attempts without an answer were charged; contained in the cost.',
    ),
    calls: counter('model_calls', 'calls', 'Model calls with an answer.'),
    lostCalls: counter(
      'lost_model_calls',
      'calls',
      'Attempts without an answer that may have cost something.',
    ),
    runs: counter('runs_closed', 'runs', 'Runs that have ended.'),
  };
}

/**
 * What has been added, by purpose and model. The ledger sums them up apart from each other; a change concerns one call nearly always,
 * which tells the pair. Where it does not, both sums are still right.
 */
function changes(before: Spend | null, now: Spend, sum: Sum): Part[] {
  const purposes = added(before?.byPurpose ?? {}, now.byPurpose, sum);
  const models = added(before?.byModel ?? {}, now.byModel, sum);
  const parts: Part[] = [];
  for (const purpose of purposes) {
    for (const model of models) {
      const amount = Math.min(purpose.amount, model.amount);
      if (amount === 0) continue;
      parts.push({ purpose: purpose.name, model: model.name, amount });
      purpose.amount -= amount;
      model.amount -= amount;
    }
  }
  return parts;
}

function added(before: Accounts, now: Accounts, sum: Sum): { name: string; amount: number }[] {
  return Object.entries(now).map(([name, account]) => ({
    name,
    amount: Math.max(0, account[sum] - (before[name]?.[sum] ?? 0)),
  }));
}
