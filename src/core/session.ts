import { close } from './closing.js';
import { emit, patch, toIso, type Draft } from './draft.js';
import { idleUntilMs } from './idle.js';
import { takeMessages } from './messages.js';

/** A session that has answered waits for the next message. */
export function goIdle(draft: Draft, answer: string): void {
  patch(draft, { idle: { sinceMs: draft.atMs, answer } });
  const { step } = draft.state;
  emit(draft, {
    type: 'turn_completed',
    step,
    answer,
    idleUntil: toIso(idleUntilMs(draft.state) ?? draft.atMs),
  });
}

/** Goes on when somebody has said something. Returns whether the session still waits. */
export function staysIdle(draft: Draft): boolean {
  const { idle, step } = draft.state;
  if (!idle) return false;
  if (!takeMessages(draft, 'all')) return true;
  patch(draft, { idle: null, step: step + 1 });
  return false;
}

/** Ends a session to which nobody has said anything for so long. */
export function expireIdle(draft: Draft): void {
  const untilMs = idleUntilMs(draft.state);
  const { idle } = draft.state;
  if (!idle || untilMs === null || untilMs > draft.atMs) return;
  close(draft, { outcome: 'done', answer: idle.answer });
}
