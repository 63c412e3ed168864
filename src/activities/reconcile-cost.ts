import { Context } from '@temporalio/activity';
import type { CostReport } from '../core/outcomes.js';
import type { ReconcileCostInput } from '../core/work.js';
import type { ModelPort } from '../ports/model.js';
import { reporting } from './activity-run.js';

/** Makes the activity that asks the model server what generations cost. It asks once; the run decides whether to ask again. */
export function createReconcileCost({
  model,
}: {
  model: ModelPort;
}): (input: ReconcileCostInput) => Promise<CostReport> {
  return ({ generationIds }) =>
    reporting(async () => {
      const signal = Context.current().cancellationSignal;
      const asked = await Promise.all(
        generationIds.map(async (generationId) => {
          const generation = await model.generation(generationId, signal);
          return generation ? [{ generationId, ...generation }] : [];
        }),
      );
      return { found: asked.flat() };
    });
}
