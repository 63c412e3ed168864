import type { EventBody, RunEvent } from './events.js';
import type { JsonValue } from './json.js';
import type { CallState, RunState } from './state.js';
import { hashItems, type TranscriptItem } from './transcript.js';

/** One application of an input under way. The state in it is replaced, never changed in place. */
export interface Draft {
  state: RunState;
  events: RunEvent[];
  atMs: number;
}

/** Time as the wire writes it. */
export function toIso(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** Appends a durable event. */
export function emit(draft: Draft, body: EventBody): void {
  const { seq, runId } = draft.state;
  draft.events.push({ seq, at: toIso(draft.atMs), runId, ...body });
  patch(draft, { seq: seq + 1 });
}

/** Replaces fields of the state. */
export function patch(draft: Draft, fields: Partial<RunState>): void {
  draft.state = { ...draft.state, ...fields };
}

/** Replaces fields of one call of the current step. */
export function patchCall(draft: Draft, callId: string, fields: Partial<CallState>): void {
  patch(draft, {
    calls: draft.state.calls.map((call) => (call.id === callId ? { ...call, ...fields } : call)),
  });
}

/** Adds messages to the transcript. */
export function append(draft: Draft, items: readonly TranscriptItem[]): void {
  patch(draft, {
    transcript: [...draft.state.transcript, ...items],
    transcriptHash: hashItems(draft.state.transcriptHash, items),
  });
}

/** Words of people that outlast the shortening of the conversation: as many, and so much of each. */
const RECORD = { entries: 60, chars: 400 };

/** Notes what a human said or decided. */
export function putOnRecord(draft: Draft, words: string): void {
  patch(draft, { record: remember(draft.state.record, words.slice(0, RECORD.chars), RECORD.entries) });
}

/** The last `keep` entries with one more. */
export function remember<T>(list: readonly T[], entry: T, keep = 200): T[] {
  return [...list, entry].slice(-keep);
}

/** The value of JSON text, or `null` where it is none. */
export function parseJson(text: string): JsonValue {
  try {
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch {
    return null;
  }
}
