import { EMPTY_LEDGER, type Ledger } from './money/ledger.js';
import { FRESH_ERRANDS, FRESH_GUARDS, FRESH_MONEY, IDLE_MODEL } from './fresh-state.js';
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

/** What no state held in the beginning. */
const ADDED_SINCE = { ...FRESH_MONEY, ...FRESH_ERRANDS, ...FRESH_GUARDS, forkOf: null };

/**
 * The state in a snapshot, brought up to the present shape: what its writer did not know yet is as in a fresh run.
 * @returns `null` when it is none, or of a version this code does not know.
 */
export function readSnapshot(value: unknown): RunState | null {
  const snapshot: Partial<Snapshot> = Object(value);
  const { version, state } = snapshot;
  if (version !== 1 || state?.version !== 1) return null;
  // Before behaviour 2 the ledger had a sum here, which was always 0.
  const { reservedNanoUsd: _, ...ledger }: Ledger & { reservedNanoUsd?: number } = state.ledger;
  return {
    ...ADDED_SINCE,
    ...state,
    shared: state.shared ?? state.input.shared ?? {},
    model: { ...IDLE_MODEL, ...state.model },
    ledger: { ...EMPTY_LEDGER, ...ledger },
  };
}
