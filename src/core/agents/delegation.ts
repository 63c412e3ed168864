import type { Delegation } from '../outcomes.js';
import type { CallState } from '../state.js';

/** The delegation of a call, or `null` when a tool carries it out. */
export function delegationOf({ plan }: CallState): Delegation | null {
  return plan.control?.kind === 'delegate' ? plan.control : null;
}
