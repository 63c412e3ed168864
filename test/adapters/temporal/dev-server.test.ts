import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { startDevServer } from '../../../src/adapters/temporal/dev-server.js';
import type { DevServer, DevServerOptions } from '../../../src/adapters/temporal/dev-server.js';
import { findTemporalBinary } from '../../../src/adapters/temporal/find-temporal.js';
import { SEARCH_ATTRIBUTES } from '../../../src/contract/names.js';
import { uniqueName, useOwnTemporalServer } from '../../support/temporal-server.js';

const TIMEOUT_MS = 60_000;

let dir: string;
let binary: string;
let servers: DevServer[];
beforeAll(async () => {
  binary = (await findTemporalBinary({ env: process.env })).path;
}, 900_000);
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'longhaul-dev-'));
  servers = [];
});
afterEach(async () => {
  for (const { pid, ended } of servers) {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    await ended;
  }
  await rm(dir, { recursive: true, force: true });
}, TIMEOUT_MS);

async function start(options: Partial<DevServerOptions> = {}): Promise<DevServer> {
  const server = await startDevServer({
    binary,
    dbFile: join(dir, 'sub', 'temporal.db'),
    logFile: join(dir, 'logs', 'temporal.log'),
    headless: true,
    ...options,
  });
  servers.push(server);
  return server;
}

const portOf = ({ address }: { address: string }): number => Number(address.split(':')[1]);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the dev server', () => {
  test(
    'is ready with its namespace, the search attributes, 30 days of retention and the Web UI',
    async () => {
      const { address, uiUrl } = await start({ namespace: 'team', headless: false });
      expect((await fetch(uiUrl ?? '')).status).toBe(200);
      const connection = await Connection.connect({ address });
      try {
        for (const namespace of ['team', 'default']) {
          const { config } = await connection.workflowService.describeNamespace({ namespace });
          expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(
            namespace === 'team' ? 30 * 86_400 : 86_400,
          );
          const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
          expect(Object.keys(customAttributes)).toEqual(
            expect.arrayContaining(Object.values(SEARCH_ATTRIBUTES).map(({ name }) => name)),
          );
        }
      } finally {
        await connection.close();
      }
    },
    TIMEOUT_MS,
  );

  test(
    'has the search attributes also where the database was made without them',
    async () => {
      // An existing database does not heed the flags; neither does this binary, which never gets them.
      const script = `#!/bin/sh
drop=
for arg; do
  shift
  case "$drop$arg" in
    --search-attribute) drop=value:; continue ;;
    value:*) drop=; continue ;;
  esac
  set -- "$@" "$arg"
done
exec '${binary}' "$@"
`;
      const without = join(dir, 'without');
      await writeFile(without, script, { mode: 0o755 });
      const { address } = await start({ binary: without });
      const connection = await Connection.connect({ address });
      const { customAttributes } = await connection.operatorService.listSearchAttributes({
        namespace: 'default',
      });
      await connection.close();
      expect(Object.keys(customAttributes).sort()).toEqual([
        'AgentCostUsd',
        'AgentModel',
        'AgentNeedsDecision',
        'AgentStatus',
        'AgentSteps',
      ]);
    },
    TIMEOUT_MS,
  );

  test(
    'ends when stopped, and stopping again does nothing',
    async () => {
      const server = await start();
      await server.stop();
      expect(await server.ended).toEqual({ code: 0, signal: null });
      expect(isAlive(server.pid)).toBe(false);
      await server.stop();
    },
    TIMEOUT_MS,
  );

  test(
    'says which port is in use and how to choose another',
    async () => {
      const running = await start();
      const port = portOf(running);
      const other = { dbFile: join(dir, 'other.db') };
      await expect(start({ ...other, port })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(
          new RegExp(`Port ${port} .*--port.*TEMPORAL_ADDRESS=127.0.0.1:${port}`),
        ),
      });
      await expect(start({ ...other, uiPort: port, headless: false })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(new RegExp(`Port ${port} .*--ui-port`)),
      });
    },
    TIMEOUT_MS,
  );

  test(
    'does not share its database with another server',
    async () => {
      await start();
      await expect(start()).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/Another server has the database .*temporal\.db open.*--db/),
      });
    },
    TIMEOUT_MS,
  );

  test(
    'that ends at start leaves its last words in the error',
    async () => {
      await expect(start({ extraArgs: ['--nonsense'] })).rejects.toMatchObject({
        code: 'TEMPORAL_UNREACHABLE',
        message: expect.stringMatching(
          /exit code 1.*\nError: unknown flag: --nonsense\nIts log: .*temporal\.log/,
        ),
      });
    },
    TIMEOUT_MS,
  );

  test(
    'that cannot be run at all is named',
    async () => {
      await expect(start({ binary: join(dir, 'missing') })).rejects.toMatchObject({
        code: 'TEMPORAL_UNREACHABLE',
        message: expect.stringContaining('missing'),
      });
    },
    TIMEOUT_MS,
  );

  test(
    'of an older release starts without the flag that it does not know',
    async () => {
      const older = join(dir, 'older');
      await writeFile(
        older,
        `#!/bin/sh\ncase "$*" in *ui-disable-news-fetch*) echo 'Error: unknown flag: --ui-disable-news-fetch' >&2; exit 1;; esac\nexec '${binary}' "$@"\n`,
        { mode: 0o755 },
      );
      const server = await start({ binary: older });
      expect(await readFile(join(dir, 'logs', 'temporal.log'), 'utf8')).toContain('unknown flag');
      expect(isAlive(server.pid)).toBe(true);
    },
    TIMEOUT_MS,
  );
});

describe('a process that has a dev server', () => {
  async function startParent(): Promise<{
    parent: ChildProcess;
    serverPid: number;
    nextLine: () => Promise<string>;
  }> {
    const parent = spawn(
      process.execPath,
      ['--import', 'tsx', 'test/support/dev-server-parent.ts', binary, dir],
      { stdio: ['ignore', 'pipe', 'inherit'], detached: true },
    );
    const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
    const nextLine = async (): Promise<string> => String((await lines.next()).value);
    return { parent, serverPid: Number(await nextLine()), nextLine };
  }

  test(
    'takes it along when it is killed',
    async () => {
      const { parent, serverPid } = await startParent();
      parent.kill('SIGKILL');
      // Nothing tells of the end of a process that is not a child.
      while (isAlive(serverPid)) await delay(50);
      // The database is free again.
      expect(await start({ dbFile: join(dir, 'temporal.db') })).toMatchObject({ uiUrl: null });
    },
    TIMEOUT_MS,
  );

  test(
    'still has it after Ctrl-C, until it stops it',
    async () => {
      const { parent, serverPid, nextLine } = await startParent();
      const ended = once(parent, 'exit');
      // As a terminal does: to the whole process group.
      process.kill(-(parent.pid ?? 0), 'SIGINT');
      expect(await nextLine()).toBe('the server was still up');
      expect(await ended).toEqual([0, null]);
      expect(isAlive(serverPid)).toBe(false);
    },
    TIMEOUT_MS,
  );
});

describe('a dev server started again on the same database', () => {
  const own = useOwnTemporalServer();

  test(
    'carries every run on after SIGKILL, under the same address',
    async () => {
      const workflowId = uniqueName('survivor');
      const started = await own.client.workflow.start('agentRun', {
        workflowId,
        taskQueue: uniqueName('nobody'),
        args: [{ goal: 'survive' }],
        searchAttributes: { AgentStatus: ['running'] },
      });
      await own.kill();
      await own.restart();
      const described = await own.client.workflow.getHandle(workflowId).describe();
      expect(described).toMatchObject({
        runId: started.firstExecutionRunId,
        status: { name: 'RUNNING' },
        searchAttributes: { AgentStatus: ['running'] },
      });
    },
    TIMEOUT_MS,
  );
});
