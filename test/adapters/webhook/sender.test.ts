import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { createWebhookSender, type WebhookSenderOptions } from '../../../src/adapters/webhook/sender.js';
import { verifyWebhook } from '../../../src/adapters/webhook/signature.js';
import { PUBLIC_INTERNET, type NetworkPolicy } from '../../../src/adapters/tools/safe-fetch.js';
import type { WebhookMessage } from '../../../src/ports/webhook.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const SECRET = 'whsec_c2l4dGVlbiBsZXR0ZXJzIG9yIG1vcmU=';
const PATH = '/services/T0P-SECRET?token=HUSH';

let server: Server;
let port: number;
let handler: Handler;
let requests: { request: IncomingMessage; body: string }[];
let connections: number;

beforeEach(async () => {
  requests = [];
  connections = 0;
  handler = (_, response) => response.end('thanks');
  server = createServer((request, response) => {
    void text(request).then((body) => {
      requests.push({ request, body });
      handler(request, response);
    });
  }).listen(0, '127.0.0.1');
  server.on('connection', () => (connections += 1));
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port; // A TCP server has an AddressInfo.
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const ADDRESSES: Record<string, string[]> = {
  'hook.test': ['127.0.0.1'],
  'inside.test': ['10.0.0.1'],
  'metadata.test': ['169.254.169.254'],
  'mixed.test': ['127.0.0.1', '10.0.0.1'],
  'nothing.test': [],
};

/** Here 127.0.0.1 plays the public internet, and everything else that is not public is still inside. */
const network: NetworkPolicy = {
  isAllowedAddress: (address) => address === '127.0.0.1' || PUBLIC_INTERNET.isAllowedAddress(address),
  isAllowedPort: () => true,
  lookup: async (hostname) => {
    const addresses = ADDRESSES[hostname];
    if (!addresses)
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' });
    return addresses.map((address) => ({ address, family: 4 }));
  },
};

/** By default to the server of the test, which the worker allows. */
function send(options: Partial<WebhookSenderOptions & WebhookMessage> = {}): Promise<void> {
  const sender = createWebhookSender({ secret: SECRET, allow: [`127.0.0.1:${port}`], ...options });
  const { url = `http://127.0.0.1:${port}${PATH}`, signal = new AbortController().signal } = options;
  return sender.send({ url, body: { type: 'run_completed', text: 'ü' }, id: 'first_1', signal });
}

const failed = (retryable: boolean, words: string) =>
  expect.objectContaining({
    code: 'WEBHOOK_FAILED',
    retryable,
    message: expect.stringContaining(words),
  });
const failureOf = (sent: Promise<void>): Promise<unknown> =>
  sent.then(
    () => Promise.reject(new Error('It was taken.')),
    (error: unknown) => error,
  );

describe('a message', () => {
  it('is one POST of JSON to the whole address, signed so that its receiver can tell', async () => {
    await send();

    expect(requests).toHaveLength(1);
    const { request, body } = requests[0] as (typeof requests)[number]; // There is one, see above.
    expect(request).toMatchObject({ method: 'POST', url: PATH });
    expect(JSON.parse(body)).toEqual({ type: 'run_completed', text: 'ü' });
    expect(request.headers).toMatchObject({
      host: `127.0.0.1:${port}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'webhook-id': 'first_1',
      'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
    });
    const { 'webhook-timestamp': timestamp, 'webhook-signature': signature } = request.headers;
    const key = Buffer.from('sixteen letters or more', 'utf8');
    expect(signature).toBe(
      `v1,${createHmac('sha256', key)
        .update(`first_1.${String(timestamp)}.${body}`)
        .digest('base64')}`,
    );
    expect(verifyWebhook({ secret: SECRET, headers: request.headers, body })).toBe(true);
    expect(verifyWebhook({ secret: SECRET, headers: request.headers, body: `${body} ` })).toBe(false);
    expect(
      verifyWebhook({ secret: SECRET, headers: request.headers, body, nowMs: Date.now() + 302_000 }),
    ).toBe(false);
  });

  it('has no signature when there is no secret', async () => {
    await send({ secret: null });

    expect(requests[0]?.request.headers).toMatchObject({ 'webhook-id': 'first_1' });
    expect(requests[0]?.request.headers).not.toHaveProperty('webhook-signature');
  });

  it('goes by no proxy of the environment, and takes nothing else from there', async () => {
    const before = { ...process.env };
    const proxy = 'http://127.0.0.1:9';
    Object.assign(process.env, {
      HTTP_PROXY: proxy,
      http_proxy: proxy,
      ALL_PROXY: proxy,
      NODE_USE_ENV_PROXY: '1',
    });
    try {
      await send();
    } finally {
      process.env = before;
    }

    const names = Object.keys(requests[0]?.request.headers ?? {});
    expect(names.filter((name) => /auth|cookie|key|token|referer/i.test(name))).toEqual([]);
    expect(names).toContain('webhook-id');
  });
});

describe('an answer', () => {
  it.each([200, 201, 202, 204, 299])('of status %i means that it was taken', async (status) => {
    handler = (_, response) => response.writeHead(status).end();

    await expect(send()).resolves.toBeUndefined();
  });

  it.each([408, 425, 429, 500, 502, 503, 504, 599])('of status %i means to try again', async (status) => {
    handler = (_, response) => response.writeHead(status).end('T0P-SECRET');

    await expect(send()).rejects.toEqual(
      failed(true, `http://127.0.0.1:${port} answers with HTTP ${status}`),
    );
  });

  it.each([400, 401, 403, 404, 405, 409, 410, 413, 422])('of status %i ends it', async (status) => {
    handler = (_, response) => response.writeHead(status, { 'retry-after': '7' }).end();

    await expect(send()).rejects.toEqual(failed(false, `HTTP ${status}`));
  });

  it('of a server that is well again is as good as any', async () => {
    handler = (_, response) => response.writeHead(requests.length === 1 ? 503 : 200).end();

    await expect(send()).rejects.toEqual(failed(true, '503'));
    await expect(send()).resolves.toBeUndefined();
    expect(requests.map(({ request }) => request.headers['webhook-id'])).toEqual(['first_1', 'first_1']);
  });

  it.each([
    ['7', 7_000],
    ['86400', 300_000],
    ['soon', undefined],
    [undefined, undefined],
  ])('with Retry-After %s says when to come back', async (value, delayMs) => {
    handler = (_, response) =>
      response.writeHead(503, value === undefined ? {} : { 'retry-after': value }).end();

    await expect(send()).rejects.toMatchObject({ details: delayMs === undefined ? {} : { delayMs } });
  });

  it('with Retry-After as a date says when to come back', async () => {
    handler = (_, response) =>
      response.writeHead(429, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }).end();

    const { details } = (await failureOf(send())) as { details: { delayMs: number } };
    expect(details.delayMs).toBeGreaterThan(50_000);
    expect(details.delayMs).toBeLessThanOrEqual(60_000);
  });

  it.each([301, 302, 303, 307, 308])('of status %i leads nowhere', async (status) => {
    handler = (_, response) => response.writeHead(status, { location: '/moved' }).end();

    await expect(send()).rejects.toEqual(failed(false, 'redirect, which is not followed'));
    expect(requests).toHaveLength(1);
  });

  it.each([
    'http://169.254.169.254/elsewhere',
    'http://127.0.0.1:PORT/elsewhere',
    'http://[::1]/elsewhere',
    'https://example.com/elsewhere',
  ])('that redirects to %s leads nowhere, and nobody is told where', async (location) => {
    handler = (_, response) =>
      response.writeHead(307, { location: location.replace('PORT', String(port)) }).end();

    const error = await failureOf(send());

    expect(error).toEqual(failed(false, 'redirect'));
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain('elsewhere');
    expect(requests).toHaveLength(1);
  });

  it.each([
    ['without a length', {}],
    ['of a known length', { 'content-length': '1000000000' }],
  ])('that never ends, %s, is taken but not read', async (_, headers) => {
    let writtenBytes = 0;
    const closed = new Promise<void>((resolve) => {
      handler = (_request, response) => {
        response.writeHead(200, headers).on('close', resolve);
        const more = () => {
          if (response.destroyed) return;
          writtenBytes += 16_384;
          response.write('x'.repeat(16_384), more);
        };
        more();
      };
    });

    await expect(send()).resolves.toBeUndefined();
    await closed;
    // What the system keeps on both ends of the connection is written, too.
    expect(writtenBytes).toBeLessThan(20_000_000);
  });

  it('whose body stops in the middle still tells its status', async () => {
    handler = (_, response) => void response.writeHead(200).write('x');

    await expect(send({ timeoutMs: 200 })).resolves.toBeUndefined();
  });
});

describe('time', () => {
  it('runs out for a server that never answers', async () => {
    handler = () => undefined;

    await expect(send({ timeoutMs: 100 })).rejects.toEqual(failed(true, 'within 0.1 seconds'));
  });

  it('runs out for a name that is never found', async () => {
    const url = 'https://slow.test/';
    const stuck = { ...network, lookup: () => new Promise<never>(() => undefined) };

    const startedAtMs = Date.now();

    await expect(send({ url, network: stuck, timeoutMs: 100 })).rejects.toEqual(
      failed(true, 'within 0.1 seconds'),
    );
    // Far from the 10 seconds after which the client itself would give up.
    expect(Date.now() - startedAtMs).toBeLessThan(5_000);
  });

  it('ends with the reason of the signal when that is aborted', async () => {
    const abort = new AbortController();
    const reason = new Error('cancelled by the run');
    handler = () => abort.abort(reason);

    await expect(send({ signal: abort.signal })).rejects.toBe(reason);
  });
});

describe('a network that fails means to try again', () => {
  it('when the connection breaks', async () => {
    handler = (request) => request.socket.destroy();

    await expect(send()).rejects.toEqual(failed(true, 'cannot be reached (UND_ERR_SOCKET)'));
  });

  it('when nobody listens', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port: free } = other.address() as AddressInfo; // A TCP server has an AddressInfo.
    other.close();
    await once(other, 'close');

    const sent = send({ url: `http://127.0.0.1:${free}/`, allow: [`127.0.0.1:${free}`] });
    await expect(sent).rejects.toEqual(failed(true, 'cannot be reached (ECONNREFUSED)'));
  });

  it('when a name is not known', async () => {
    const sent = send({ url: 'https://unknown.test/', network });
    await expect(sent).rejects.toEqual(failed(true, 'cannot be reached (ENOTFOUND)'));
  });

  it('when a server for https speaks something else', async () => {
    const sent = send({ url: `https://hook.test:${port}/`, network });
    await expect(sent).rejects.toEqual(failed(true, 'cannot be reached'));
    expect(connections).toBe(1);
    expect(requests).toEqual([]);
  });
});

describe('an address that is refused before anything is sent', () => {
  const unasked = { ...PUBLIC_INTERNET, lookup: () => Promise.reject(new Error('looked up')) };

  it.each([
    ['https://127.0.0.1/', 'https://127.0.0.1 is not called: 127.0.0.1 is not on the public internet'],
    ['https://2130706433/', 'not on the public internet'],
    ['https://0177.0.0.1/', 'not on the public internet'],
    ['https://[::1]/', 'not on the public internet'],
    ['https://[::ffff:169.254.169.254]/', 'not on the public internet'],
    ['https://169.254.169.254/latest/', 'not on the public internet'],
    ['https://10.0.0.1:8443/', 'by 10.0.0.1:8443 in LONGHAUL_WEBHOOK_ALLOW'],
    ['https://example.com:22/', 'Port 22'],
    ['http://example.com/', 'use https'],
    ['http://example.com/', 'by example.com:80 in LONGHAUL_WEBHOOK_ALLOW'],
    ['http://user:pass@example.com/', 'no user name and no password'],
    ['https://user@example.com/', 'no user name and no password'],
    ['https://:pass@example.com/', 'no user name and no password'],
    ['ftp://example.com/', 'must begin with https'],
    ['file:///etc/passwd', 'must begin with https'],
    ['data:text/plain,x', 'must begin with https'],
    ['example.com/hook', 'not a full address'],
    ['', 'not a full address'],
  ])('%s', async (url, words) => {
    await expect(send({ url, network: unasked })).rejects.toEqual(failed(false, words));
  });

  it.each(['inside.test', 'metadata.test', 'mixed.test'])('the name %s', async (name) => {
    const sent = send({ url: `https://${name}:${port}/`, network });

    await expect(sent).rejects.toEqual(failed(false, `${name} is not on the public internet`));
    expect(connections).toBe(0);
  });

  it('the name of this machine, looked up for real', async () => {
    const sent = send({
      url: `https://localhost:${port}/`,
      network: { ...PUBLIC_INTERNET, isAllowedPort: () => true },
    });

    await expect(sent).rejects.toEqual(failed(false, 'localhost is not on the public internet'));
    expect(connections).toBe(0);
  });

  it('a name without an address', async () => {
    await expect(send({ url: 'https://nothing.test/', network })).rejects.toEqual(
      failed(false, 'has no address'),
    );
  });
});

describe('what the worker allows', () => {
  it.each([
    ['127.0.0.1:PORT', 'http://127.0.0.1:PORT/'],
    ['127.1:PORT', 'http://127.0.0.1:PORT/'],
    ['HOOK.test:PORT', 'http://hook.TEST:PORT/'],
  ])('as %s is called as %s', async (entry, url) => {
    const here = (pattern: string) => pattern.replace('PORT', String(port));
    // Even of names that this network does not let through.
    const closed = { ...network, isAllowedAddress: () => false, isAllowedPort: () => false };

    await send({ allow: ['other.test:1', here(entry)], url: here(url), network: closed });

    expect(requests).toHaveLength(1);
  });

  it.each([
    ['another port', 'http://127.0.0.1:1/'],
    ['the usual port', 'http://127.0.0.1/'],
    ['another name of the same machine', 'http://hook.test:PORT/'],
    ['a name that only begins like it', 'http://127.0.0.1.hook.test:PORT/'],
  ])('does not reach to %s', async (_, url) => {
    await expect(send({ url: url.replace('PORT', String(port)), network })).rejects.toEqual(
      failed(false, 'use https'),
    );
    expect(connections).toBe(0);
  });

  it('holds for the usual port of https, too', async () => {
    const sent = send({ allow: ['127.0.0.1:443'], url: 'https://127.0.0.1/', timeoutMs: 2_000 });

    // It is called; that nobody is there is another matter.
    await expect(sent).rejects.toEqual(failed(true, 'https://127.0.0.1 cannot be reached'));
  });

  it.each(['hook.test', 'hook.test:', 'hook.test:99999', 'a:b@hook.test:1', 'hook.test:80/path', ''])(
    'cannot be %j',
    (entry) => {
      expect(() => createWebhookSender({ secret: null, allow: [entry] })).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID' }),
      );
    },
  );
});

describe('an error', () => {
  const cases: [string, Partial<WebhookSenderOptions & WebhookMessage>, Handler | null][] = [
    ['of a refusal by the server', {}, (_, response) => response.writeHead(404).end('HUSH')],
    ['of a redirect', {}, (_, response) => response.writeHead(302, { location: PATH }).end()],
    ['of a busy server', {}, (_, response) => response.writeHead(503).end('HUSH')],
    ['of a broken connection', {}, (request) => request.socket.destroy()],
    ['of a silent server', { timeoutMs: 50 }, () => undefined],
    ['of an address inside', { url: `https://10.0.0.1${PATH}` }, null],
    ['of a name inside', { url: `https://inside.test${PATH}`, network }, null],
    ['of a name that is not known', { url: `https://unknown.test${PATH}`, network }, null],
    ['of a wrong scheme', { url: `ftp://x${PATH}` }, null],
    ['of http', { url: `http://x.test${PATH}` }, null],
    ['of a password', { url: `https://HUSH:HUSH@x.test${PATH}` }, null],
    ['of nonsense', { url: `https//x${PATH}` }, null],
  ];

  it.each(cases)('%s shows neither the path of the address nor the secret', async (_, options, answer) => {
    handler = answer ?? handler;

    const error = await failureOf(send(options));

    expect(error).toMatchObject({ code: 'WEBHOOK_FAILED' });
    const shown = inspect(error, { depth: null, showHidden: true, getters: true });
    expect(shown).not.toMatch(/HUSH|T0P-SECRET/);
    expect(shown).not.toContain(SECRET.slice('whsec_'.length));
  });
});
