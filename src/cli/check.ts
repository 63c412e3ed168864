import type { ErrorCode } from '../core/errors.js';

/** One thing that a run needs, and how it stands. */
export interface Check {
  name: string;
  /** `warn`: runs work, but not as well or not yet. */
  status: 'ok' | 'warn' | 'fail';
  /** What was found. */
  detail: string;
  /** What to do; `null` when nothing is to be done. */
  mend: string | null;
  /** What it is that fails. */
  code?: ErrorCode;
}
