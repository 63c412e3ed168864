import { FIXED_ITEMS } from '../core/compact-items.js';
import type { Input } from '../core/inputs.js';
import { toolKey } from '../core/keys.js';
import type { RunState } from '../core/state.js';
import type { TranscriptItem } from '../core/transcript.js';

/**
 * The whole conversation of a run: each message once and as it was, also those that were taken out of what the model sees or shortened
 * there. The note that took their place stands behind them.
 */
export class FullTranscript {
  private readonly items: TranscriptItem[] = [];
  /** What the model sees, which is the end of it all but for what was shortened. */
  private seen: readonly TranscriptItem[] = [];

  /** The messages so far. */
  list(): TranscriptItem[] {
    return [...this.items];
  }

  /** The same conversation in other objects, as continue-as-new hands it on. */
  adopt(transcript: readonly TranscriptItem[]): void {
    if (this.items.length === 0) this.items.push(...transcript);
    this.seen = transcript;
  }

  /**
   * Takes in what an input made of the conversation.
   * @param cause may be absent where nothing was called.
   */
  follow(transcript: readonly TranscriptItem[], cause?: { before: RunState; input: Input }): void {
    const { seen } = this;
    if (transcript === seen) return;
    this.seen = transcript;
    const added = transcript.slice(firstAdded(seen, transcript));
    this.items.push(...added.map((item) => (cause ? whole(item, cause) : item)));
    const note = transcript[FIXED_ITEMS];
    if (note === undefined || !hasNote(seen, transcript)) return;
    const kept = transcript.length - FIXED_ITEMS - 1;
    this.items.splice(this.items.length - kept, 0, note);
  }
}

/** Whether a note took the place of what stood behind the goal. No tool's result stands there, so it was not only shortened. */
function hasNote(seen: readonly TranscriptItem[], transcript: readonly TranscriptItem[]): boolean {
  return seen.length > FIXED_ITEMS && seen[FIXED_ITEMS] !== transcript[FIXED_ITEMS];
}

/** Where what was not there before begins. Items before it are the same, or shortened in their place. */
function firstAdded(seen: readonly TranscriptItem[], transcript: readonly TranscriptItem[]): number {
  if (!hasNote(seen, transcript)) return seen.length;
  const kept = FIXED_ITEMS + 1;
  // What is kept begins with no tool's result, so its first item is the same as before, if it was there before.
  const index = transcript.length > kept ? seen.findIndex((item) => item === transcript[kept]) : -1;
  return index < 0 ? kept : kept + seen.length - index;
}

/** A tool's result as it was: the input that brings it may be the one that shortens it. */
function whole(item: TranscriptItem, { before, input }: { before: RunState; input: Input }): TranscriptItem {
  if (item.role !== 'tool') return item;
  const call = before.calls.find(({ plan }) => plan.id === item.callId);
  const content = call && (call.result ?? resultIn(input, toolKey(call)));
  return content !== undefined && content.length > item.content.length ? { ...item, content } : item;
}

function resultIn(input: Input, key: string): string | undefined {
  if (input.type !== 'tool_settled' || input.key !== key || input.outcome.kind !== 'ok') return undefined;
  return input.outcome.value.content;
}
