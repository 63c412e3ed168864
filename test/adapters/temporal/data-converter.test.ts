import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { DataConverter } from '@temporalio/common';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import type { WorkflowBundle } from '@temporalio/worker';
import { createFileBlobs } from '../../../src/adapters/blobs/file-blobs.js';
import { createDataConverter } from '../../../src/adapters/temporal/data-converter.js';
import { uniqueName, useTemporalServer } from '../../support/temporal-server.js';
import { finish, made } from '../../support/workflows/payloads.js';
import type { failWith, passOn, PayloadActivities } from '../../support/workflows/payloads.js';

const TIMEOUT_MS = 90_000;
const KEYS = [{ id: 'test', key: Buffer.alloc(32, 7) }];

const server = useTemporalServer();

/** One bundle is enough for all that encrypt, and one for all that do not. */
const bundles = new Map<string | undefined, Promise<WorkflowBundle>>();
function bundleFor({ failureConverterPath }: DataConverter): Promise<WorkflowBundle> {
  const workflowsPath = fileURLToPath(new URL('../../support/workflows/payloads.ts', import.meta.url));
  const bundle =
    bundles.get(failureConverterPath) ??
    bundleWorkflowCode({
      workflowsPath,
      logger: new DefaultLogger('ERROR'),
      ...(failureConverterPath && { failureConverterPath }),
    });
  bundles.set(failureConverterPath, bundle);
  return bundle;
}

const activities: PayloadActivities = {
  // The same bytes each time, and gzip cannot make them smaller than 256 KiB.
  make: async ({ size, random }) => (random ? randomText(size) : 'a'.repeat(size)),
  length: async ({ text }) => text.length,
};

function randomText(size: number): string {
  const blocks = Array.from({ length: Math.ceil(size / 86) }, (_, index) =>
    createHash('sha512').update(String(index)).digest('base64url'),
  );
  return blocks.join('').slice(0, size);
}

let blobDir: string;
beforeEach(async () => {
  blobDir = await mkdtemp(join(tmpdir(), 'longhaul-payloads-'));
});
afterEach(() => rm(blobDir, { recursive: true, force: true }));

const converter = (encrypted: boolean): DataConverter =>
  createDataConverter({ blobs: createFileBlobs(blobDir), ...(encrypted && { encryptionKeys: KEYS }) });

async function blobNames(): Promise<string[]> {
  const entries = await readdir(blobDir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

/** Runs something while a worker is up that keeps no workflow in its cache, so it replays at every workflow task. */
async function whileWorking<T>(
  dataConverter: DataConverter,
  work: (client: Client, taskQueue: string) => Promise<T>,
): Promise<T> {
  const taskQueue = uniqueName('payloads');
  const worker = await Worker.create({
    connection: server.nativeConnection,
    taskQueue,
    workflowBundle: await bundleFor(dataConverter),
    activities,
    dataConverter,
    maxCachedWorkflows: 0,
  });
  return worker.runUntil(() => work(new Client({ connection: server.connection, dataConverter }), taskQueue));
}

async function historyText(handle: WorkflowHandle): Promise<string> {
  return historyToJSON(await handle.fetchHistory());
}

const base64 = (text: string): string => Buffer.from(text).toString('base64').slice(0, 40);

describe.each([
  ['plain', false],
  ['encrypted', true],
])('the data converter, %s', (_, encrypted) => {
  test(
    'keeps large payloads out of history, in one blob each however often they are replayed',
    async () => {
      const dataConverter = converter(encrypted);
      await whileWorking(dataConverter, async (client, taskQueue) => {
        const handle = await client.workflow.start<typeof passOn>('passOn', {
          workflowId: uniqueName('large'),
          taskQueue,
          args: [{ size: 600_000, random: true }],
        });
        while ((await handle.query(made)) === 0);
        await handle.signal(finish);
        const result = await handle.result();
        expect(result.length).toBe(600_000);
        expect(result.text).toBe(randomText(600_000));
        // The text as a result, as an argument, and inside of the workflow's result.
        expect(await blobNames()).toHaveLength(3);
        const history = await historyText(handle);
        expect(history.length).toBeLessThan(30_000);
        expect(history.match(/"externalPayloads"/g)).toHaveLength(3);
      });
    },
    TIMEOUT_MS,
  );

  test(
    'lets a history that went through JSON be replayed',
    async () => {
      const dataConverter = converter(encrypted);
      const json = await whileWorking(dataConverter, async (client, taskQueue) => {
        const handle = await client.workflow.start<typeof passOn>('passOn', {
          workflowId: uniqueName('json'),
          taskQueue,
          args: [{ size: 400_000, random: true }],
        });
        await handle.signal(finish);
        await handle.result();
        return historyText(handle);
      });
      await Worker.runReplayHistory(
        { workflowBundle: await bundleFor(dataConverter), dataConverter },
        historyFromJSON(JSON.parse(json)),
      );
    },
    TIMEOUT_MS,
  );

  test(
    'makes compressible payloads small enough to stay in history',
    async () => {
      await whileWorking(converter(encrypted), async (client, taskQueue) => {
        const handle = await client.workflow.start<typeof passOn>('passOn', {
          workflowId: uniqueName('gzip'),
          taskQueue,
          args: [{ size: 1_000_000, random: false }],
        });
        await handle.signal(finish);
        expect((await handle.result()).text).toHaveLength(1_000_000);
        expect((await historyText(handle)).length).toBeLessThan(30_000);
        expect(await blobNames()).toEqual([]);
      });
    },
    TIMEOUT_MS,
  );

  test(
    `${encrypted ? 'hides' : 'shows'} values and the messages of failures in history`,
    async () => {
      await whileWorking(converter(encrypted), async (client, taskQueue) => {
        const message = 'the launch code is 1234';
        const handle = await client.workflow.start<typeof failWith>('failWith', {
          workflowId: uniqueName('failure'),
          taskQueue,
          args: [{ message }],
        });
        await expect(handle.result()).rejects.toMatchObject({ cause: { message } });
        const history = await historyText(handle);
        expect(history.includes(base64(`{"message":"${message}"}`))).toBe(!encrypted);
        expect(history.includes(message)).toBe(!encrypted);
      });
    },
    TIMEOUT_MS,
  );
});

test(
  'a payload that went to another blob store is named by its key',
  async () => {
    const large = randomBytes(400_000).toString('base64');
    const client = new Client({ connection: server.connection, dataConverter: converter(false) });
    const handle = await client.workflow.start('agentRun', {
      workflowId: uniqueName('elsewhere'),
      taskQueue: uniqueName('nobody'),
      args: [],
      memo: { large },
    });
    const elsewhere = createDataConverter({ blobs: createFileBlobs(join(blobDir, 'elsewhere')) });
    const read = async (dataConverter: DataConverter): Promise<unknown> =>
      (
        await new Client({ connection: server.connection, dataConverter }).workflow
          .getHandle(handle.workflowId)
          .describe()
      ).memo?.['large'];
    expect(await read(converter(false))).toBe(large);
    await expect(read(elsewhere)).rejects.toMatchObject({
      cause: {
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(
          /Blob sha256-[0-9a-f]{64} is not in the blob store.*LONGHAUL_BLOB_URL/,
        ),
      },
    });
  },
  TIMEOUT_MS,
);
