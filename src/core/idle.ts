import type { RunState } from './state.js';

/** How long a session waits for the next message when its run does not say. */
export const DEFAULT_IDLE_MS = 86_400_000;

/** When a waiting session ends, or `null`. */
export function idleUntilMs({ idle, prepared }: RunState): number | null {
  return idle && idle.sinceMs + (prepared?.idleMs ?? DEFAULT_IDLE_MS);
}
