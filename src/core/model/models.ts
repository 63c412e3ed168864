import type { ModelPurpose, RunState } from '../state.js';

/** The models of a run, in the order in which they are asked. */
export function modelsOf(state: RunState): string[] {
  if (state.prepared) return [state.prepared.model, ...state.prepared.models];
  return [typeof state.input.model === 'string' ? state.input.model : ''];
}

/** The model that is asked next; a reviewer may be another one. */
export function currentModel(state: RunState, purpose: ModelPurpose = 'step'): string {
  return reviewerOf(state, purpose) ?? modelsOf(state)[state.model.index] ?? '';
}

/** The models that may answer the next request: the server chooses among all as long as the first one is asked. */
export function modelsAskedFor(state: RunState, purpose: ModelPurpose = 'step'): string[] {
  const reviewer = reviewerOf(state, purpose);
  if (reviewer !== undefined) return [reviewer];
  return state.model.index === 0 ? modelsOf(state) : [currentModel(state)];
}

function reviewerOf({ prepared }: RunState, purpose: ModelPurpose): string | undefined {
  return purpose === 'review' ? prepared?.review?.model : undefined;
}

/** Which attempt at the present request the next call is, or the one under way; from 1. */
export function attemptOf({ model }: RunState): number {
  return model.failures + model.losses + model.repeats + 1;
}

/** Whether what is asked for is the agent's own next word, which becomes part of the conversation. */
export function isAgentsWord(purpose: ModelPurpose): boolean {
  return purpose === 'step' || purpose === 'landing';
}
