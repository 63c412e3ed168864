import type { JsonValue } from '../../core/json.js';

/**
 * What can go wrong with an answer. `afterChunks` counts `data:` chunks that arrive before it (the first one carries only the role);
 * negative counts from the end, where -1 is the chunk with `usage`; it never points past that one. In an answer that is not streamed, what breaks a
 * stream breaks the JSON body in its middle.
 */
export type Fault =
  /** An HTTP error. With `models`, the next model is asked. `body` default: OpenRouter's envelope with the `error_type` of the status. */
  | { kind: 'http'; status: number; headers?: Record<string, string>; body?: JsonValue }
  /** Nothing at all is answered. The generation still happens, and is billed, unseen. */
  | { kind: 'hang-before-headers' }
  /** The connection is reset before the answer begins. The generation still happens, and is billed, unseen. */
  | { kind: 'reset-before-headers' }
  /** The answer stops flowing, the socket stays open; with `comments` keep-alive comments go on. */
  | { kind: 'stall'; afterChunks: number; comments?: boolean }
  /** A clean end of the body without finish reason, usage and `[DONE]`. */
  | { kind: 'truncate'; afterChunks: number }
  /** A clean end in the middle of a JSON line. */
  | { kind: 'cut-json'; afterChunks?: number }
  /** The connection is reset. */
  | { kind: 'reset'; afterChunks: number }
  /** The answer is written to its end, billed and kept by the response cache, but only half of it arrives before the connection is reset. */
  | { kind: 'reset-when-written' }
  /** An error chunk; the HTTP status stays 200. `choices`: with one choice of finish reason `error` (default), an empty list, or left out. */
  | {
      kind: 'mid-stream-error';
      code: number | string;
      afterChunks?: number;
      withDone?: boolean;
      choices?: 'error' | 'empty' | 'absent';
    }
  /** An SSE frame `event: error`. */
  | { kind: 'event-error'; afterChunks?: number }
  /** A `data:` line that is not JSON, then the answer goes on. */
  | { kind: 'garbage-line'; afterChunks?: number }
  /** HTTP 200 with a JSON error instead of the answer. */
  | { kind: 'ok-with-error'; code?: number }
  /** An answer that broke off: partial text, finish reason `error`, an error inside the choice. Streamed, it is a `mid-stream-error`. */
  | { kind: 'choice-error'; code?: number }
  /** HTTP 200 with a web page. */
  | { kind: 'html' }
  /** This instead of the answer, with status 200 and as JSON unless told otherwise; with `hold` the body does not end. Nothing is billed. */
  | { kind: 'instead'; text: string; status?: number; contentType?: string; hold?: boolean }
  /** A complete answer as one JSON document, though a stream was asked for; without `usage` when told so. */
  | { kind: 'unstreamed'; withoutUsage?: boolean }
  /** The answer is from a model of this name, as far as it says. */
  | { kind: 'other-name'; model: string }
  /** Every byte of the stream is sent by itself. */
  | { kind: 'single-bytes' }
  /** A complete stream without `[DONE]`. */
  | { kind: 'no-done' }
  /** `[DONE]`, then the connection stays open. */
  | { kind: 'hold-open-after-done' }
  /** The stream ends right after the last event, without its blank line and `[DONE]`. */
  | { kind: 'no-final-blank-line' }
  /** A complete answer that does not say what it used. */
  | { kind: 'no-usage' }
  /** `usage.cost` says something else than what is billed. Left out: absent. `NaN` and infinities are written bare, which is no JSON. */
  | { kind: 'cost'; value?: JsonValue };

/** Whether the answer is whole on the side of the server, so that its response cache keeps it: what is wrong is only how it is told. */
export function isWhole(fault: Fault | undefined): boolean {
  const kinds: readonly (Fault['kind'] | undefined)[] = [
    undefined,
    'cost',
    'hold-open-after-done',
    'other-name',
    'reset-when-written',
    'single-bytes',
    'unstreamed',
  ];
  return kinds.includes(fault?.kind);
}

/** Where a fault strikes when `afterChunks` is left out: the role and one piece of the answer have arrived. */
const DEFAULT_AFTER_CHUNKS = 2;

/** The number of chunks before the fault, or `null` for one that does not strike between chunks. */
export function strikesAt(fault: Fault, chunkCount: number): number | null {
  switch (fault.kind) {
    case 'stall':
    case 'truncate':
    case 'cut-json':
    case 'reset':
    case 'mid-stream-error':
    case 'event-error':
    case 'garbage-line': {
      const after = fault.afterChunks ?? DEFAULT_AFTER_CHUNKS;
      return Math.max(0, Math.min(after < 0 ? chunkCount + after : after, chunkCount - 1));
    }
    default:
      return null;
  }
}
