import type { CallState } from './state.js';

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

/** What a human added to a call, in words for the model. */
export function humanWords(call: CallState): string | undefined {
  const words: string[] = [];
  if (call.edited) words.push(`A human changed the arguments of this call before it ran, to: ${call.args}`);
  if (call.note !== undefined) words.push(`A human noted: ${call.note}`);
  return words.length === 0 ? undefined : words.join(' ');
}

/** What a tool gave back, with what a human added to the call, so that the model learns of it with the very next request. */
export function withHumanWords(call: CallState, content: string): string {
  const words = humanWords(call);
  return words === undefined ? content : `[${words}]\n${content}`;
}
