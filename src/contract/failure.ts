import {
  ApplicationFailure,
  CancelledFailure,
  TimeoutFailure,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import type { AgentError } from '../core/errors.js';
import type { JsonObject } from '../core/json.js';
import { ALREADY_STARTED, type Outcome } from '../core/outcomes.js';

/**
 * The one place where an {@link AgentError} becomes what Temporal records: `type` is the code, the first detail is
 * `details`, and `details.delayMs` is when to try again.
 */
export function toApplicationFailure(error: AgentError): ApplicationFailure {
  const { delayMs } = error.details;
  return ApplicationFailure.create({
    type: error.code,
    message: error.message,
    nonRetryable: !error.retryable,
    details: [error.details],
    ...(typeof delayMs === 'number' && { nextRetryDelay: delayMs }),
  });
}

/**
 * How an activity ended, from the cause of its failure. Workflow and watcher both read it with this function, so only
 * what history records may matter.
 */
export function toOutcome(cause: unknown): Exclude<Outcome<never>, { kind: 'ok' }> {
  if (cause instanceof CancelledFailure) return { kind: 'cancelled', ...detailsOf(cause.details?.[0]) };
  if (cause instanceof TimeoutFailure) return { kind: 'timed_out', ...detailsOf(cause.lastHeartbeatDetails) };
  if (cause instanceof ApplicationFailure) {
    const [details] = cause.details ?? [];
    return {
      kind: 'failed',
      code: cause.type ?? 'Error',
      message: cause.message,
      retryable: !cause.nonRetryable,
      details: isObject(details) ? details : {},
    };
  }
  if (cause instanceof WorkflowExecutionAlreadyStartedError)
    return { kind: 'failed', code: ALREADY_STARTED, message: cause.message, retryable: false, details: {} };
  return {
    kind: 'failed',
    code: 'Error',
    message: cause instanceof Error ? cause.message : String(cause),
    retryable: true,
    details: {},
  };
}

function detailsOf(value: unknown): { details?: JsonObject } {
  return isObject(value) ? { details: value } : {};
}

/** Details were JSON on the wire, so an object among them is a JSON object. */
function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
