import type { Client, WorkflowHandle } from '@temporalio/client';

/** What a workflow left behind, over all executions of its chain, and how long it took. */
export interface Measured {
  /** As the server counts them, payload compression included. */
  historyBytes: number;
  events: number;
  /** 1, and one more for each continue-as-new. */
  executions: number;
  durationMs: number;
}

/** Sums up a chain that has ended, from its first execution on. */
export async function measureChain(
  client: Client,
  workflowId: string,
  firstRunId: string,
): Promise<Measured> {
  const sum: Measured = { historyBytes: 0, events: 0, executions: 0, durationMs: 0 };
  let runId: string | undefined = firstRunId;
  while (runId !== undefined) {
    const handle: WorkflowHandle = client.workflow.getHandle(workflowId, runId);
    const { raw, historyLength, startTime, closeTime } = await handle.describe();
    sum.historyBytes += Number(raw.workflowExecutionInfo?.historySizeBytes ?? 0);
    sum.events += historyLength;
    sum.executions += 1;
    sum.durationMs += (closeTime?.getTime() ?? Number.NaN) - startTime.getTime();
    const history = await handle.fetchHistory();
    runId =
      history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
  return sum;
}
