/** Why a call did not run as asked. Contract §11. */
export type NotRunStatus =
  | 'rejected'
  | 'invalid_arguments'
  | 'unknown_tool'
  | 'failed'
  | 'timed_out'
  | 'unknown_outcome'
  | 'cancelled'
  | 'refused_at_limit';

/** The one result of a call. */
export interface CallResult {
  status: 'ok' | NotRunStatus;
  /** What the model sees. */
  content: string;
  attempt?: number;
  artifactId?: string;
}

/** The result of a call that did not run as asked: what the model sees is JSON with a `status`. */
export function notRun(status: NotRunStatus, message: string, note?: string): CallResult {
  return { status, content: JSON.stringify({ status, message, ...(note !== undefined && { note }) }) };
}
