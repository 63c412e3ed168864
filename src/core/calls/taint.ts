import { emit, patch, type Draft } from '../draft.js';
import type { TaintSource } from '../progress.js';
import type { RunState } from '../state.js';

/** Notes that content from outside has entered the context; the first source is kept. Runs from before behaviour 3 have no policy for it. */
export function taintBy(draft: Draft, source: TaintSource): void {
  const { tainted, prepared, step } = draft.state;
  if (tainted || prepared?.taint === undefined) return;
  patch(draft, { tainted: source });
  emit(draft, { type: 'context_tainted', step, ...source });
}

/** Whether calls with side effects need a decision because of what is in the context. */
export function asksBecauseOfTaint(state: RunState): boolean {
  return state.prepared?.taint === 'ask' && (state.tainted !== null || state.parent?.tainted === true);
}
