import { isBesideTheStep } from '../core/keys.js';

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
  key: string;
  /** Key of the activity, and how often the server has started it. */
  id: string;
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
   * The deltas since the last beat of this activity. Each attempt at a model call may be an activity of its own, which says itself
   * which attempt it is.
   * @param key the activity id, which is the key of its work: `s<step>.m0` or `s<step>.c0`.
   * @param activityAttempt how often the server has started this activity.
   */
  read(key: string, activityAttempt: number, beat: unknown): Delta[] {
    const [, step, kind] = /^s(\d+)\.([a-z])/.exec(key) ?? [];
    // Others than model calls and tools show nothing, and what a reviewer or a summary says is no text of the step.
    if (step === undefined || isBesideTheStep(kind)) return [];
    const details = readBeat(beat);
    // Details of the attempt before stay until the new one beats.
    const isOwn = details.attempt !== undefined && details.attempt >= activityAttempt;
    const attempt = isOwn ? (details.attempt ?? activityAttempt) : activityAttempt;
    const base = () => ({ at: new Date().toISOString(), runId: this.runId, step: Number(step), attempt });
    const deltas: Delta[] = [];
    // The calls of the model within a step take each other's place; what tools report is never revoked.
    const source = kind === 'c' ? key : `s${step}`;
    const id = `${key}/${activityAttempt}`;
    let seen = this.seen.get(source);
    if (seen?.id !== id) {
      // Which attempt takes over only the activity itself can say.
      if (!isOwn && seen?.key !== key) return [];
      if (seen && kind !== 'c') deltas.push({ type: 'step_reset', ...base(), n: 0 });
      seen = { key, id, n: 1, textEnd: 0, reasoningEnd: 0, progress: '' };
      this.seen.set(source, seen);
    }
    if (!isOwn) return deltas;
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

/** The fields of a beat that are of the kind they should be. */
function readBeat(beat: unknown): Beat {
  const kinds = {
    attempt: 'number',
    offset: 'number',
    text: 'string',
    reasoningOffset: 'number',
    reasoning: 'string',
    progress: 'string',
  };
  const given: Record<string, unknown> = Object(beat);
  return Object.fromEntries(
    Object.entries(kinds).flatMap(([name, kind]) =>
      typeof given[name] === kind ? [[name, given[name]]] : [],
    ),
  );
}

/** The part of a tail that was not seen; it may begin later than what was seen ended. */
function unseen(tail: string, start: number, seenEnd: number): { text: string; offset: number } | null {
  const offset = Math.max(start, seenEnd);
  const text = tail.slice(offset - start);
  return text === '' ? null : { text, offset };
}
