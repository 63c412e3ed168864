import { append, patch, type Draft } from './draft.js';
import { FRESH_GUARDS } from './fresh-state.js';

/** Moves waiting messages into the transcript, oldest first: those that steer, or all. Returns whether there were any. */
export function takeMessages(draft: Draft, which: 'steering' | 'all'): boolean {
  const taken = draft.state.queue.filter((message) => which === 'all' || message.mode !== 'queue');
  if (taken.length === 0) return false;
  patch(draft, { queue: draft.state.queue.filter((message) => !taken.includes(message)) });
  // What a human asks for may well be what was done before.
  patch(draft, { loop: FRESH_GUARDS.loop });
  append(
    draft,
    taken.map((message) => ({ role: 'user', content: message.text })),
  );
  return true;
}
