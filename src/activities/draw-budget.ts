import { Context } from '@temporalio/activity';
import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/common';
import { BUDGET_UPDATES, budgetWorkflowId } from '../contract/budget.js';
import { checkBudgetName } from '../core/money/budget-check.js';
import type { DrawInput, DrawResult } from '../core/money/budget-draw.js';
import { AgentError, isErrorCode } from '../core/errors.js';
import { reporting } from './activity-run.js';

/** How long one attempt waits for the budget's answer. Below the minute that the activity has. */
const DRAW_TIMEOUT_MS = 30_000;

/**
 * Makes the activity that draws from a shared budget, or settles with it.
 * Its errors: `BUDGET_UNKNOWN` when nobody has set the budget, `INPUT_INVALID` when the draw does not fit.
 */
export function createDrawBudget(): (input: DrawInput) => Promise<DrawResult> {
  return (input) =>
    reporting(async () => {
      const workflowId = budgetWorkflowId(checkBudgetName(input.budget));
      const { client } = Context.current();
      try {
        return await client.withDeadline(Date.now() + DRAW_TIMEOUT_MS, () =>
          client.workflow
            .getHandle(workflowId)
            .executeUpdate<DrawResult, [DrawInput]>(BUDGET_UPDATES.draw, { args: [input] }),
        );
      } catch (error) {
        throw toDrawError(error, input.budget);
      }
    });
}

/** A refusal keeps its code. Whatever else goes wrong may be tried again. */
function toDrawError(error: unknown, budget: string): unknown {
  if (error instanceof WorkflowNotFoundError)
    return new AgentError(
      'BUDGET_UNKNOWN',
      `There is no budget ${budget}. Set it: longhaul budget set ${budget} 50/day`,
      { cause: error },
    );
  const { cause } = Object(error);
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type))
    return new AgentError(cause.type, cause.message, { cause: error });
  return error;
}
