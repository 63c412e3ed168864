import type { RunState } from '../state.js';

/** What an update answers when a control is taken. */
export interface ControlReceipt {
  accepted: true;
  /** Of a message: its id. */
  messageId?: string;
  /** Of a message: how many wait before it; `null` when it was taken before and has reached the model. */
  position?: number | null;
  /** Of a message: it was taken before, and counts once. */
  repeated?: true;
}

/** What is told of a message beside that it is taken. One that was taken before is told as it stands. */
export function receiptOf(
  before: RunState,
  after: RunState,
  payload: unknown,
): Omit<ControlReceipt, 'accepted'> {
  const { messageId, text } = Object(payload);
  if (typeof text !== 'string' || after.messageIds === before.messageIds) return known(after, messageId);
  return { messageId: after.messageIds.at(-1) ?? '', position: before.queue.length };
}

function known(state: RunState, messageId: unknown): Omit<ControlReceipt, 'accepted'> {
  if (typeof messageId !== 'string' || !state.messageIds.includes(messageId)) return {};
  const index = state.queue.findIndex((message) => message.messageId === messageId);
  return { messageId, position: index < 0 ? null : index, repeated: true };
}
