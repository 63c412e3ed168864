import { AgentError, isAgentError } from '../../core/errors.js';
import { checkedUrl, type NetworkPolicy } from '../tools/safe-fetch.js';

/** A webhook that may be called, as far as that can be told without asking the network. */
export interface WebhookTarget {
  url: URL;
  /** What may be shown of the address: its path and query may hold a secret. */
  origin: string;
  network: NetworkPolicy;
}

/** Which webhooks may be called. */
export interface WebhookPolicy {
  /** As {@link allowedHosts} returned them. */
  allowed: ReadonlySet<string>;
  /** For all others. */
  network: NetworkPolicy;
}

/**
 * Entries of `LONGHAUL_WEBHOOK_ALLOW` as they are compared.
 * @throws AgentError `CONFIG_INVALID`
 */
export function allowedHosts(allow: readonly string[]): Set<string> {
  return new Set(
    allow.map((entry) => {
      const url = URL.canParse(`http://${entry}`) ? new URL(`http://${entry}`) : undefined;
      if (!url || url.username !== '' || !/:\d+$/.test(entry))
        throw new AgentError('CONFIG_INVALID', 'LONGHAUL_WEBHOOK_ALLOW must be a list of host:port.');
      return hostPort(url);
    }),
  );
}

/**
 * Checks the address of a webhook: https on a public address and a port of the web, or a host and port that the worker allows by name.
 * @throws AgentError `WEBHOOK_FAILED`, not retryable, with no more of the address than its origin
 */
export function webhookTarget(address: string, { allowed, network }: WebhookPolicy): WebhookTarget {
  if (!URL.canParse(address))
    throw refused('webhookUrl is not a full address such as https://example.com/hook. Correct it.');
  const given = new URL(address);
  if (given.protocol !== 'https:' && given.protocol !== 'http:')
    throw refused('webhookUrl must begin with https://. Correct it.');
  if (given.username !== '' || given.password !== '')
    throw refused(
      'webhookUrl must have no user name and no password. A secret of the worker signs messages.',
    );
  const { origin } = given;
  const isAllowed = allowed.has(hostPort(given));
  if (given.protocol === 'http:' && !isAllowed)
    throw refused(`The webhook at ${origin} is not called: use https, ${orAllow(given)}.`);
  const reachable = isAllowed
    ? { ...network, isAllowedAddress: () => true, isAllowedPort: () => true }
    : network;
  try {
    return { url: checkedUrl(address, undefined, reachable), origin, network: reachable };
  } catch (error) {
    throw isAgentError(error) ? notCalled({ origin, url: given }, error) : error;
  }
}

/** Says of a webhook why it is not called at all. */
export function notCalled(
  { origin, url }: Pick<WebhookTarget, 'origin' | 'url'>,
  why: AgentError,
): AgentError {
  return refused(`The webhook at ${origin} is not called: ${why.message} Use another one, ${orAllow(url)}.`);
}

function orAllow(url: URL): string {
  return `or let the worker call it by ${hostPort(url)} in LONGHAUL_WEBHOOK_ALLOW`;
}

/** Of the address as URLs write it: small letters, numbers of IPv4 in four parts. */
function hostPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
}

function refused(message: string): AgentError {
  return new AgentError('WEBHOOK_FAILED', message, { retryable: false });
}
