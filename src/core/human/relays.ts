import { patch, emit, remember, type Draft } from '../draft.js';
import type { Control } from './controls.js';
import type { Refusal } from './refusal.js';
import { isErrorCode } from '../errors.js';
import type { JsonObject } from '../json.js';
import type { Outcome } from '../outcomes.js';
import type { CallState, Relay, RunState } from '../state.js';

/** What the activity that hands a control to another run is told. */
export interface RelayInput {
  /** The run that it is for. */
  runId: string;
  /** The same for every attempt, so that the run takes it once. */
  id: string;
  name: Control['kind'];
  payload: JsonObject;
}

/** What the other run said. */
export interface Relayed {
  /** Absent: it was taken. */
  refusal?: { code: string; message: string };
}

/** Controls under way to sub-agents at a time; beyond that, a decision is refused and may be sent again. */
export const MAX_RELAYS = 50;

/** How many answers are remembered for updates that wait for them. */
const KEPT_ANSWERS = 50;

/** Hands a control to the sub-agent that carries out a call. */
export function relayTo(
  draft: Draft,
  call: CallState,
  { name, payload }: Pick<Relay, 'name' | 'payload'>,
): void {
  if (!call.child) return;
  const { errands, relays } = draft.state;
  const relay: Relay = { key: `x${errands}`, callId: call.id, childId: call.child.runId, name, payload };
  patch(draft, { relays: [...relays, relay], errands: errands + 1 });
}

/** Hands a control down to every sub-agent under way. */
export function tellAgents(draft: Draft, name: 'pause' | 'resume' | 'stop'): void {
  for (const call of draft.state.calls)
    if (call.child && call.status === 'running') relayTo(draft, call, { name, payload: {} });
}

/** Takes in what a sub-agent said to a control. */
export function settleRelay(draft: Draft, key: string, outcome: Outcome<Relayed>): void {
  const relay = draft.state.relays.find((one) => one.key === key);
  if (!relay) return;
  patch(draft, { relays: draft.state.relays.filter((one) => one !== relay) });
  const refusal = refusalOf(outcome);
  noteAnswer(draft, key, refusal);
  if (!refusal || relay.name === 'pause' || relay.name === 'resume' || relay.name === 'stop') return;
  const { callId } = relay.payload;
  emit(draft, {
    type: 'control_rejected',
    control: relay.name,
    ...refusal,
    callId: typeof callId === 'string' ? `${relay.callId}/${callId}` : relay.callId,
  });
}

function refusalOf(outcome: Outcome<Relayed>): Refusal | null {
  const refusal = outcome.kind === 'ok' ? outcome.value.refusal : undefined;
  if (refusal)
    return { code: isErrorCode(refusal.code) ? refusal.code : 'INPUT_INVALID', message: refusal.message };
  if (outcome.kind === 'ok') return null;
  return { code: 'RUN_CLOSED', message: 'The sub-agent could not be reached. See whether it has ended.' };
}

/** Remembers what became of a control that took time, for the update that waits for it. */
export function noteAnswer(draft: Draft, key: string, refusal: Refusal | null): void {
  patch(draft, { answered: remember(draft.state.answered, { key, refusal }, KEPT_ANSWERS) });
}

/** The key of the errand that a control has begun, or `null`. */
export function errandOf(before: RunState, after: RunState): string | null {
  return after.errands > before.errands ? `x${before.errands}` : null;
}

/** What became of a control that took time: its refusal, if it was refused. `null` while it is under way. */
export function answerTo(state: RunState, key: string): { refusal: Refusal | null } | null {
  const answered = state.answered.find((one) => one.key === key);
  return answered ? { refusal: answered.refusal } : null;
}
