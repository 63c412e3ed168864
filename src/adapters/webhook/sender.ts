import { fetch, type Response } from 'undici';
import { AgentError } from '../../core/errors.js';
import type { WebhookMessage, WebhookPort } from '../../ports/webhook.js';
import { retryDelayMs } from '../openrouter/retry-after.js';
import { causeOf, checkedAgent, PUBLIC_INTERNET, type NetworkPolicy } from '../tools/safe-fetch.js';
import { signWebhook, webhookKey } from './signature.js';
import { allowedHosts, notCalled, webhookTarget, type WebhookTarget } from './target.js';

/** What {@link createWebhookSender} works with. */
export interface WebhookSenderOptions {
  /** Signs messages; `null`: they are not signed. */
  secret: string | null;
  /** `host:port` that may be called over http, at any port, and though it is not on the public internet. */
  allow: readonly string[];
  /** What else may be reached. Default: the public internet. */
  network?: NetworkPolicy;
  /** For the whole of a call. Default 10,000. */
  timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** Answers are of no interest, but a server may give up its work when nobody reads them. */
const MAX_ANSWER_BYTES = 4_096;
/** Beside these, nothing but a failure of the server itself (5xx) passes by waiting. */
const PASSING_STATUS = new Set([408, 425, 429]);

/**
 * Makes what calls the webhooks of runs, by POST, signed after Standard Webhooks 1.0.0 (https://www.standardwebhooks.com). Whoever starts
 * a run names the address, so it must not become a door to the inside: see {@link webhookTarget}; every address of a name is checked, and
 * the connection goes to one of these. No redirect is followed, no proxy of the environment used.
 * @throws AgentError `CONFIG_INVALID` when `secret` or `allow` cannot be read
 */
export function createWebhookSender(options: WebhookSenderOptions): WebhookPort {
  const { secret, allow, network = PUBLIC_INTERNET, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const key = secret === null ? null : webhookKey(secret);
  const policy = { allowed: allowedHosts(allow), network };
  return {
    async send(message) {
      const target = webhookTarget(message.url, policy);
      judge(await post(target, { message, key, timeoutMs }), target.origin);
    },
  };
}

async function post(
  target: WebhookTarget,
  { message, key, timeoutMs }: { message: WebhookMessage; key: Buffer | null; timeoutMs: number },
): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([message.signal, timeout]);
  const agent = checkedAgent(target.network);
  const body = JSON.stringify(message.body);
  try {
    const response = await fetch(target.url, {
      method: 'POST',
      dispatcher: agent,
      redirect: 'manual',
      headers: headersOf({ id: message.id, body, key }),
      body,
      signal,
    });
    await drop(response).catch(() => undefined); // The status is the answer; how its body ends changes nothing.
    return response;
  } catch (error) {
    message.signal.throwIfAborted();
    if (timeout.aborted)
      throw passing(`The webhook at ${target.origin} did not answer within ${timeoutMs / 1_000} seconds.`);
    const { refused, code = 'no connection' } = causeOf(error);
    if (refused) throw notCalled(target, refused);
    // Without the error as its cause: nobody knows what of the address it shows.
    throw passing(`The webhook at ${target.origin} cannot be reached (${code}).`);
  } finally {
    await agent.destroy();
  }
}

async function drop({ body }: Response): Promise<void> {
  let sizeBytes = 0;
  for await (const chunk of body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes >= MAX_ANSWER_BYTES) return;
  }
}

function headersOf(message: { id: string; body: string; key: Buffer | null }): Record<string, string> {
  const { id, body, key } = message;
  const timestamp = String(Math.floor(Date.now() / 1_000));
  return {
    'user-agent': 'longhaul',
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    ...(key && { 'webhook-signature': signWebhook({ key, id, timestamp, body }) }),
  };
}

function judge({ status, headers }: Response, origin: string): void {
  if (status >= 200 && status < 300) return;
  const answer = `The webhook at ${origin} answers with HTTP ${status}`;
  if (status >= 300 && status < 400) {
    throw new AgentError(
      'WEBHOOK_FAILED',
      `${answer}, a redirect, which is not followed. Set webhookUrl to the address that it leads to.`,
      { retryable: false },
    );
  }
  if (status < 500 && !PASSING_STATUS.has(status)) {
    throw new AgentError('WEBHOOK_FAILED', `${answer}. Check webhookUrl and what its server expects.`, {
      retryable: false,
    });
  }
  const delayMs = retryDelayMs({ headers, nowMs: Date.now() });
  throw passing(`${answer}.`, delayMs);
}

function passing(message: string, delayMs?: number): AgentError {
  return new AgentError('WEBHOOK_FAILED', `${message} It is tried again.`, {
    retryable: true,
    ...(delayMs !== undefined && { details: { delayMs } }),
  });
}
