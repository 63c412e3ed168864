import { FIXED_ITEMS } from '../core/context/compact-items.js';
import type { RunEvent } from '../core/events.js';
import type { Input } from '../core/inputs.js';
import { toolKey } from '../core/keys.js';
import { withHumanWords } from '../core/human/human-words.js';
import type { CallState, RunState } from '../core/state.js';
import type { TranscriptItem } from '../core/transcript.js';

type ToolItem = Extract<TranscriptItem, { role: 'tool' }>;

/**
 * The whole conversation of a run: each message once and as it was, also those that were taken out of what the model sees or shortened
 * there. The note that took their place stands behind them.
 */
export class FullTranscript {
  private readonly items: TranscriptItem[] = [];
  /** What the model sees: behind its note the end of all, but for what was shortened. */
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
   * @param results those that it brought, whole.
   */
  follow(transcript: readonly TranscriptItem[], results: readonly ToolItem[] = []): void {
    const { seen } = this;
    if (transcript === seen) return;
    this.seen = transcript;
    const isBrought = (item: TranscriptItem) =>
      item.role === 'tool' && results.some(({ callId }) => callId === item.callId);
    const added = transcript.slice(firstAdded(seen, transcript)).filter((item) => !isBrought(item));
    this.items.push(...results, ...added);
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

/** What an input did to a run. */
export interface Change {
  before: RunState;
  input: Input;
  after: RunState;
  events: readonly RunEvent[];
}

/** The results that an input put into the conversation, as they were: where room is short, they are shortened or left out at once. */
export function resultsFiled(change: Change): ToolItem[] {
  const { before, after } = change;
  // What a review has called, the model has not asked for.
  if (after.calls === before.calls || after.calls.length > 0 || before.review.stage !== null) return [];
  return before.calls.map((call) => ({
    role: 'tool',
    callId: call.plan.id,
    content: call.result ?? resultIn(change.input, call) ?? whatIsLeft(change, call),
  }));
}

function resultIn(input: Input, call: CallState): string | undefined {
  if (input.type !== 'tool_settled' || input.key !== toolKey(call) || input.outcome.kind !== 'ok')
    return undefined;
  const { status, content } = input.outcome.value;
  return status === undefined ? withHumanWords(call, content) : undefined;
}

/** What the model sees of a result, or its beginning as watchers were told it, whichever is more. */
function whatIsLeft({ after, events }: Change, { id, plan }: CallState): string {
  const seen = after.transcript.filter((item) => item.role === 'tool' && item.callId === plan.id).at(-1);
  const told = events.flatMap((event) =>
    event.type === 'tool_completed' && event.callId === id ? event.content : [],
  );
  return [seen?.content ?? '', ...told].reduce((one, other) => (other.length > one.length ? other : one));
}
