import type { BudgetState } from '../core/money/budget.js';

/** Workflow type of a budget that runs share. */
export const BUDGET = 'budget';

/** Updates of a budget; `setBudget` is a signal too. */
export const BUDGET_UPDATES = { draw: 'draw', setBudget: 'setBudget', release: 'release' } as const;

/** Query that answers with the whole budget. */
export const BUDGET_QUERY = 'budget';

/** The memo from which budgets are read while no worker is there. */
export const BUDGET_MEMO = 'budget';

/** What stands in the memo: the budget with the oldest of its grants. */
export interface BudgetMemo {
  state: BudgetState;
  /** All open runs, also those whose grants are left out. */
  openRuns: number;
}

/** The server tells of memos in lists, so only so many grants go there. */
const MAX_MEMO_GRANTS = 50;

/** The budget for its memo. */
export function toBudgetMemo(state: BudgetState): BudgetMemo {
  return {
    state: { ...state, grants: state.grants.slice(0, MAX_MEMO_GRANTS) },
    openRuns: state.grants.length,
  };
}

const ID_PREFIX = 'longhaul-budget/';

/** The workflow id of a budget. */
export function budgetWorkflowId(name: string): string {
  return `${ID_PREFIX}${name}`;
}

/** The name of the budget whose workflow has this id, or `null` when no budget can have it. */
export function budgetNameOf(workflowId: string): string | null {
  return workflowId.startsWith(ID_PREFIX) ? workflowId.slice(ID_PREFIX.length) : null;
}
