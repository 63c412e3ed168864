import { inspect } from 'node:util';
import { runTool, toolContext } from '../tools/tool-harness.js';
import { mcpWorld, namesOf, toolOf } from './support/mcp-world.js';

const world = mcpWorld();
const HASH = /^sha256:[0-9a-f]{64}$/;

test('offers the tools of a server gated, untrusted and under names that models can say', async () => {
  const { server } = await world.ownServer();

  const mcp = await world.connect({ own: server });

  expect(namesOf(mcp)).toEqual([
    'own__hang',
    'own__describe',
    'own__fail',
    'own__refuse',
    'own__echo',
    expect.stringMatching(/^own__bad_name_here_[0-9a-f]{8}$/),
  ]);
  for (const tool of mcp.tools())
    expect(tool).toMatchObject({
      effect: 'once',
      untrusted: true,
      timeoutMs: 60_000,
      specHash: expect.stringMatching(HASH),
    });
  expect(mcp.warnings()).toEqual([]);
});

test('gives the program the key of the call, and of our environment nothing but what it needs', async () => {
  const { server } = await world.ownServer();
  const mcp = await world.connect({ own: { ...server, env: { GIVEN: 'yes' } } });
  const inherited = /^(HOME|LOGNAME|PATH|SHELL|TERM|USER)$/;

  const answer = String(
    await runTool(toolOf(mcp, 'own__echo'), { a: 1 }, toolContext({ idempotencyKey: 'k' })),
  );

  const { args, _meta, env } = JSON.parse(answer);
  expect(args).toEqual({ a: 1 });
  expect(_meta).toMatchObject({ 'longhaul/idempotencyKey': 'k' });
  expect(env).toMatchObject({ GIVEN: 'yes', PATH: expect.any(String) });
  // Jest itself sets this one in our environment.
  expect(env).not.toHaveProperty('JEST_WORKER_ID');
  expect(Object.keys(env).filter((name) => name !== 'GIVEN' && !inherited.test(name))).toEqual([]);
});

test('gives a tool another hash when the server says something else of it, and does not call it as what it was', async () => {
  const { server } = await world.ownServer();
  const mcp = await world.connect({ own: server });
  const hang = toolOf(mcp, 'own__hang');
  const echo = toolOf(mcp, 'own__echo');

  await runTool(toolOf(mcp, 'own__describe'), { description: 'Now sends your files away.' });
  const line = await mcp.lines.next((one) => one.includes('announces'));

  expect(line).toBe('The MCP server own announces other tools now: ~hang.');
  const changed = toolOf(mcp, 'own__hang');
  expect(changed.spec.description).toBe('Now sends your files away.');
  expect(changed.specHash).not.toBe(hang.specHash);
  expect(toolOf(mcp, 'own__echo')).toBe(echo);
  await expect(runTool(hang, {})).rejects.toMatchObject({
    code: 'TOOL_FAILED',
    retryable: false,
    details: { unsent: true },
  });
});

test.each([
  ['once', { code: 'TOOL_OUTCOME_UNKNOWN', retryable: false }],
  ['read', { code: 'TOOL_FAILED', retryable: true, details: {} }],
  ['idempotent', { code: 'TOOL_FAILED', retryable: true, details: {} }],
] as const)(
  'does not send a %s call again whose server was killed in the middle of it',
  async (effect, error) => {
    const { server, events } = await world.ownServer();
    const mcp = await world.connect({ own: { ...server, effects: { hang: effect } } });
    const call = runTool(toolOf(mcp, 'own__hang'), {});
    const { pid } = await events.next(({ event }) => event === 'hangs');

    process.kill(pid, 'SIGKILL');

    await expect(call).rejects.toMatchObject(error);
    const answer = JSON.parse(String(await runTool(toolOf(mcp, 'own__echo'), {})));
    expect(answer.name).toBe('echo');
    // The new program tells that it started before it could tell of a call.
    const next = await events.next(() => true);
    expect(next.event).toBe('started');
    expect(next.pid).not.toBe(pid);
  },
);

test('tells the server of a call that is called off, and of one that takes too long', async () => {
  const { server, events } = await world.ownServer();
  const mcp = await world.connect({
    own: server,
    quick: { ...server, timeoutMs: 300, effects: { hang: 'read' } },
  });
  const controller = new AbortController();
  const calledOff = runTool(toolOf(mcp, 'own__hang'), {}, toolContext({ signal: controller.signal }));
  await events.next(({ event }) => event === 'hangs');

  controller.abort();

  await expect(calledOff).rejects.toMatchObject({ code: 'TOOL_OUTCOME_UNKNOWN' });
  await events.next(({ event }) => event === 'cancelled');
  await expect(runTool(toolOf(mcp, 'quick__hang'), {})).rejects.toMatchObject({
    code: 'TOOL_TIMEOUT',
    message: 'The MCP server quick did not answer within 300 ms.',
  });
  await events.next(({ event }) => event === 'cancelled');
});

test('does not send a call that was called off before', async () => {
  const { server } = await world.ownServer();
  const mcp = await world.connect({ own: server });

  const call = runTool(toolOf(mcp, 'own__hang'), {}, toolContext({ signal: AbortSignal.abort() }));

  await expect(call).rejects.toMatchObject({ code: 'TOOL_FAILED', details: { unsent: true } });
});

test('makes a failure of what the server says is one, without the secrets in it', async () => {
  const { server } = await world.ownServer();
  const mcp = await world.connect({ own: { ...server, env: { API_KEY: 'hush-hush' } } });

  await expect(runTool(toolOf(mcp, 'own__fail'), {})).rejects.toMatchObject({
    code: 'TOOL_FAILED',
    retryable: false,
    message: 'no: [hidden]',
  });
  await expect(runTool(toolOf(mcp, 'own__refuse'), {})).rejects.toMatchObject({
    code: 'TOOL_FAILED',
    retryable: false,
    message: 'The MCP server own answered: refused',
  });
  const echoed = await runTool(toolOf(mcp, 'own__echo'), {});
  expect(echoed).toContain('[hidden]');
  expect(echoed).not.toContain('hush-hush');
  expect(inspect([mcp, mcp.tools()], { depth: 9 })).not.toContain('hush-hush');
});

test('speaks to a server that knows only the newer protocol', async () => {
  const { server } = await world.ownServer('reject');
  const mcp = await world.connect({ own: server });
  const hang = toolOf(mcp, 'own__hang');

  expect(await runTool(toolOf(mcp, 'own__describe'), { description: 'Other.' })).toBe('done');

  await mcp.lines.next((one) => one.includes('announces'));
  expect(toolOf(mcp, 'own__hang').specHash).not.toBe(hang.specHash);
});

test('keeps only the tools that are asked for, and says what is named in vain', async () => {
  const { server } = await world.ownServer();

  const mcp = await world.connect({
    own: { ...server, tools: ['echo', 'ecko'], effects: { echo: 'read', hung: 'read' }, approval: 'always' },
  });

  expect(namesOf(mcp)).toEqual(['own__echo']);
  expect(mcp.warnings()).toEqual([
    'MCP server own has no tool ecko, which the configuration names.',
    'MCP server own has no tool hung, which the configuration names.',
  ]);
});

test('goes on without servers that are not there, and tries them again', async () => {
  const { server } = await world.ownServer();
  const missing = { command: 'no-such-program-anywhere', env: { TOKEN: 'hush-hush' } };
  const broken = {
    command: process.execPath,
    args: ['-e', 'console.error("bad token " + process.env.TOKEN); process.exit(3)'],
    env: { TOKEN: 'hush-hush' },
  };

  const mcp = await world.connect({ missing, broken, own: server });

  expect(namesOf(mcp)).toContain('own__echo');
  expect(mcp.warnings()).toEqual([
    expect.stringMatching(
      /^MCP server missing is not there: .*ENOENT.* Its tools are absent\. It is tried again\.$/,
    ),
    expect.stringMatching(/^MCP server broken is not there: .*; it said: bad token \[hidden\]\. Its tools/),
  ]);
  const again = (one: string) => one.includes('broken') && one.includes('tried again in');
  const lines = [await mcp.lines.next(again), await mcp.lines.next(again)];
  expect(lines.map((line) => /in (\d+) ms/.exec(line)?.[1])).toEqual(['20', '40']);
});

test('tells what a program that crashed said, not where in its code it was', async () => {
  const deep = 'const f = (n) => { if (n === 0) throw new Error("no key given"); f(n - 1); }; f(9)';
  const crashes = { command: process.execPath, args: ['-e', deep] };

  const mcp = await world.connect({ crashes });

  expect(mcp.warnings()).toEqual([expect.stringContaining('Error: no key given')]);
});

test('does not wait for a server that does not answer', async () => {
  const silent = { command: process.execPath, args: ['-e', 'process.stdin.resume()'] };

  const mcp = await world.connect({ silent }, { startTimeoutMs: 100 });

  expect(mcp.tools()).toEqual([]);
  expect(mcp.warnings()).toEqual([
    'MCP server silent is not there: it has not answered yet. Its tools are absent. It is tried again.',
  ]);
});

test('ends the programs it started', async () => {
  const { server, events } = await world.ownServer();
  const mcp = await world.connect({ own: server });
  const { pid } = await events.next(({ event }) => event === 'started');
  expect(() => process.kill(pid, 0)).not.toThrow();

  await mcp.close();

  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  await expect(runTool(toolOf(mcp, 'own__echo'), {})).rejects.toMatchObject({ details: { unsent: true } });
});
