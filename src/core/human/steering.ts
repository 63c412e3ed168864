import { MAX_QUEUED_MESSAGES } from '../behaviour.js';
import { beginLanding } from '../closing.js';
import type { Control, SayMode } from './controls.js';
import { emit, patch, putOnRecord, remember, type Draft } from '../draft.js';
import type { Refusal } from './refusal.js';
import { tellAgents } from './relays.js';
import { limitReached, limitsOf } from '../money/limits.js';
import { isMetered, isSelfKeeping } from '../metered.js';
import type { RunState } from '../state.js';

type Say = Extract<Control, { kind: 'say' }>;

/** Why a message cannot be taken, or `null`. A message that was taken before is taken again without effect. */
export function refuseSay(state: RunState, say: Say): Refusal | null {
  if (isKnown(state, say)) return null;
  if (state.cancelRequested || state.model.call?.purpose === 'landing')
    return { code: 'RUN_CLOSED', message: 'The run is ending; the model hears nothing more.' };
  if (state.queue.length >= MAX_QUEUED_MESSAGES)
    return {
      code: 'MESSAGE_TOO_LARGE',
      message: `${MAX_QUEUED_MESSAGES} messages wait already. Say more after the next step.`,
    };
  return null;
}

function isKnown(state: RunState, say: Say): boolean {
  return say.messageId !== undefined && state.messageIds.includes(say.messageId);
}

/** Takes a message in. `interrupt` also cancels the model call under way. */
export function say(draft: Draft, message: Say): void {
  const { state } = draft;
  if (isKnown(state, message)) return;
  const mode: SayMode = message.mode ?? 'steer';
  // Not a name that humans who count their messages would choose: theirs would be taken for a message sent again.
  const messageId = message.messageId ?? `auto-${state.seq}`;
  patch(draft, {
    queue: [...state.queue, { messageId, text: message.text, mode }],
    messageIds: remember(state.messageIds, messageId),
  });
  putOnRecord(draft, `said${message.by === undefined ? '' : ` by ${message.by}`}: ${message.text}`);
  emit(draft, {
    type: 'message_accepted',
    messageId,
    mode,
    position: state.queue.length,
    by: message.by ?? null,
  });
  const { call } = state.model;
  // What is under way when a run is paused may end; the message is heard when it goes on.
  const mayEnd = call?.purpose === 'step' || call?.purpose === 'review';
  if (mode === 'interrupt' && call && mayEnd && !state.landing && !state.pause)
    patch(draft, { model: { ...draft.state.model, call: { ...call, status: 'cancelling' } } });
}

/** Holds back new work. What runs may end. */
export function pause(draft: Draft, by: string | undefined, note: string | undefined): void {
  if (draft.state.pause || draft.state.landing || draft.state.cancelRequested) return;
  patch(draft, { pause: { reason: 'asked' } });
  emit(draft, { type: 'run_paused', reason: 'asked', by: by ?? null, message: note ?? null });
  tellAgents(draft, 'pause');
}

/** Lets new work start again, at once and with new patience. */
export function resume(draft: Draft, by: string | undefined): void {
  if (!draft.state.pause) return tryNow(draft, by);
  const hasPaid = draft.state.pause.reason === 'payment';
  const patience = {
    retryAtMs: null,
    outageSinceMs: null,
    outageWaits: 0,
    // The attempt under way is still the one that it was.
    ...(draft.state.model.call === null && { failures: 0, losses: 0, lowered: false }),
    // What the account could not pay for any more is asked for again; any other request stays as it was, for the response cache.
    ...(hasPaid && { heldTokens: null }),
  };
  patch(draft, { pause: null, model: { ...draft.state.model, ...patience } });
  emit(draft, { type: 'run_resumed', by: by ?? null });
  tellAgents(draft, 'resume');
}

/** Whoever knows that the model server is back does not wait for the next attempt at it. */
function tryNow(draft: Draft, by: string | undefined): void {
  const { model, landing, cancelRequested } = draft.state;
  if (!isSelfKeeping(draft.state) || model.retryAtMs === null || landing || cancelRequested) return;
  patch(draft, { model: { ...model, retryAtMs: null, outageSinceMs: null, outageWaits: 0 } });
  emit(draft, { type: 'run_resumed', by: by ?? null });
}

/** Ends gracefully because a human asked. */
export function stop(draft: Draft, note: string | undefined): void {
  // Said again, it is for sub-agents that may not have heard it the first time.
  if (draft.state.landing) return tellAgents(draft, 'stop');
  const reason = [
    'A human asked this run to stop.',
    ...(note === undefined ? [] : [`Their note: ${note}`]),
  ].join(' ');
  beginLanding(draft, { outcome: 'stopped', limit: null, error: null, reason });
}

/** Changes ceilings; what is left out stays. */
export function setLimits(draft: Draft, control: Extract<Control, { kind: 'setLimits' }>): void {
  const { kind: _, by, ...given } = control;
  const limits = { ...limitsOf(draft.state), ...given };
  const { prepared, earlyLimits } = draft.state;
  patch(
    draft,
    prepared ? { prepared: { ...prepared, limits } } : { earlyLimits: { ...earlyLimits, ...given } },
  );
  emit(draft, { type: 'limits_changed', limits, by: by ?? null });
  if (!isMetered(draft.state) || draft.state.landing || draft.state.cancelRequested) return;
  const limit = limitReached(draft.state, draft.atMs);
  if (limit) beginLanding(draft, { outcome: 'limit', limit, error: null });
}
