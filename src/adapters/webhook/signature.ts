import { createHmac, timingSafeEqual } from 'node:crypto';
import { AgentError } from '../../core/errors.js';

/** Headers of a request, as Node gives them or as `fetch` does. Names in any case. */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** What {@link verifyWebhook} judges. */
export interface WebhookToVerify {
  /** As in `LONGHAUL_WEBHOOK_SECRET` of the worker. */
  secret: string;
  headers: WebhookHeaders;
  /** The body as it came. Parsed and written again it is another one. */
  body: string | Uint8Array;
  /** How far the clocks may be apart, and how long a message may have been on its way. Default 300,000 (5 minutes). */
  toleranceMs?: number;
  /** Default: now. */
  nowMs?: number;
}

const PREFIX = 'whsec_';
const DEFAULT_TOLERANCE_MS = 300_000;

/**
 * Whether a message to a webhook came from a worker that has the secret, unchanged and just now. For the server behind `webhookUrl`:
 *
 * ```ts
 * if (!verifyWebhook({ secret, headers: request.headers, body: rawBody })) return response.writeHead(401).end();
 * const message = JSON.parse(rawBody) as WebhookBody;
 * ```
 *
 * A message may come more than once: what has an effect should remember the header `webhook-id`. The scheme is that of Standard Webhooks
 * 1.0.0 (https://www.standardwebhooks.com), so its libraries can be used as well; they expect a secret that begins with `whsec_`.
 * @returns `false` for whatever is missing, malformed, late, early or signed otherwise.
 * @throws AgentError `CONFIG_INVALID` when the secret is empty, or begins with `whsec_` and goes on with what is not base64.
 */
export function verifyWebhook({
  secret,
  headers,
  body,
  toleranceMs = DEFAULT_TOLERANCE_MS,
  nowMs = Date.now(),
}: WebhookToVerify): boolean {
  const key = webhookKey(secret);
  const id = header(headers, 'webhook-id');
  const timestamp = header(headers, 'webhook-timestamp');
  const signatures = header(headers, 'webhook-signature');
  if (id === '' || !/^\d{1,12}$/.test(timestamp)) return false;
  // Written so that a tolerance or clock that is no number lets nothing pass.
  if (!(Math.abs(nowMs - Number(timestamp) * 1_000) <= toleranceMs)) return false;
  const expected = Buffer.from(signWebhook({ key, id, timestamp, body }));
  // Several when a secret is replaced: the old one and the new one.
  return signatures.split(' ').some((signature) => isSame(Buffer.from(signature), expected));
}

/** The value of `webhook-signature`. */
export function signWebhook(message: {
  key: Buffer;
  id: string;
  /** Seconds since 1970. */
  timestamp: string;
  body: string | Uint8Array;
}): string {
  const { key, id, timestamp, body } = message;
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
}

/**
 * The bytes of a secret: what base64 says after `whsec_`, otherwise its own in UTF-8.
 * @throws AgentError `CONFIG_INVALID`, without the secret
 */
export function webhookKey(secret: string): Buffer {
  if (secret === '') throw new AgentError('CONFIG_INVALID', 'The secret of the webhook is empty. Set one.');
  if (!secret.startsWith(PREFIX)) return Buffer.from(secret, 'utf8');
  const encoded = secret.slice(PREFIX.length);
  if (!/^[A-Za-z0-9+/]{2,}={0,2}$/.test(encoded)) {
    throw new AgentError(
      'CONFIG_INVALID',
      `The secret of the webhook begins with ${PREFIX}, so base64 must follow. Correct it, or leave the prefix out.`,
    );
  }
  return Buffer.from(encoded, 'base64');
}

function header(headers: WebhookHeaders, name: string): string {
  if (typeof headers.get === 'function') return headers.get(name) ?? '';
  const [, value] = Object.entries(headers).find(([key]) => key.toLowerCase() === name) ?? [];
  // One that is there twice is not what was sent.
  return typeof value === 'string' ? value : '';
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
