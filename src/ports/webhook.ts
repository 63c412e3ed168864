import type { JsonObject } from '../core/json.js';

/** One message to the webhook of a run. */
export interface WebhookMessage {
  url: string;
  body: JsonObject;
  /** The same for each attempt, so that the receiver can tell a repetition. Letters, digits, `_` and `-`. */
  id: string;
  signal: AbortSignal;
}

/** Calls the webhooks of runs. */
export interface WebhookPort {
  /**
   * Sends a message once; it is over when the server has taken it.
   * @throws AgentError `WEBHOOK_FAILED`; `details.delayMs` when the server says when to come back. The reason of `signal` when that ended it.
   */
  send(message: WebhookMessage): Promise<void>;
}
