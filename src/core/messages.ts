import { append, patch, type Draft } from './draft.js';

/** Moves waiting messages into the transcript, oldest first: those that steer, or all. Returns whether there were any. */
export function takeMessages(draft: Draft, which: 'steering' | 'all'): boolean {
  const taken = draft.state.queue.filter((message) => which === 'all' || message.mode !== 'queue');
  if (taken.length === 0) return false;
  patch(draft, { queue: draft.state.queue.filter((message) => !taken.includes(message)) });
  append(
    draft,
    taken.map((message) => ({ role: 'user', content: message.text })),
  );
  return true;
}
