import type { CallState } from './state.js';

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
