import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { promisify } from 'node:util';
import { Agent, fetch, type Response } from 'undici';
import { isAgentError, type AgentError } from '../../core/errors.js';
import { isPublicAddress } from './public-address.js';
import { refusal } from './workspace.js';

/** What {@link safeFetch} may reach. */
export interface NetworkPolicy {
  isAllowedAddress(address: string): boolean;
  isAllowedPort(port: number): boolean;
  /** All addresses of a name. */
  lookup(hostname: string): Promise<LookupAddress[]>;
}

/** What came back. */
export interface FetchedPage {
  /** After redirects. */
  url: string;
  status: number;
  /** Media type in lower case, without parameters; empty when the server named none. */
  contentType: string;
  charset: string;
  body: Uint8Array;
  /** Whether the body went on beyond `maxBytes`. */
  isCut: boolean;
}

interface FetchOptions {
  /** Of the body after decompression. */
  maxBytes: number;
  signal: AbortSignal;
  /** For everything together, redirects included. */
  timeoutMs: number;
  network: NetworkPolicy;
}

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const WEB_PORTS = new Set([80, 443, 8080, 8443]);
const lookupAll = promisify(systemLookup);

/** Public addresses on the usual ports of the web. */
export const PUBLIC_INTERNET: NetworkPolicy = {
  isAllowedAddress: isPublicAddress,
  isAllowedPort: (port) => WEB_PORTS.has(port),
  lookup: (hostname) => lookupAll(hostname, { all: true }),
};

/** Anything at all: for tests on the machine itself. Nothing in the environment leads here. */
export const PRIVATE_NETWORK: NetworkPolicy = {
  ...PUBLIC_INTERNET,
  isAllowedAddress: () => true,
  isAllowedPort: () => true,
};

/**
 * Gets an address that a model chose, without becoming a door to the inside. Names are looked up once, every address found must be
 * allowed, and the connection goes to one of these very addresses, so a name cannot change its meaning in between. Each redirect is
 * checked the same way. No cookie, login or proxy is used; the body is read up to `maxBytes`, counted after decompression.
 * @throws AgentError `TOOL_FAILED` in plain words; the reason of `signal` when that is what ended it.
 */
export async function safeFetch(address: string, options: FetchOptions): Promise<FetchedPage> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const agent = checkedAgent(options.network);
  try {
    return await follow(address, { ...options, agent, signal: AbortSignal.any([options.signal, timeout]) });
  } catch (error) {
    options.signal.throwIfAborted();
    if (timeout.aborted)
      throw refusal(`The address did not answer within ${options.timeoutMs / 1_000} seconds.`, error);
    throw asRefusal(error);
  } finally {
    await agent.destroy();
  }
}

async function follow(address: string, options: FetchOptions & { agent: Agent }): Promise<FetchedPage> {
  let url = checkedUrl(address, undefined, options.network);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const response = await fetch(url, {
      dispatcher: options.agent,
      signal: options.signal,
      redirect: 'manual',
      headers: {
        'user-agent': 'longhaul',
        accept: 'text/html, text/*;q=0.9, application/json;q=0.9, */*;q=0.1',
      },
    });
    const location = response.headers.get('location');
    if (!REDIRECTS.has(response.status) || location === null)
      return { url: url.href, ...(await readResponse(response, options.maxBytes)) };
    await response.body?.cancel();
    url = checkedUrl(location, url.href, options.network);
  }
  throw refusal(`The address redirects more than ${MAX_REDIRECTS} times.`);
}

/**
 * Reads an address and checks what can be checked without asking anybody: scheme, port, and the address where it is a number.
 * @param base for an address that is relative to another one
 * @throws AgentError `TOOL_FAILED` in plain words, with nothing of the address beyond its host and port
 */
export function checkedUrl(text: string, base: string | undefined, network: NetworkPolicy): URL {
  if (!URL.canParse(text, base))
    throw refusal('This is not a full address such as https://example.com/page.');
  const url = new URL(text, base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw refusal('Only http and https addresses can be fetched.');
  if (url.username !== '' || url.password !== '')
    throw refusal('An address with a user name or password in it is not fetched.');
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  if (!network.isAllowedPort(port))
    throw refusal(`Port ${port} is not one of the web; 80, 443, 8080 and 8443 are.`);
  // A number is never looked up, so the connection would not come by the check of names.
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0 && !network.isAllowedAddress(literal)) throw notPublic(literal);
  url.hash = '';
  return url;
}

/** Connects to allowed addresses only, and to the very ones that were checked. Each request needs its own, and ends it. */
export function checkedAgent(network: NetworkPolicy): Agent {
  return new Agent({ connect: { lookup: checkedLookup(network) } });
}

function checkedLookup(network: NetworkPolicy): LookupFunction {
  return (hostname, options, callback) => {
    network
      .lookup(hostname)
      .then((found) => {
        const [first] = found;
        if (!first) throw refusal(`${hostname} has no address.`);
        // One bad address spoils the name: a mixed answer is how rebinding starts.
        if (!found.every(({ address }) => network.isAllowedAddress(address))) throw notPublic(hostname);
        if (options.all) callback(null, found);
        else callback(null, first.address, first.family);
      })
      .catch((error: NodeJS.ErrnoException) => callback(error, ''));
  };
}

async function readResponse(response: Response, maxBytes: number): Promise<Omit<FetchedPage, 'url'>> {
  const [contentType = '', ...parameters] = (response.headers.get('content-type') ?? '')
    .split(';')
    .map((part) => part.trim());
  const charset =
    parameters.map((parameter) => /^charset="?([^"]+)"?$/i.exec(parameter)?.[1]).find(Boolean) ?? 'utf-8';
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  // Leaving the loop early cancels the body, and with it the decompression.
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) break;
  }
  const body = Buffer.concat(chunks).subarray(0, maxBytes);
  return {
    status: response.status,
    contentType: contentType.toLowerCase(),
    charset,
    body,
    isCut: sizeBytes > maxBytes,
  };
}

function notPublic(host: string): AgentError {
  return refusal(`${host} is not on the public internet, so it is not fetched.`);
}

/** Finds our own refusal below what the client made of it, or says what the network said. */
function asRefusal(error: unknown): unknown {
  const { refused, code } = causeOf(error);
  return refused ?? refusal(`The address cannot be fetched${code === undefined ? '' : ` (${code})`}.`, error);
}

/** What is at the bottom of a failed request: our own refusal, or the system's short code (`ECONNREFUSED`). */
export function causeOf(error: unknown): { refused?: AgentError; code?: string } {
  let current = error;
  let code: string | undefined;
  // Not by instanceof: what the network throws may come from another realm.
  for (let depth = 0; depth < 5 && typeof current === 'object' && current !== null; depth += 1) {
    if (isAgentError(current)) return { refused: current };
    if ('code' in current && typeof current.code === 'string') code = current.code;
    current = 'cause' in current ? current.cause : undefined;
  }
  return code === undefined ? {} : { code };
}
