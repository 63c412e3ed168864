import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Worker,
  type WorkerOptions,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { createDrawBudget } from '../../src/activities/draw-budget.js';
import { createFileBlobs } from '../../src/adapters/blobs/file-blobs.js';
import { checkRunInput } from '../../src/adapters/run-input.js';
import { connectClient } from '../../src/adapters/temporal/connect.js';
import { createDataConverter } from '../../src/adapters/temporal/data-converter.js';
import type { BudgetClient } from '../../src/client/budget-client.js';
import { RunClient } from '../../src/client/run-client.js';
import { BUDGET, BUDGET_QUERY, BUDGET_UPDATES, budgetWorkflowId } from '../../src/contract/budget.js';
import { AGENT_RUN } from '../../src/contract/names.js';
import type { DrawInput, DrawResult } from '../../src/core/money/budget-draw.js';
import type { BudgetView } from '../../src/core/money/budget.js';
import { readRunHistory } from '../../src/testing/history.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { temporalCli } from './support/temporal-cli.js';

const server = useTemporalServer();
let bundle: WorkflowBundleWithSourceMap;
let client: Client;
let taskQueue: string;
let budgets: BudgetClient;
let name: string;
let stopWorker: () => Promise<void>;

beforeAll(async () => {
  bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./support/budget-workflows.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  ({ client } = server);
}, 60_000);

beforeEach(async () => {
  taskQueue = uniqueName('budgets');
  budgets = budgetsOf(client);
  name = uniqueName('team');
  await startWorker();
});

afterEach(() => stopWorker());

const NANO = 1e9;

function budgetsOf(of: Client): BudgetClient {
  return new RunClient({ client: of, taskQueue, checkInput: checkRunInput }).budgets;
}

async function startWorker(options: Partial<WorkerOptions> = {}): Promise<void> {
  const worker = await Worker.create({
    connection: server.nativeConnection,
    taskQueue,
    workflowBundle: bundle,
    activities: { drawBudget: createDrawBudget() },
    ...options,
  });
  const running = worker.run();
  stopWorker = async () => {
    stopWorker = async () => undefined;
    worker.shutdown();
    await running;
  };
}

/** Draws through the activity, as runs do. */
function draw(runId: string, usd: number, more: Partial<DrawInput> = {}): Promise<DrawResult> {
  return client.workflow.execute<(input: DrawInput) => Promise<DrawResult>>('drawing', {
    taskQueue,
    workflowId: uniqueName('drawing'),
    args: [{ budget: name, runId, totalNanoUsd: Math.round(usd * NANO), ...more }],
  });
}

const settle = (runId: string, usd: number): Promise<DrawResult> => draw(runId, usd, { final: true });

/** Draws straight from the budget. */
function drawDirectly(runId: string, usd: number): Promise<DrawResult> {
  return client.workflow
    .getHandle(budgetWorkflowId(name))
    .executeUpdate<DrawResult, [DrawInput]>(BUDGET_UPDATES.draw, {
      args: [{ budget: name, runId, totalNanoUsd: Math.round(usd * NANO) }],
    });
}

const query = (): Promise<BudgetView> =>
  client.workflow.getHandle(budgetWorkflowId(name)).query<BudgetView>(BUDGET_QUERY);

async function expectToReplay(): Promise<number> {
  const histories = await readRunHistory(client, budgetWorkflowId(name));
  for (const history of histories)
    await Worker.runReplayHistory({ workflowBundle: bundle }, history, budgetWorkflowId(name));
  return histories.length;
}

async function failureOf(failing: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await failing.then(
    () => null,
    (reason: unknown) => reason,
  );
  let cause = error;
  while (cause instanceof Error && !(cause instanceof ApplicationFailure)) cause = cause.cause;
  if (!(cause instanceof ApplicationFailure))
    throw new Error(`It did not fail as it should: ${String(error)}`);
  return cause;
}

it('grants runs what there is, takes back what they did not spend, and replays', async () => {
  expect(await budgets.set(name, { limitUsd: 10, period: 'day' })).toMatchObject({ name, leftUsd: 10 });
  expect(await draw('a', 6)).toEqual({ grantedNanoUsd: 6 * NANO });
  expect(await draw('b', 6)).toEqual({ grantedNanoUsd: 4 * NANO });
  expect(await draw('b', 6)).toEqual({ grantedNanoUsd: 4 * NANO });
  await settle('a', 1);
  expect(await draw('b', 8)).toEqual({ grantedNanoUsd: 8 * NANO });
  expect(await budgets.set(name, { limitUsd: 5, period: 'day' })).toMatchObject({ usedUsd: 9, leftUsd: 0 });
  expect(await draw('b', 9)).toEqual({ grantedNanoUsd: 8 * NANO });
  expect(await query()).toMatchObject({ limitUsd: 5, usedUsd: 9, grants: [{ runId: 'b' }] });
  await expectToReplay();
});

it('shows and lists budgets while no worker is there', async () => {
  await budgets.set(name, { limitUsd: 10, period: 'month' });
  await draw('a', 6);
  const asked = await query();
  await stopWorker();
  expect(await budgets.show(name)).toEqual(asked);
  await untilListed((view) => view.usedUsd === 6);
  expect((await budgets.list()).find((view) => view.name === name)).toEqual(asked);
});

it('shows a budget that no worker has seen yet', async () => {
  await stopWorker();
  const setting = budgets.set(name, { limitUsd: 10 });
  await untilListed(() => true);
  expect(await budgets.show(name)).toMatchObject({ name, limitUsd: 10, period: 'total', openRuns: 0 });
  await startWorker();
  expect(await setting).toMatchObject({ name, limitUsd: 10 });
});

it('never grants more than the limit to twenty clients at once', async () => {
  await budgets.set(name, { limitUsd: 10 });
  const runs = Array.from({ length: 20 }, (_, index) => `run-${index}`);
  const drawn = await Promise.all(runs.flatMap((runId) => [draw(runId, 0.4), draw(runId, 0.9)]));
  const held = new Map<string, number>();
  for (const [index, { grantedNanoUsd }] of drawn.entries()) {
    const runId = runs[Math.floor(index / 2)] ?? '';
    held.set(runId, Math.max(held.get(runId) ?? 0, grantedNanoUsd));
  }
  const { usedNanoUsd, grants } = await query();
  expect(usedNanoUsd).toBe(10 * NANO);
  expect([...held.values()].reduce((sum, nanoUsd) => sum + nanoUsd, 0)).toBeLessThanOrEqual(10 * NANO);
  expect(grants.reduce((sum, { grantedNanoUsd }) => sum + grantedNanoUsd, 0)).toBe(10 * NANO);
  await expectToReplay();
}, 60_000);

it('keeps everything when it continues as new amid draws', async () => {
  await budgets.set(name, { limitUsd: 1_000, period: 'week' });
  await drawDirectly('first', 3);
  // An execution takes some 150 of them.
  const lanes = Array.from({ length: 4 }, async (_, lane) => {
    let drawn = 0;
    for (; drawn < 90; drawn += 1) await drawDirectly(`run-${lane}`, (drawn + 1) / 10);
    return drawn;
  });
  const counts = await Promise.all(lanes);
  const { usedNanoUsd, openRuns, limitUsd, period } = await query();
  expect({ usedNanoUsd, openRuns, limitUsd, period }).toEqual({
    usedNanoUsd: 3 * NANO + counts.reduce((sum, count) => sum + count * 1e8, 0),
    openRuns: 5,
    limitUsd: 1_000,
    period: 'week',
  });
  expect(await budgets.show(name)).toMatchObject({ usedNanoUsd, openRuns });
  expect(await expectToReplay()).toBeGreaterThan(1);
}, 60_000);

it('replays though its worker has no cache, and whatever is sent to it', async () => {
  await stopWorker();
  await startWorker({ maxCachedWorkflows: 0 });
  await budgets.set(name, { limitUsd: 10 });
  const handle = client.workflow.getHandle(budgetWorkflowId(name));
  const sent: [string, unknown][] = [
    ['setBudget', { limitUsd: 'much' }],
    ['setBudget', { limitUsd: 7, period: 'day' }],
    ['dance', {}],
    ['__temporal_dance', {}],
    ['setBudget', { limitUsd: 7, period: 'day' }],
  ];
  for (const [index, [signal, payload]] of sent.entries()) {
    await handle.signal(signal, payload);
    await query();
    expect((await failureOf(drawDirectly('', 1))).type).toBe('INPUT_INVALID');
    await drawDirectly('a', 1);
    await drawDirectly('a', index);
  }
  expect(await query()).toMatchObject({ limitUsd: 7, period: 'day', usedUsd: 4 });
  const { events = [] } = await handle.fetchHistory();
  expect((events ?? []).filter((event) => event.workflowTaskFailedEventAttributes)).toEqual([]);
  await expectToReplay();
});

it('is read from a memo that is encrypted', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'longhaul-budget-'));
  const dataConverter = createDataConverter({
    blobs: createFileBlobs(dir),
    encryptionKeys: [{ id: 'k', key: randomBytes(32) }],
  });
  const encrypted = await connectClient({ address: server.address, dataConverter });
  try {
    await stopWorker();
    await startWorker({ dataConverter });
    const secret = budgetsOf(encrypted);
    await secret.set(name, { limitUsd: 10 });
    expect(await secret.set(name, { limitUsd: 20 })).toMatchObject({ limitUsd: 20 });
    expect(await secret.show(name)).toMatchObject({ name, limitUsd: 20 });
    await expect(budgets.show(name)).rejects.toThrow('binary/encrypted');
  } finally {
    await client.workflow.getHandle(budgetWorkflowId(name)).terminate();
    await encrypted.connection.close();
    rmSync(dir, { recursive: true, force: true });
  }
});

it('is set, changed and looked at with nothing but the Temporal CLI', async () => {
  const id = ['--workflow-id', budgetWorkflowId(name)];
  const workflow = (...args: string[]) => temporalCli(server.address, ['workflow', ...args, ...id]);
  await workflow(
    'start',
    '--type',
    BUDGET,
    '--task-queue',
    taskQueue,
    '--input',
    '{"limitUsd":50,"period":"day"}',
  );
  await workflow('signal', '--name', 'setBudget', '--input', '{"limitUsd":60,"period":"day"}');
  const answered = JSON.parse(await workflow('query', '--type', BUDGET_QUERY, '--output', 'json'));
  expect(answered.queryResult[0]).toMatchObject({ name, limitUsd: 60, period: 'day' });
  expect(await budgets.show(name)).toMatchObject({ name, limitUsd: 60 });
});

it.each([
  ['without a limit', {}, (id: string) => id],
  ['under another id', { limitUsd: 1 }, () => uniqueName('not-a-budget')],
  ['with a snapshot of its own making', { snapshot: {} }, (id: string) => id],
])('fails once when it is started %s', async (_what, input, idOf) => {
  const workflowId = idOf(budgetWorkflowId(name));
  const running = client.workflow.execute(BUDGET, { taskQueue, workflowId, args: [input] });
  await expect(running).rejects.toBeInstanceOf(WorkflowFailedError);
  expect(await failureOf(running)).toMatchObject({ type: 'INPUT_INVALID', nonRetryable: true });
});

describe('an error has its code', () => {
  it('when nobody has set the budget', async () => {
    expect(await failureOf(draw('a', 1))).toMatchObject({ type: 'BUDGET_UNKNOWN', nonRetryable: true });
    await expect(budgets.show(name)).rejects.toMatchObject({ code: 'BUDGET_UNKNOWN' });
    await expect(budgets.release(name, 'a', { spentUsd: 0 })).rejects.toMatchObject({
      code: 'BUDGET_UNKNOWN',
    });
  });

  it('when the budget was ended', async () => {
    await budgets.set(name, { limitUsd: 1 });
    await client.workflow.getHandle(budgetWorkflowId(name)).cancel();
    await expect(client.workflow.getHandle(budgetWorkflowId(name)).result()).rejects.toThrow();
    expect(await failureOf(draw('a', 1))).toMatchObject({ type: 'BUDGET_UNKNOWN' });
    await expect(budgets.show(name)).rejects.toMatchObject({ code: 'BUDGET_UNKNOWN' });
    expect(await budgets.set(name, { limitUsd: 2 })).toMatchObject({ limitUsd: 2 });
    expect(await draw('a', 1)).toEqual({ grantedNanoUsd: NANO });
  });

  it('when a draw or a setting does not fit', async () => {
    await budgets.set(name, { limitUsd: 1 });
    expect(await failureOf(draw('a', -1))).toMatchObject({ type: 'INPUT_INVALID', nonRetryable: true });
    expect(await failureOf(draw('a', 1, { budget: 'no/name' }))).toMatchObject({ type: 'INPUT_INVALID' });
    await expect(budgets.set('no/name', { limitUsd: 1 })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(budgets.set(name, { limitUsd: -1 })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});

describe('a run that does not settle', () => {
  const startRun = async (): Promise<string> => {
    const workflowId = uniqueName('run');
    const asleep = uniqueName('nobody');
    await client.workflow.start(AGENT_RUN, { workflowId, taskQueue: asleep, args: [{ goal: 'x' }] });
    return workflowId;
  };

  it('keeps what it holds while it is open, and is released once it is not', async () => {
    const runId = await startRun();
    await budgets.set(name, { limitUsd: 10 });
    await draw(runId, 4);
    await expect(budgets.release(name, runId)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await client.workflow.getHandle(runId).terminate();
    expect(await budgets.show(name)).toMatchObject({ openRuns: 1, usedUsd: 4 });
    expect(await budgets.release(name, runId, { spentUsd: 1.5 })).toMatchObject({
      openRuns: 0,
      usedUsd: 1.5,
    });
    await expect(budgets.release(name, runId)).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await draw(runId, 4);
    expect(await budgets.release(name, runId)).toMatchObject({ openRuns: 0, usedUsd: 1.5 });
  });

  it('is released with what somebody says it spent when the server knows it no more', async () => {
    await budgets.set(name, { limitUsd: 10 });
    await draw('long gone', 4);
    await expect(budgets.release(name, 'long gone')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    expect(await budgets.release(name, 'long gone', { spentUsd: 3 })).toMatchObject({
      openRuns: 0,
      usedUsd: 3,
    });
  });
});

/** The server's list follows after a moment. */
async function untilListed(isSo: (view: BudgetView) => boolean): Promise<void> {
  for (;;) {
    const listed = (await budgets.list()).find((view) => view.name === name);
    if (listed && isSo(listed)) return;
  }
}
