import { runTool } from '../tools/tool-harness.js';
import { faultyServer, type CallFault, type FaultyServer } from './support/http-server.js';
import { mcpWorld, namesOf, toolOf } from './support/mcp-world.js';

const world = mcpWorld();

async function connected() {
  const http = await faultyServer();
  world.cleanup(http.close);
  const mcp = await world.connect({
    web: {
      url: `${http.url}mcp?key=query-secret`,
      headers: { Authorization: 'Bearer hush-hush' },
      effects: { look: 'read' },
    },
  });
  return { http, mcp };
}

const callsOf = ({ seen }: FaultyServer) => seen.filter((one) => one.startsWith('tools/call'));

test('sends the headers that it was given, and opens one session', async () => {
  const { http, mcp } = await connected();

  expect(await runTool(toolOf(mcp, 'web__pay'), {})).toBe('in session 1');

  expect(http.headers()).toMatchObject({ authorization: 'Bearer hush-hush', 'mcp-session-id': 'session-1' });
});

test.each([404, 400])(
  'opens a new session when the server has forgotten the old one (%d)',
  async (status) => {
    const { http, mcp } = await connected();
    http.faults.push(status);

    expect(await runTool(toolOf(mcp, 'web__pay'), {})).toBe('in session 2');

    expect(callsOf(http)).toEqual(['tools/call 1', 'tools/call 2']);
  },
);

test('lets calls end that are under way in a session that another call found forgotten', async () => {
  const { http, mcp } = await connected();
  http.faults.push('hold', 404);
  const held = runTool(toolOf(mcp, 'web__pay'), {});
  await http.isHolding();

  expect(await runTool(toolOf(mcp, 'web__pay'), {})).toBe('in session 2');
  http.release();

  expect(await held).toBe('in session 2');
});

test('gives up after a second session that the server does not know', async () => {
  const { http, mcp } = await connected();
  http.faults.push(404, 404);

  await expect(runTool(toolOf(mcp, 'web__pay'), {})).rejects.toMatchObject({
    code: 'TOOL_FAILED',
    retryable: false,
    details: { unsent: true },
  });
  expect(callsOf(http)).toHaveLength(2);
});

const unknown = { code: 'TOOL_OUTCOME_UNKNOWN', retryable: false };
const again = { code: 'TOOL_FAILED', retryable: true, details: {} };
const refused = { code: 'TOOL_FAILED', retryable: false, details: { unsent: true } };
const busy = { code: 'TOOL_FAILED', retryable: true, details: { unsent: true } };

test.each<[CallFault, string, object]>([
  ['break', 'pay', unknown],
  ['break', 'look', again],
  ['break_stream', 'pay', unknown],
  ['break_stream', 'look', again],
  [500, 'pay', unknown],
  [503, 'look', again],
  [401, 'pay', refused],
  [403, 'look', refused],
  [429, 'pay', busy],
  [302, 'pay', refused],
])('sends a call that ends with %s only once (%s)', async (fault, name, error) => {
  const { http, mcp } = await connected();
  http.faults.push(fault);

  const failure: unknown = await runTool(toolOf(mcp, `web__${name}`), {}).catch((reason: unknown) => reason);

  expect(failure).toMatchObject(error);
  expect(callsOf(http)).toHaveLength(1);
  expect(String(failure)).not.toMatch(/hush-hush|query-secret/);
});

test('says that nothing was sent when the server is gone', async () => {
  const { http, mcp } = await connected();
  await http.close();

  await expect(runTool(toolOf(mcp, 'web__pay'), {})).rejects.toMatchObject({
    ...busy,
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test('says why an address cannot be used at all', async () => {
  // The discard port is one of those that `fetch` never calls.
  const mcp = await world.connect({ web: { url: 'http://127.0.0.1:9/' } });

  expect(mcp.warnings()).toEqual([expect.stringContaining('not there: bad port (fetch failed).')]);
});

test('takes in a server that comes later', async () => {
  const { url, close } = await faultyServer();
  await close();
  const mcp = await world.connect({ web: { url } });
  expect(mcp.warnings()).toEqual([expect.stringContaining('ECONNREFUSED')]);

  const late = await faultyServer(Number(new URL(url).port));
  world.cleanup(late.close);
  await mcp.lines.next((line) => line === 'The MCP server web is there.');

  expect(namesOf(mcp)).toEqual(['web__pay', 'web__look']);
  expect(mcp.warnings()).toEqual([]);
});

test('reads the tools again unasked', async () => {
  const http = await faultyServer();
  world.cleanup(http.close);
  const mcp = await world.connect({ web: { url: http.url } }, { relistEveryMs: 20 });
  expect(namesOf(mcp)).toEqual(['web__pay', 'web__look']);

  http.tools.push('more');
  await mcp.lines.next((line) => line.endsWith('+more.'));

  expect(namesOf(mcp)).toEqual(['web__pay', 'web__look', 'web__more']);
});
