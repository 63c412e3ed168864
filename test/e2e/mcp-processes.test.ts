import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { McpServer } from '../../src/adapters/tools/define-config.js';
import { everything, filesystem } from '../adapters/mcp/support/npm-servers.js';
import { mcpWorld } from '../adapters/mcp/support/mcp-world.js';
import { temporaryDirectories } from '../adapters/tools/tool-harness.js';
import { pidsNamed, untilNamed } from '../support/processes.js';
import { openWorld } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { WorkerProcess } from '../support/worker-process.js';

const server = useTemporalServer();
const outside = mcpWorld();
const temporaryDirectory = temporaryDirectories();

jest.setTimeout(60_000);

it('a worker process tells what is amiss with its MCP servers, and no secret, and leaves none behind', async () => {
  const says = `console.error('no entry for', process.argv[2], process.env.TOKEN, process.env.PLAIN); process.exit(1)`;
  const { servers, words } = await goodServers();
  const worker = await startWith({
    ...servers,
    away: {
      url: 'http://127.0.0.1:9/mcp?key=canary-query',
      headers: { Authorization: 'Bearer canary-header' },
    },
    broken: {
      command: process.execPath,
      args: ['-e', says, '--', '--api-key=canary-argument'],
      env: { TOKEN: 'canary-secret', PLAIN: 'canary-plain' },
    },
  });
  expect(words.map((word) => pidsNamed(word).length)).toEqual([1, 1, 1]);

  expect(await worker.stop()).toBe(0);

  expect(words.map((word) => pidsNamed(word).length)).toEqual([0, 0, 0]);
  for (const warning of [
    'MCP server away is not there: ',
    'MCP server broken is not there: it ended at once; it said: no entry for',
    'MCP server every has no tool no-such-tool, which the configuration names.',
  ])
    expect(worker.errors).toContain(warning);
  expect(worker.errors).not.toContain('canary');
});

it('MCP servers end by themselves when their worker is killed, as what they read from ends', async () => {
  const { servers, words } = await goodServers();
  const worker = await startWith(servers);
  expect(words.map((word) => pidsNamed(word).length)).toEqual([1, 1, 1]);

  await worker.kill9();

  await Promise.all(words.map((word) => untilNamed(word, 0)));
});

/** Servers that work, each with a word among the arguments of its process. */
async function goodServers(): Promise<{ servers: Record<string, McpServer>; words: string[] }> {
  const directory = await temporaryDirectory();
  const [mark, echoes] = [uniqueName('every'), uniqueName('own')];
  const { server: own } = await outside.ownServer('serve', echoes);
  return {
    servers: {
      every: { ...everything(mark), tools: ['echo', 'no-such-tool'] },
      files: filesystem(directory),
      own,
    },
    words: [mark, directory, echoes],
  };
}

/** A worker process with these servers; gone after the test, whatever happens. */
async function startWith(mcpServers: Record<string, McpServer>): Promise<WorkerProcess> {
  const world = await openWorld(server, { script: () => ({}) });
  outside.cleanup(() => world.close());
  writeFileSync(join(world.dir, 'longhaul.config.mjs'), `export default ${JSON.stringify({ mcpServers })};`);
  const worker = new WorkerProcess({ cwd: world.dir, env: world.env });
  outside.cleanup(() => worker.kill9());
  await worker.ready;
  return worker;
}
