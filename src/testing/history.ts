import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';

/** The history of one execution, as Temporal's `Worker.runReplayHistory` takes it. */
export type RunHistory = temporal.api.history.v1.IHistory;

/**
 * Reads the history of a run, an execution after the other over continue-as-new, to replay it or to keep it.
 * `historyToJSON` of `@temporalio/common/lib/proto-utils.js` turns each into the JSON of Temporal's CLI and Web UI.
 * @throws WorkflowNotFoundError when there is no such run
 */
export async function readRunHistory(client: Client, runId: string): Promise<RunHistory[]> {
  const newest = await client.workflow.getHandle(runId).fetchHistory();
  let next = newest.events?.[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId;
  const histories: RunHistory[] = [];
  while (next) {
    const history = await client.workflow.getHandle(runId, next).fetchHistory();
    histories.push(history);
    next = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return histories;
}
