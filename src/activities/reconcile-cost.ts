import { Context } from '@temporalio/activity';
import type { CostReport } from '../core/outcomes.js';
import type { ReconcileCostInput } from '../core/work.js';
import type { ModelPort } from '../ports/model.js';
import { reporting } from './activity-run.js';
import { HeartbeatPacer } from './heartbeat.js';

/**
 * Makes the activity that asks the model server what generations cost. It asks once; the run decides whether to ask again. Its heartbeats
 * tell of a worker that dies: a run that is about to end waits only so long.
 */
export function createReconcileCost({
  model,
  heartbeats = new HeartbeatPacer(),
}: {
  model: ModelPort;
  heartbeats?: HeartbeatPacer;
}): (input: ReconcileCostInput) => Promise<CostReport> {
  return ({ generationIds }) =>
    reporting(async () => {
      const { cancellationSignal, info } = Context.current();
      const ask = async (generationId: string) => ({
        generationId,
        generation: await model.generation(generationId, cancellationSignal),
      });
      const asked = await heartbeats.during(
        () => ({ attempt: info.attempt }),
        () => Promise.allSettled(generationIds.map(ask)),
      );
      // One question that failed takes nothing from the answers to the others; all of them together are a server that is away.
      const [first, ...others] = asked;
      if (first?.status === 'rejected' && others.every(({ status }) => status === 'rejected'))
        throw first.reason;
      const answers = asked.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
      const refused = answers.flatMap((one) => (one.generation === undefined ? one.generationId : []));
      return {
        found: answers.flatMap(({ generationId, generation }) =>
          generation ? { generationId, ...generation } : [],
        ),
        ...(refused.length > 0 && { refused }),
      };
    });
}
