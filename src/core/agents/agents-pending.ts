import type { PendingItem } from '../progress.js';
import type { RunState } from '../state.js';

/** What waits for a human in sub-agents, with ids as seen from this run. */
export function agentsPending(state: RunState): PendingItem[] {
  return state.calls.flatMap(({ id, child, status }) =>
    child && status === 'running'
      ? child.pending.map((item) => ({ ...item, callId: `${id}/${item.callId}` }))
      : [],
  );
}
