import { close } from './closing.js';
import { emit, patch, toIso, type Draft } from './draft.js';
import { FRESH_GUARDS } from './fresh-state.js';
import { idleUntilMs } from './idle.js';
import { takeMessages } from './messages.js';

/** An answer ends the run; a session waits for the next message. */
export function finishTurn(draft: Draft, answer: string): void {
  if (draft.state.prepared?.idleMs !== undefined) return goIdle(draft, answer);
  close(draft, { outcome: 'done', answer });
}

function goIdle(draft: Draft, answer: string): void {
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
  patch(draft, { idle: null, step: step + 1, review: FRESH_GUARDS.review, repairedStep: null, output: null });
  return false;
}

/** Ends a session to which nobody has said anything for so long. */
export function expireIdle(draft: Draft): void {
  const untilMs = idleUntilMs(draft.state);
  const { idle } = draft.state;
  if (!idle || untilMs === null || untilMs > draft.atMs) return;
  close(draft, { outcome: 'done', answer: idle.answer });
}
