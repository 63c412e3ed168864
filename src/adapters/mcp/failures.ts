import {
  InsufficientScopeError,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
} from '@modelcontextprotocol/client';
import { AgentError } from '../../core/errors.js';
import type { ToolEffect } from '../../ports/tools.js';
import { isUnsent, systemCode, textOf } from '../openrouter/network-error.js';
import { STREAM_LOST } from './open-connection.js';

const MAX_REASON_CHARS = 400;

/** What is known of a call that ended with an error of the SDK. */
type Fate =
  /** It never left, or the server refused to look at it. */
  | { kind: 'unsent'; reason: string; isRetryable: boolean }
  /** The server answered that it failed. */
  | { kind: 'failed'; reason: string }
  /** It left, and what became of it is not known. */
  | { kind: 'unknown'; reason: string }
  | { kind: 'timed_out' }
  | { kind: 'called_off' };

/** What {@link callError} needs to know of the call. */
export interface FailedCall {
  /** The name of the server in the configuration. */
  server: string;
  effect: ToolEffect;
  timeoutMs: number;
  signal: AbortSignal;
  /** Takes secrets out of what the error says. */
  hide: (text: string) => string;
}

/**
 * The error of a tool for an error of the SDK during a call: `TOOL_FAILED`, with `details.unsent` when the server did nothing,
 * `TOOL_TIMEOUT`, or for a `once` tool of which nobody knows whether it ran `TOOL_OUTCOME_UNKNOWN`. It has no cause, because what
 * the SDK says may hold secrets.
 */
export function callError(error: unknown, call: FailedCall): AgentError {
  const fate = fateOf(error, call.signal);
  const name = `The MCP server ${call.server}`;
  const said = 'reason' in fate ? plainLine(fate.reason, call.hide) : '';
  switch (fate.kind) {
    case 'unsent':
      return new AgentError('TOOL_FAILED', `${name} did not take the call: ${said}`, {
        retryable: fate.isRetryable,
        details: { unsent: true },
      });
    case 'failed':
      return new AgentError('TOOL_FAILED', `${name} answered: ${said}`);
    case 'timed_out': {
      const words = `${name} did not answer within ${call.timeoutMs} ms.`;
      if (call.effect === 'once') return new AgentError('TOOL_OUTCOME_UNKNOWN', words);
      return new AgentError('TOOL_TIMEOUT', words);
    }
    case 'called_off': {
      const words = `The call was called off before ${name} answered.`;
      return new AgentError(call.effect === 'once' ? 'TOOL_OUTCOME_UNKNOWN' : 'TOOL_FAILED', words);
    }
    case 'unknown': {
      const words = `${name} got the call but gave no answer that says how it ended: ${said}`;
      if (call.effect === 'once') return new AgentError('TOOL_OUTCOME_UNKNOWN', words);
      return new AgentError('TOOL_FAILED', words, { retryable: true });
    }
  }
}

/** Whether the server forgot the session: it did not look at what it was sent. Older servers say 400 in the place of 404. */
export function isSessionGone(error: unknown): boolean {
  return SdkHttpError.isInstance(error) && (error.status === 404 || error.status === 400);
}

/** One line without secrets, cut to a length that people read. Secrets go first: half of one would not be found. */
export function plainLine(text: string, hide: (text: string) => string): string {
  const line = hide(text).replace(/\s+/g, ' ').trim();
  return line.length > MAX_REASON_CHARS ? `${line.slice(0, MAX_REASON_CHARS)}…` : line;
}

/** Why a server cannot be reached or started, in words. They may hold secrets. */
export function openReason(error: unknown, timeoutMs: number): string {
  if (isTimeout(error)) return `it did not answer within ${timeoutMs} ms`;
  if (SdkError.isInstance(error) && error.code === SdkErrorCode.ConnectionClosed) return 'it ended at once';
  return reasonOf(error);
}

function fateOf(error: unknown, signal: AbortSignal): Fate {
  if (signal.aborted) return { kind: 'called_off' };
  if (isTimeout(error)) return { kind: 'timed_out' };
  const reason = reasonOf(error);
  if (ProtocolError.isInstance(error))
    return error.code === STREAM_LOST ? { kind: 'unknown', reason } : { kind: 'failed', reason };
  if (isUnsent(error) || isNotConnected(error)) return { kind: 'unsent', reason, isRetryable: true };
  if (InsufficientScopeError.isInstance(error)) return { kind: 'unsent', reason, isRetryable: false };
  // Of an error from 500 on nobody knows how far the server, or a proxy before it, had come.
  if (SdkHttpError.isInstance(error) && error.status < 500)
    return { kind: 'unsent', reason, isRetryable: error.status === 429 };
  if (SdkError.isInstance(error) && error.code === SdkErrorCode.UnsupportedResultType)
    return { kind: 'failed', reason: 'it asks for input that cannot be given here' };
  return { kind: 'unknown', reason };
}

function isTimeout(error: unknown): boolean {
  return SdkError.isInstance(error) && error.code === SdkErrorCode.RequestTimeout;
}

/** The SDK says so of a connection that it knows to be gone, before it writes anything. */
function isNotConnected(error: unknown): boolean {
  if (SdkError.isInstance(error)) return error.code === SdkErrorCode.NotConnected;
  return error instanceof Error && error.message === 'Not connected';
}

function reasonOf(error: unknown): string {
  if (SdkHttpError.isInstance(error) && typeof error.status === 'number') {
    const text = error.data['text'];
    return typeof text === 'string' ? `HTTP ${error.status}: ${text}` : `HTTP ${error.status}`;
  }
  // `fetch failed` says nothing; what caused it has a code, or at least words.
  const code = systemCode(error) ?? textOf(Object(error).cause, 'message');
  const message = error instanceof Error ? error.message : String(error);
  return code === undefined || message.includes(code) ? message : `${code} (${message})`;
}
