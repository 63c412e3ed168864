import type { CallState, ModelPurpose } from './state.js';

/** The key of the work that carries a call out; each run again has its own. */
export function toolKey(call: Pick<CallState, 'id' | 'rerun'>): string {
  return call.rerun === 0 ? call.id : `${call.id}.r${call.rerun}`;
}

/** The key of the work that checks edited arguments. */
export function checkKey(call: Pick<CallState, 'id' | 'checks'>): string {
  return `${call.id}.e${call.checks}`;
}

/** The key of the work that finds out whether a call took effect. */
export function verifyKey(call: Pick<CallState, 'id' | 'rerun'>): string {
  return `${toolKey(call)}.v`;
}

const LETTERS: Readonly<Record<ModelPurpose, string>> = {
  step: 'm',
  landing: 'l',
  review: 'r',
  compaction: 'k',
};

/** The key of the work that is a model call. */
export function modelKey(purpose: ModelPurpose, { step, tries }: { step: number; tries: number }): string {
  return `s${step}.${LETTERS[purpose]}${tries}`;
}

/** Whether a letter in a key stands for words that are not the agent's: of a reviewer, or of whoever sums up. */
export function isBesideTheStep(letter: string | undefined): boolean {
  return letter === LETTERS.review || letter === LETTERS.compaction;
}
