import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Puts messages and stack traces of failures where payload codecs reach them, so they are encrypted too.
 * Loaded by path, in the worker and inside the workflow bundle: keep it sandbox-safe.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
