import type { RunState } from './state.js';

/** The models of a run, in the order in which they are asked. */
export function modelsOf(state: RunState): string[] {
  if (state.prepared) return [state.prepared.model, ...state.prepared.models];
  return [typeof state.input.model === 'string' ? state.input.model : ''];
}

/** The model that is asked next. */
export function currentModel(state: RunState): string {
  return modelsOf(state)[state.model.index] ?? '';
}

/** The models that may answer the next request: the server chooses among all as long as the first one is asked. */
export function modelsAskedFor(state: RunState): string[] {
  return state.model.index === 0 ? modelsOf(state) : [currentModel(state)];
}

/** Which attempt at the present request the next call is, or the one under way; from 1. */
export function attemptOf({ model }: RunState): number {
  return model.failures + model.losses + model.repeats + 1;
}
