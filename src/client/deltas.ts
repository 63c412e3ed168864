/** What a watcher sees while a step is under way. Never in history; what it shows may be revoked. Contract §7. */
export type Delta = { at: string; runId: string; step: number; attempt: number; n: number } & (
  | { type: 'text_delta' | 'reasoning_delta'; text: string; offset: number }
  | { type: 'tool_progress'; callId: string; text: string }
  /** Revokes every delta of the step so far. */
  | { type: 'step_reset' }
);

/** What a heartbeat of an activity carries, see `activities/heartbeat.ts`. Anything may come from another version. */
interface Beat {
  attempt?: number;
  offset?: number;
  text?: string;
  reasoningOffset?: number;
  reasoning?: string;
  progress?: string;
}

interface Seen {
  attempt: number;
  n: number;
  textEnd: number;
  reasoningEnd: number;
  progress: string;
}

/** Turns the heartbeats of pending activities into deltas: pieces may be missing, never wrong. */
export class DeltaReader {
  private readonly seen = new Map<string, Seen>();

  constructor(private readonly runId: string) {}

  /**
   * The deltas since the last beat of this activity.
   * @param key the activity id, which is the key of its work: `s<step>.m0` or `s<step>.c0`.
   */
  read(key: string, attempt: number, beat: unknown): Delta[] {
    const step = Number(/^s(\d+)\./.exec(key)?.[1] ?? 0);
    const base = () => ({ at: new Date().toISOString(), runId: this.runId, step, attempt });
    const deltas: Delta[] = [];
    let seen = this.seen.get(key);
    if (!seen || seen.attempt !== attempt) {
      if (seen) deltas.push({ type: 'step_reset', ...base(), n: 0 });
      seen = { attempt, n: 1, textEnd: 0, reasoningEnd: 0, progress: '' };
      this.seen.set(key, seen);
    }
    const details: Beat = Object(beat);
    // Details of the attempt before stay until the new one beats.
    if (details.attempt !== attempt) return deltas;
    const { text = '', offset = 0, reasoning = '', reasoningOffset = 0, progress = '' } = details;
    const newText = unseen(text, offset, seen.textEnd);
    if (newText) {
      deltas.push({ type: 'text_delta', ...base(), n: seen.n++, ...newText });
      seen.textEnd = newText.offset + newText.text.length;
    }
    const newReasoning = unseen(reasoning, reasoningOffset, seen.reasoningEnd);
    if (newReasoning) {
      deltas.push({ type: 'reasoning_delta', ...base(), n: seen.n++, ...newReasoning });
      seen.reasoningEnd = newReasoning.offset + newReasoning.text.length;
    }
    if (progress !== '' && progress !== seen.progress) {
      deltas.push({
        type: 'tool_progress',
        ...base(),
        n: seen.n++,
        callId: key.replace(/\.r\d+$/, ''),
        text: progress,
      });
      seen.progress = progress;
    }
    return deltas;
  }
}

/** The part of a tail that was not seen; it may begin later than what was seen ended. */
function unseen(tail: string, start: number, seenEnd: number): { text: string; offset: number } | null {
  const offset = Math.max(start, seenEnd);
  const text = tail.slice(offset - start);
  return text === '' ? null : { text, offset };
}
