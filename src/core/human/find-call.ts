import { agentsPending } from '../agents/agents-pending.js';
import { isPending, toPending } from '../calls/calls.js';
import type { ErrorCode } from '../errors.js';
import type { PendingItem } from '../progress.js';
import type { Refusal } from './refusal.js';
import type { CallState, RunState } from '../state.js';

/** A pending call that a human means: one of this run, or one of a sub-agent that carries `call` out. */
export interface FoundCall {
  call: CallState;
  item: PendingItem;
  /** Its id as the sub-agent knows it; `null` for a call of this run. */
  childCallId: string | null;
}

type Fits = (kind: PendingItem['kind']) => boolean;

/** The pending call a human means, or why there is none. */
export function findCall(
  state: RunState,
  callId: string | undefined,
  fits: Fits,
): { found: FoundCall } | { refusal: Refusal } {
  if (callId === undefined) return findOnly(state, fits);
  const found = pendingCalls(state).find(({ item }) => item.callId === callId);
  if (found && fits(found.item.kind)) return { found };
  if (found)
    return refuse(
      'CALL_NOT_PENDING',
      `${callId} waits for ${found.item.kind === 'question' ? 'an answer' : 'a decision'}.`,
    );
  if (state.decidedCallIds.includes(callId))
    return refuse('ALREADY_DECIDED', `${callId} is decided; the first decision stands.`);
  if (isPast(state, callId)) return refuse('CALL_NOT_PENDING', `${callId} waits for nothing.`);
  return refuse('CALL_NOT_FOUND', `This run has no call ${callId}.`);
}

function findOnly(state: RunState, fits: Fits): { found: FoundCall } | { refusal: Refusal } {
  const candidates = pendingCalls(state).filter(({ item }) => fits(item.kind));
  const [only] = candidates;
  if (only && candidates.length === 1) return { found: only };
  return refuse(
    'CALL_NOT_PENDING',
    candidates.length === 0 ? 'No call waits for this.' : `${candidates.length} calls wait: name one.`,
  );
}

function pendingCalls(state: RunState): FoundCall[] {
  const own = state.calls
    .filter(isPending)
    .map((call) => ({ call, item: toPending(call), childCallId: null }));
  const theirs = agentsPending(state).flatMap((item) => {
    const [id = ''] = item.callId.split('/', 1);
    const call = state.calls.find((one) => one.id === id);
    return call ? [{ call, item, childCallId: item.callId.slice(id.length + 1) }] : [];
  });
  return [...own, ...theirs];
}

/** Whether a call of this name was there: in the present step, in one before, or in a sub-agent of one. */
function isPast(state: RunState, callId: string): boolean {
  const [id = ''] = callId.split('/', 1);
  if (state.calls.some((call) => call.id === id)) return true;
  const [, step] = /^s(\d+)\.c\d+$/.exec(id) ?? [];
  const { phase, stepsCompleted } = state;
  return step !== undefined && Number(step) < (phase === 'calls' ? state.step : stepsCompleted);
}

function refuse(code: ErrorCode, message: string): { refusal: Refusal } {
  return { refusal: { code, message } };
}
