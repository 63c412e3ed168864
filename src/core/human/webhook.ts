import { emit, patch, type Draft } from '../draft.js';
import type { RunEvent } from '../events.js';
import type { NotifyInput } from './notices.js';
import type { Outcome } from '../outcomes.js';

/** Notices that may be under way at a time; a webhook that is down must not fill the state. */
const MAX_NOTICES = 50;

/** Tells the webhook of every request and reminder that this input brought. Those of a sub-agent are told by the run that a human has started. */
export function announceRequests(draft: Draft): void {
  for (const type of ['decision_requested', 'decision_reminder'] as const) {
    const callIds = draft.events.flatMap((event) => idOf(event, type));
    if (callIds.length > 0) notify(draft, { type, callIds });
  }
}

function idOf(event: RunEvent, type: 'decision_requested' | 'decision_reminder'): string[] {
  return event.type === type ? [event.callId] : [];
}

/** Sends a notice, if the run has a webhook. */
export function notify(draft: Draft, notice: Omit<NotifyInput, 'id'>): void {
  const { input, parent, notices, noticeCount } = draft.state;
  const isFull = notices.length >= MAX_NOTICES && notice.type !== 'run_completed';
  if (typeof input.webhookUrl !== 'string' || parent || isFull) return;
  patch(draft, {
    notices: [...notices, { ...notice, id: `n${noticeCount}` }],
    noticeCount: noticeCount + 1,
  });
}

/** Takes in what became of a notice. One that could not be delivered is on record and changes nothing else. */
export function settleNotice(draft: Draft, key: string, outcome: Outcome<unknown>): void {
  const notice = draft.state.notices.find(({ id }) => id === key);
  if (!notice || draft.state.phase === 'closed') return;
  patch(draft, { notices: draft.state.notices.filter((one) => one !== notice) });
  if (outcome.kind === 'ok') return;
  const { code, message } =
    outcome.kind === 'failed'
      ? outcome
      : { code: 'WEBHOOK_FAILED', message: 'The webhook did not answer in time.' };
  emit(draft, { type: 'webhook_failed', notice: notice.type, code, message });
}
