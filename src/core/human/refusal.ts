import type { ErrorCode } from '../errors.js';

/** Why a control is not taken. It changes nothing. */
export interface Refusal {
  code: ErrorCode;
  message: string;
}
