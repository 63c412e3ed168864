import { defaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import { toOutcome } from '../../../src/contract/failure.js';
import { traceOf } from '../../../src/core/outcomes.js';

/** An error as a workflow reads it out of history. */
export function throughHistory(error: unknown): Error {
  const failure = defaultFailureConverter.errorToFailure(error, defaultPayloadConverter);
  return defaultFailureConverter.failureToError(failure, defaultPayloadConverter);
}

/** How the run reads an activity that ended badly, and what it believes the attempt has cost. */
export async function endOf(result: Promise<unknown>) {
  const error = await result.then(
    () => Promise.reject(new Error('It ended well.')),
    (reason: unknown) => reason,
  );
  const outcome = toOutcome(throughHistory(error));
  return { outcome, trace: traceOf(outcome) };
}
