import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asksFor, runTool, temporaryDirectories, toolContext } from '../tools/tool-harness.js';
import { mcpWorld, namesOf, toolOf } from './support/mcp-world.js';
import { everything, everythingOverHttp, filesystem } from './support/npm-servers.js';

const world = mcpWorld();
const temporaryDirectory = temporaryDirectories();

async function overHttp() {
  const { server, stop } = await everythingOverHttp();
  world.cleanup(stop);
  return server;
}

describe.each([
  ['stdio', async () => everything()],
  ['streamable HTTP', overHttp],
])('the everything server over %s', (_, serve) => {
  test('has tools that work', async () => {
    const mcp = await world.connect({ every: { ...(await serve()), trustAnnotations: true } });
    const run = (name: string, args = {}, context = toolContext()) =>
      runTool(toolOf(mcp, `every__${name}`), args, context);

    expect(await run('echo', { message: 'hi' })).toBe('Echo: hi');
    expect(await run('get-sum', { a: 2, b: 3 })).toContain('5');
    expect(await run('get-tiny-image')).toMatch(/\(image of type image\/png, \d+ bytes, not shown\)/);
    expect(await run('get-resource-links', { count: 2 })).toContain('(a link to the resource demo://');
    expect(await run('get-resource-reference', { resourceType: 'Blob', resourceId: 1 })).toMatch(
      /\(the resource demo:\S+ of type \S+, \d+ bytes, not shown\)/,
    );
    expect(await run('get-structured-content', { location: 'Chicago' })).toContain('"temperature"');
    const progress: string[] = [];
    await run(
      'trigger-long-running-operation',
      { duration: 0.2, steps: 2 },
      toolContext({ progress: (text) => progress.push(text) }),
    );
    // The last one comes together with the answer, and may be too late to be shown.
    expect(progress[0]).toBe('1 of 2');
  });
});

test('believes annotations only when told to', async () => {
  const mcp = await world.connect({
    plain: everything(),
    trusted: { ...everything(), trustAnnotations: true },
  });
  const policy = async (name: string, args = {}) => [
    toolOf(mcp, name).effect,
    await asksFor(toolOf(mcp, name), args),
  ];

  expect(await policy('plain__echo', { message: '' })).toEqual(['once', true]);
  expect(await policy('trusted__echo', { message: '' })).toEqual(['read', false]);
  expect(await policy('trusted__gzip-file-as-resource')).toEqual(['idempotent', false]);
  expect(await policy('trusted__toggle-simulated-logging')).toEqual(['once', true]);
});

test('leaves out a tool that runs as a task only', async () => {
  const mcp = await world.connect({ every: everything() });

  expect(namesOf(mcp)).not.toContain('every__simulate-research-query');
  expect(mcp.warnings()).toEqual([
    'MCP server every: its tool simulate-research-query runs as a task only, and is left out.',
  ]);
});

test('the filesystem server reads and refuses in its own words, and schemas go to the model as they are', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'note.txt'), 'from outside');
  const mcp = await world.connect({
    files: { ...filesystem(directory), trustAnnotations: true },
  });
  const read = toolOf(mcp, 'files__read_text_file');

  expect(await runTool(read, { path: join(directory, 'note.txt') })).toBe('from outside');
  await expect(runTool(read, { path: '/etc/hostname' })).rejects.toMatchObject({
    code: 'TOOL_FAILED',
    message: expect.stringContaining('Access denied'),
  });
  expect(read.parse({})).toEqual({ ok: false, message: "data must have required property 'path'" });
  expect(read.spec.parameters).toMatchObject({ type: 'object', properties: { path: { type: 'string' } } });
  expect(read.spec.parameters).not.toHaveProperty('$schema');
  expect([
    read.effect,
    toolOf(mcp, 'files__write_file').effect,
    toolOf(mcp, 'files__move_file').effect,
  ]).toEqual(['read', 'idempotent', 'once']);
  // It may be repeated, but what it overwrites is gone.
  expect(await asksFor(toolOf(mcp, 'files__write_file'), { path: 'a', content: 'b' })).toBe(true);
});
