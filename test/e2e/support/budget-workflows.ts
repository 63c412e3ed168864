import { proxyActivities } from '@temporalio/workflow';
import type { AgentActivities } from '../../../src/contract/activities.js';
import type { DrawInput, DrawResult } from '../../../src/core/money/budget-draw.js';

export { budget } from '../../../src/workflows/budget.js';

const { drawBudget } = proxyActivities<AgentActivities>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '200ms' },
});

/** Draws as a run does: through the activity. */
export async function drawing(input: DrawInput): Promise<DrawResult> {
  return drawBudget(input);
}
