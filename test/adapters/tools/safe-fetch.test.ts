import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { webFetchTool } from '../../../src/adapters/tools/builtin/web-fetch.js';
import {
  PRIVATE_NETWORK,
  PUBLIC_INTERNET,
  safeFetch,
  type NetworkPolicy,
} from '../../../src/adapters/tools/safe-fetch.js';
import { runTool, toolContext } from './tool-harness.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let port: number;
let handler: Handler;
let requests: IncomingMessage[];
let lookups: string[];

beforeEach(async () => {
  requests = [];
  lookups = [];
  handler = (_, response) => response.end('hello');
  server = createServer((request, response) => {
    requests.push(request);
    handler(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port; // A TCP server has an AddressInfo.
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const ADDRESSES: Record<string, string[]> = {
  'public.test': ['127.0.0.1'],
  'other.test': ['127.0.0.1'],
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
    lookups.push(hostname);
    // A name that means the public internet the first time it is asked, and the inside from then on.
    const isRebound = hostname === 'rebind.test' && lookups.filter((name) => name === hostname).length > 1;
    const addresses =
      hostname === 'rebind.test' ? [isRebound ? '10.0.0.1' : '127.0.0.1'] : ADDRESSES[hostname];
    if (!addresses)
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' });
    return addresses.map((address) => ({ address, family: 4 }));
  },
};

const fetchIt = (url: string, options: Partial<Parameters<typeof safeFetch>[1]> = {}) =>
  safeFetch(url, {
    maxBytes: 10_000,
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    network,
    ...options,
  });
const refused = (words: string) =>
  expect.objectContaining({ code: 'TOOL_FAILED', message: expect.stringContaining(words) });
const redirectTo =
  (location: string): Handler =>
  (_, response) =>
    response.writeHead(302, { location }).end();

test('gets a page', async () => {
  handler = (_, response) =>
    response.writeHead(201, { 'content-type': 'Text/Plain; charset="ISO-8859-1"' }).end('hello');

  await expect(fetchIt(`http://public.test:${port}/a?b#c`)).resolves.toEqual({
    url: `http://public.test:${port}/a?b`,
    status: 201,
    contentType: 'text/plain',
    charset: 'ISO-8859-1',
    body: Buffer.from('hello'),
    isCut: false,
  });
  expect(requests[0]?.headers.host).toBe(`public.test:${port}`);
});

test('sends no login, no cookie, nothing of the environment', async () => {
  const before = { ...process.env };
  Object.assign(process.env, {
    HTTP_PROXY: 'http://127.0.0.1:9',
    http_proxy: 'http://127.0.0.1:9',
    ALL_PROXY: 'http://127.0.0.1:9',
  });
  try {
    handler = (request, response) => {
      if (request.url === '/first')
        response.writeHead(302, { location: '/second', 'set-cookie': 'a=b' }).end();
      else response.end('ok');
    };

    await fetchIt(`http://public.test:${port}/first`);

    expect(requests).toHaveLength(2);
    for (const { headers } of requests) {
      expect(Object.keys(headers).filter((name) => /auth|cookie|key|token|referer/i.test(name))).toEqual([]);
    }
  } finally {
    process.env = before;
  }
});

describe('an address that is refused before anything is sent', () => {
  const noLookup = { ...PUBLIC_INTERNET, lookup: () => Promise.reject(new Error('looked up')) };

  test.each([
    ['http://127.0.0.1/', 'not on the public internet'],
    ['http://127.1/', 'not on the public internet'],
    ['http://2130706433/', 'not on the public internet'],
    ['http://0x7f000001/', 'not on the public internet'],
    ['http://0177.0.0.1/', 'not on the public internet'],
    ['http://127.0.0.1./', 'not on the public internet'],
    ['http://0/', 'not on the public internet'],
    ['http://１２７.0.0.1/', 'not on the public internet'],
    ['http://[::1]/', 'not on the public internet'],
    ['http://[::]/', 'not on the public internet'],
    ['http://[::ffff:127.0.0.1]/', 'not on the public internet'],
    ['http://[::ffff:a9fe:a9fe]/', 'not on the public internet'],
    ['http://[64:ff9b::7f00:1]/', 'not on the public internet'],
    ['http://[2002:7f00:1::]/', 'not on the public internet'],
    ['http://[fd00::1]/', 'not on the public internet'],
    ['http://169.254.169.254/latest/meta-data/', 'not on the public internet'],
    ['http://10.0.0.1:8080/', 'not on the public internet'],
    ['https://192.168.0.1/', 'not on the public internet'],
    ['http://8.8.8.8:22/', 'Port 22'],
    ['http://example.com:6379/', 'Port 6379'],
    ['https://example.com:80443/', 'not a full address'],
    ['file:///etc/passwd', 'Only http and https'],
    ['ftp://example.com/', 'Only http and https'],
    ['gopher://example.com/', 'Only http and https'],
    ['data:text/plain,x', 'Only http and https'],
    ['javascript:alert(1)', 'Only http and https'],
    ['http://user:pass@example.com/', 'user name or password'],
    ['example.com', 'not a full address'],
    ['', 'not a full address'],
  ])('%s', async (url, words) => {
    await expect(fetchIt(url, { network: noLookup })).rejects.toEqual(refused(words));
  });

  test.each([
    ['inside.test', 'inside.test is not on the public internet'],
    ['metadata.test', 'not on the public internet'],
    ['mixed.test', 'not on the public internet'],
    ['nothing.test', 'has no address'],
    ['unknown.test', 'cannot be fetched (ENOTFOUND)'],
  ])('the name %s', async (name, words) => {
    await expect(fetchIt(`http://${name}:${port}/`)).rejects.toEqual(refused(words));
    await expect(fetchIt(`https://${name}:${port}/`)).rejects.toEqual(refused(words));
    expect(requests).toEqual([]);
  });

  test('the name of this machine, looked up for real', async () => {
    const real = { ...PUBLIC_INTERNET, isAllowedPort: () => true };

    await expect(fetchIt(`http://localhost:${port}/`, { network: real })).rejects.toEqual(
      refused('not on the public internet'),
    );
    expect(requests).toEqual([]);
  });
});

test('connects to the very address that was checked, with one lookup per connection', async () => {
  await expect(fetchIt(`http://rebind.test:${port}/`)).resolves.toMatchObject({ status: 200 });

  expect(lookups).toEqual(['rebind.test']);
});

test('checks a name again when a new connection to it is made', async () => {
  handler = (_, response) =>
    response.writeHead(302, { location: `http://rebind.test:${port}/again`, connection: 'close' }).end();

  await expect(fetchIt(`http://rebind.test:${port}/`)).rejects.toEqual(refused('not on the public internet'));
  expect(requests).toHaveLength(1);
});

describe('a redirect', () => {
  test.each([
    ['to an inside name', 'http://inside.test/', 'not on the public internet'],
    ['to an inside address', 'http://10.0.0.1/', 'not on the public internet'],
    ['to the metadata service', 'http://169.254.169.254/latest/', 'not on the public internet'],
    ['to an inside IPv6 address', 'http://[::ffff:10.0.0.1]/', 'not on the public internet'],
    ['without a scheme to an inside address', '//10.0.0.1/', 'not on the public internet'],
    ['to a file', 'file:///etc/passwd', 'Only http and https'],
    ['with a password', 'http://a:b@other.test/', 'user name or password'],
    ['to nonsense', 'http://', 'not a full address'],
  ])('%s is refused', async (_, location, words) => {
    handler = redirectTo(location);

    await expect(fetchIt(`http://public.test:${port}/`)).rejects.toEqual(refused(words));
    expect(requests).toHaveLength(1);
  });

  test('to another port is checked as the first address is', async () => {
    handler = redirectTo('http://public.test:22/');

    await expect(
      fetchIt(`http://public.test:${port}/`, {
        network: { ...network, isAllowedPort: (asked) => asked === port },
      }),
    ).rejects.toEqual(refused('Port 22'));
  });

  test.each([301, 302, 303, 307, 308])('with status %i is followed, relative ones too', async (status) => {
    handler = (request, response) => {
      if (request.url === '/end') response.end('there');
      else
        response
          .writeHead(status, { location: request.url === '/' ? '/next' : `http://other.test:${port}/end` })
          .end('moved');
    };

    await expect(fetchIt(`http://public.test:${port}/`)).resolves.toMatchObject({
      url: `http://other.test:${port}/end`,
      body: Buffer.from('there'),
    });
  });

  test.each([
    [5, true],
    [6, false],
  ])('%i times in a row is followed: %s', async (times, isFollowed) => {
    handler = (request, response) => {
      const step = Number(request.url?.slice(1));
      if (step === times) response.end('end');
      else response.writeHead(302, { location: `/${step + 1}` }).end();
    };

    const fetched = fetchIt(`http://public.test:${port}/0`);

    if (isFollowed) await expect(fetched).resolves.toMatchObject({ status: 200 });
    else await expect(fetched).rejects.toEqual(refused('more than 5 times'));
    expect(requests).toHaveLength(6);
  });

  test('without a place to go is the answer', async () => {
    handler = (_, response) => response.writeHead(302).end('nowhere');

    await expect(fetchIt(`http://public.test:${port}/`)).resolves.toMatchObject({ status: 302 });
  });
});

describe('a body', () => {
  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
  ])('packed with %s is unpacked, and a bomb is cut off', async (encoding, pack) => {
    handler = (request, response) => {
      const body = request.url === '/bomb' ? Buffer.alloc(20_000_000) : Buffer.from('hello');
      response.writeHead(200, { 'content-encoding': encoding }).end(pack(body));
    };

    await expect(fetchIt(`http://public.test:${port}/`)).resolves.toMatchObject({
      body: Buffer.from('hello'),
      isCut: false,
    });
    await expect(fetchIt(`http://public.test:${port}/bomb`)).resolves.toMatchObject({
      body: Buffer.alloc(10_000),
      isCut: true,
    });
  });

  test('that never ends is cut off', async () => {
    handler = (_, response) => {
      const more = () => response.write('x'.repeat(65_536), more);
      more();
    };

    await expect(fetchIt(`http://public.test:${port}/`)).resolves.toMatchObject({
      body: Buffer.from('x'.repeat(10_000)),
      isCut: true,
    });
  });

  test('of exactly the size that is allowed is whole', async () => {
    handler = (_, response) => response.end('x'.repeat(10_000));

    await expect(fetchIt(`http://public.test:${port}/`)).resolves.toMatchObject({ isCut: false });
  });
});

describe('time', () => {
  test.each([
    ['never answers', () => undefined],
    [
      'stops in the middle',
      (_: IncomingMessage, response: ServerResponse) => void response.writeHead(200).write('x'),
    ],
  ])('runs out for a server that %s', async (_, stuck) => {
    handler = stuck;

    await expect(fetchIt(`http://public.test:${port}/`, { timeoutMs: 100 })).rejects.toEqual(
      refused('within 0.1 seconds'),
    );
  });

  test('runs out for a name that is never found, at once', async () => {
    const stuck = { ...network, lookup: () => new Promise<never>(() => undefined) };
    const startedAtMs = Date.now();

    await expect(fetchIt('http://slow.test/', { network: stuck, timeoutMs: 100 })).rejects.toEqual(
      refused('within 0.1 seconds'),
    );
    // Far from the 10 seconds after which the client itself would give up.
    expect(Date.now() - startedAtMs).toBeLessThan(5_000);
  });

  test('ends with the reason of the signal when that is aborted', async () => {
    const abort = new AbortController();
    const reason = new Error('cancelled by the run');
    handler = () => abort.abort(reason);

    await expect(fetchIt(`http://public.test:${port}/`, { signal: abort.signal })).rejects.toBe(reason);
  });
});

test('says what the network said when the connection fails', async () => {
  handler = (request) => request.socket.destroy();

  await expect(fetchIt(`http://public.test:${port}/`)).rejects.toEqual(
    refused('cannot be fetched (UND_ERR_SOCKET)'),
  );
});

describe('web_fetch', () => {
  const webFetch = (url: string, maxBytes = 10_000) => runTool(webFetchTool(network), { url, maxBytes });
  const answer = (type: string | undefined, body: string | Buffer, status = 200): void => {
    handler = (_, response) =>
      response.writeHead(status, type === undefined ? {} : { 'content-type': type }).end(body);
  };

  test.each([
    ['text/plain', 'a <b>', 'text/plain\n\na <b>'],
    ['application/json; charset=utf-8', '{"a":1}', 'application/json\n\n{"a":1}'],
    ['application/ld+json', '{}', 'application/ld+json\n\n{}'],
    [
      'text/html',
      '<title>T</title><p>x <a href="/y">y</a>',
      'text/html\n\nT\n\nx y (http://public.test:PORT/y)',
    ],
    ['application/xhtml+xml', '<p>x</p>', 'application/xhtml+xml\n\nx'],
    ['text/plain; charset=iso-8859-1', Buffer.from([0xfc]), 'text/plain\n\nü'],
    ['text/plain; charset=nonsense', 'ü', 'text/plain\n\nü'],
  ])('gives %s as text', async (type, body, shown) => {
    answer(type, body);

    await expect(webFetch(`http://public.test:${port}/`)).resolves.toBe(
      `http://public.test:${port}/\nHTTP 200, ${shown.replace('PORT', String(port))}`,
    );
  });

  test('gives a page of no named type, and the words of an error page with its status', async () => {
    answer(undefined, 'plain', 404);

    await expect(webFetch(`http://public.test:${port}/`)).resolves.toBe(
      `http://public.test:${port}/\nHTTP 404\n\nplain`,
    );
  });

  test('says that a page was cut', async () => {
    answer('text/plain', 'abcdef');

    await expect(webFetch(`http://public.test:${port}/`, 3)).resolves.toMatch(
      /\n\nabc\n\n\(only the first 3 bytes were read\)$/,
    );
  });

  test.each([
    ['image/png', 'x', 'answers with image/png, not with text'],
    ['application/octet-stream', 'x', 'not with text'],
    ['text/plain', 'a\0b', 'binary data'],
    [undefined, Buffer.from([0, 1, 2]), 'binary data'],
  ])('refuses %s that is no text', async (type, body, words) => {
    answer(type, body);

    await expect(webFetch(`http://public.test:${port}/`)).rejects.toEqual(refused(words));
  });

  test('reaches the machine itself only when code says so', async () => {
    const url = `http://127.0.0.1:${port}/`;

    await expect(runTool(webFetchTool(), { url })).rejects.toEqual(refused('Port'));
    await expect(runTool(webFetchTool(), { url: 'http://127.0.0.1/' })).rejects.toEqual(
      refused('public internet'),
    );
    await expect(runTool(webFetchTool(PRIVATE_NETWORK), { url }, toolContext())).resolves.toContain('hello');
  });
});
