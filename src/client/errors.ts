import { unreachable } from '../adapters/temporal/unreachable.js';
import {
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { AgentError, isAgentError, isErrorCode } from '../core/errors.js';

/** gRPC status codes that are told apart, see grpc.io/grpc/core/md_doc_statuscodes. */
const GRPC = {
  cancelled: 1,
  deadlineExceeded: 4,
  notFound: 5,
  failedPrecondition: 9,
  unavailable: 14,
} as const;

/** What went wrong between a client and a run, as an {@link AgentError} with a stable code. Other errors stay as they are. */
export function toAgentError(error: unknown, runId: string): unknown {
  if (isAgentError(error)) return error;
  if (error instanceof WorkflowExecutionAlreadyStartedError)
    return new AgentError(
      'RUN_EXISTS',
      `There is a run ${runId} already. Choose another id, or watch it: longhaul watch ${runId}`,
      { cause: error },
    );
  if (error instanceof WorkflowUpdateFailedError) return fromUpdate(error);
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)
    return noWorker(
      'No worker has taken this in yet. Start one with `longhaul worker`; what you sent may still be taken then.',
      error,
    );
  if (error instanceof WorkflowNotFoundError) return notFound(runId, error.message, error);
  const { cause } = Object(error);
  if (isAgentError(cause)) return cause;
  if (isGrpcServiceError(error)) return fromGrpc(error.code, error, runId);
  if (isGrpcServiceError(cause)) return fromGrpc(cause.code, error, runId);
  return error;
}

/** The server is there, and no worker that does what it was asked. `details` tell it from a server that is away. */
export function noWorker(message: string, cause?: unknown): AgentError {
  return new AgentError('TEMPORAL_UNREACHABLE', message, { details: { missing: 'worker' }, cause });
}

function fromUpdate(error: WorkflowUpdateFailedError): AgentError {
  const { cause } = error;
  const code = cause instanceof ApplicationFailure ? cause.type : undefined;
  return new AgentError(isErrorCode(code) ? code : 'RUN_CLOSED', cause?.message ?? error.message, {
    cause: error,
  });
}

function fromGrpc(code: number, error: unknown, runId: string): unknown {
  const message = error instanceof Error ? error.message : String(error);
  switch (code) {
    case GRPC.notFound:
      return notFound(runId, message, error);
    case GRPC.failedPrecondition:
      return new AgentError('RUN_CLOSED', `The run ${runId} takes no more of these: ${message}`, {
        cause: error,
      });
    case GRPC.unavailable:
    case GRPC.deadlineExceeded:
    case GRPC.cancelled:
      return unreachable(undefined, error);
    default:
      return error;
  }
}

/** The server tells a closed run from an unknown one in words only. */
function notFound(runId: string, message: string, cause: unknown): AgentError {
  if (/already completed|aborted by closing workflow/i.test(message))
    return new AgentError('RUN_CLOSED', `The run ${runId} has ended. See how: longhaul show ${runId}`, {
      cause,
    });
  return new AgentError('RUN_NOT_FOUND', `There is no run ${runId}. See which there are: longhaul list`, {
    cause,
  });
}
