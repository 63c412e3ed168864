import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { QUERIES } from '../contract/names.js';
import { toApplicationFailure } from '../contract/failure.js';
import { isAgentError } from '../core/errors.js';
import type { RunQueries } from '../ports/run-reader.js';
import type { RunRef } from './run-memory.js';

/** The run that the activity under way belongs to. */
export function currentRun(): RunRef {
  const { workflowExecution } = Context.current().info;
  if (!workflowExecution)
    throw ApplicationFailure.nonRetryable(
      'This activity runs as a step of an agent run only.',
      'INPUT_INVALID',
    );
  return { workflowId: workflowExecution.workflowId, temporalRunId: workflowExecution.runId };
}

/** Queries to the run of the activity under way, through the worker's own client. */
export function queryCurrentRun(): RunQueries {
  const { workflowId, temporalRunId } = currentRun();
  const handle = Context.current().client.workflow.getHandle(workflowId, temporalRunId);
  return {
    settings: () => handle.query(QUERIES.settings),
    progress: () => handle.query(QUERIES.progress),
    transcript: (fromVersion) => handle.query(QUERIES.transcript, { fromVersion }),
    args: (callId) => handle.query(QUERIES.call, callId),
    shared: () => handle.query(QUERIES.shared),
  };
}

/**
 * Whether an activity was called off by the run. The SDK names other reasons too: WORKER_SHUTDOWN, TIMED_OUT, NOT_FOUND, and PAUSED and
 * RESET by an operator; after those it is tried again, or nobody knows what it did.
 */
export function isCalledOff(reason: unknown): boolean {
  return reason instanceof CancelledFailure && reason.message === 'CANCELLED';
}

/** Runs an activity's body; its errors reach Temporal with their code. */
export async function reporting<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (isAgentError(error)) throw toApplicationFailure(error);
    throw error;
  }
}
