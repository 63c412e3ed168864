import type { RunState } from './state.js';

/** How long a session waits for the next message when its run does not say. */
export const DEFAULT_IDLE_MS = 86_400_000;

/** When a waiting session ends, or `null`. One to which somebody has spoken goes on as soon as it may. */
export function idleUntilMs({ idle, prepared, queue }: RunState): number | null {
  return idle && queue.length === 0 ? idle.sinceMs + (prepared?.idleMs ?? DEFAULT_IDLE_MS) : null;
}
