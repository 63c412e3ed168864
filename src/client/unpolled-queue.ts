import type { Client } from '@temporalio/client';
import { pollersOf } from '../adapters/temporal/health.js';

/** Server nodes may differ by so much about what time it is. */
const CLOCK_SLACK_MS = 1_000;

/** How long the server may take for both questions. */
const DEADLINE_MS = 4_000;

/**
 * The task queue of a run that has not begun, if no worker polls it; else `null`. A worker that is there takes the run at once and polls
 * again, so one that has not polled since the run was started is gone, though the server still lists it.
 * @throws gRPC errors
 */
export function unpolledQueue(client: Client, runId: string): Promise<string | null> {
  return client.connection.withDeadline(Date.now() + DEADLINE_MS, async () => {
    const { taskQueue, startTime } = await client.workflow.getHandle(runId).describe();
    const { namespace } = client.options;
    const pollers = await pollersOf(client.workflowService, { namespace, taskQueue });
    const sinceMs = startTime.getTime() - CLOCK_SLACK_MS;
    return pollers.some(({ lastPollAtMs }) => lastPollAtMs >= sinceMs) ? null : taskQueue;
  });
}
