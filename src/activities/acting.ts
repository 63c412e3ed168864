import { CancelledFailure, Context } from '@temporalio/activity';
import { AgentError, isAgentError } from '../core/errors.js';
import { isCalledOff } from './activity-run.js';
import { LiveAttempt } from './live-attempt.js';

/**
 * Gets a call ready that may run only once. When the promise resolves, the server has on record that the call begins, and what it heard
 * before was that it has not begun. An attempt whose place was taken or that was called off learns it here.
 */
export async function announced<T>(attempt: number, getReady: () => Promise<T>): Promise<T> {
  const live = new LiveAttempt('TOOL_FAILED');
  const before = { attempt, acting: false };
  const first = live.tell(before);
  const said = { details: before, worst: { attempt, acting: true } };
  const [ready] = await live.during(said, () => Promise.all([getReady(), first]));
  await begin(live, attempt);
  // A word that went amiss may still arrive, after this one, and would be taken for the last.
  if (!live.isHeard)
    throw new AgentError('TOOL_FAILED', 'The server could not be told in order; the call did not begin.', {
      retryable: true,
    });
  return ready;
}

/**
 * Says that the call begins, until an answer comes so soon that the attempt must still be the live one: a worker that was asleep, or cut
 * off, may hear the answer long after the call was given up and begun again elsewhere.
 */
async function begin(live: LiveAttempt, attempt: number): Promise<void> {
  const timeoutMs = Context.current().info.heartbeatTimeoutMs ?? 8_000;
  let saidAtMs: number;
  do {
    saidAtMs = Date.now();
    await live.tell({ attempt, acting: true });
  } while (Date.now() - saidAtMs > timeoutMs / 2);
}

/** Does what comes before a tool acts. Whatever keeps it from acting says that it did not, so that it may be begun anew. */
export async function beforeActing<T>(getReady: () => Promise<T>): Promise<T> {
  const { cancellationSignal } = Context.current();
  const details = { acting: false };
  try {
    const ready = await getReady();
    cancellationSignal.throwIfAborted();
    return ready;
  } catch (error) {
    if (isCalledOff(error) || isCalledOff(cancellationSignal.reason))
      throw new CancelledFailure('CANCELLED', [details]);
    if (isAgentError(error)) {
      const { code, message, retryable, cause } = error;
      throw new AgentError(code, message, { retryable, cause, details: { ...error.details, ...details } });
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new AgentError('TOOL_FAILED', `The call did not begin: ${reason}`, {
      retryable: true,
      details,
      cause: error,
    });
  }
}

/** How a call ends that the run has called off while its tool acted, or `null` when it was something else that ended it. */
export function calledOffWhileActing(): CancelledFailure | null {
  const reason: unknown = Context.current().cancellationSignal.reason;
  return isCalledOff(reason) ? new CancelledFailure('CANCELLED', [{ acting: true }]) : null;
}
