import type { RunState } from './state.js';

/** What continue-as-new hands to the next run of the chain. */
export interface Snapshot {
  version: 1;
  state: RunState;
}

/** The snapshot of a state. */
export function takeSnapshot(state: RunState): Snapshot {
  return { version: 1, state };
}

/**
 * The state in a snapshot, brought up to the present version.
 * @returns `null` when it is none, or of a version this code does not know.
 */
export function readSnapshot(value: unknown): RunState | null {
  const snapshot: Partial<Snapshot> = Object(value);
  return snapshot.version === 1 && snapshot.state?.version === 1 ? snapshot.state : null;
}
