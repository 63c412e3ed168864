import type { RunState } from './state.js';

/** Whether the run reserves money before it spends it. Runs that began before behaviour 2 go on as they began. */
export function isMetered(state: RunState): boolean {
  return (state.prepared?.behaviour ?? 0) >= 2;
}

/** Whether long conversations are shortened, loops are broken, and what is no answer is asked for again. */
export function isSelfKeeping(state: RunState): boolean {
  return (state.prepared?.behaviour ?? 0) >= 4;
}

/** Whether a call that certainly never began to act is begun again without a question. */
export function isGuarded(state: RunState): boolean {
  return (state.prepared?.behaviour ?? 0) >= 3;
}
