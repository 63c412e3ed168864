import type { JsonValue } from '../core/json.js';
import type { NotifyInput } from '../core/human/notices.js';
import type { PendingItem, RunResult, RunStatus, Spend } from '../core/progress.js';

/** A call that waits for a human, as a webhook gets it. */
export type WebhookPendingItem = Omit<PendingItem, 'args'> & {
  /** `null` when they are too large for a message; `argsText` then shows how they begin. */
  args: JsonValue;
  argsText?: string;
};

/** The JSON that the webhook of a run is sent, at most about 64 KB of it. */
export interface WebhookBody {
  type: NotifyInput['type'];
  /** As in the header `webhook-id`: a message may come more than once, always with the same id. */
  id: string;
  runId: string;
  /** When there was a reason to send it. */
  at: string;
  /** Its first 500 characters. */
  goal: string;
  status: RunStatus;
  step: number;
  spend: Spend;
  /** Those of the calls in question that still wait. */
  pending: WebhookPendingItem[];
  /** By call id: lines for a shell, any one of which settles the call. */
  commands: Record<string, string[]>;
  /** Of a run that has ended. */
  result: RunResult | null;
  /** Texts or lists are shortened to make it fit; the whole is in the run. */
  isCut: boolean;
}
