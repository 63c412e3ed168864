import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, WorkflowUpdateFailedError } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import {
  createGovernor,
  type GovernorOptions,
  type WorkerGovernor,
} from '../../src/adapters/governor/governor.js';
import { createExchange } from '../../src/adapters/temporal/governor-exchange.js';
import {
  GOVERNOR_REPORT,
  GOVERNOR_STATE,
  governorId,
  MODEL_GOVERNOR,
  type FleetState,
  type GovernorInput,
  type GovernorReport,
} from '../../src/contract/governor.js';
import type { Governor, Permit } from '../../src/ports/governor.js';
import { readRunHistory } from '../../src/testing/history.js';
import { workflowBundle } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';

const server = useTemporalServer();
const MODEL = 'stand-in/agent';

/** A model server that takes ten calls at once, for a tenth of a second each, and refuses the others for half a second. */
class FakeModel {
  limited = 0;
  answered = 0;
  private underWay = 0;
  private readonly server: Server;

  constructor() {
    this.server = createServer((_request, response) => {
      if (this.underWay >= 10) {
        this.limited += 1;
        response.writeHead(429, { 'retry-after-ms': '500' }).end();
        return;
      }
      this.underWay += 1;
      setTimeout(() => {
        this.underWay -= 1;
        this.answered += 1;
        response.end('ok');
      }, 100);
    });
  }

  async start(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    // A server that listens on TCP has an address of this kind.
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** A governor that notes whether it lets somebody through before the server wants to hear of its worker again. */
class Watched {
  early = 0;
  private notBeforeMs = 0;

  constructor(private readonly governor: Governor) {}

  async admit(): Promise<Permit> {
    const permit = await this.governor.admit(MODEL, new AbortController().signal);
    if (performance.now() < this.notBeforeMs) this.early += 1;
    return {
      end: (how) => {
        if (how.kind === 'limited')
          this.notBeforeMs = Math.max(this.notBeforeMs, performance.now() + (how.retryAfterMs ?? 0));
        permit.end(how);
      },
    };
  }
}

/** One model call, tried again as often as it is refused, at a governor or without one. */
async function callModel(url: string, governor?: Watched): Promise<void> {
  for (;;) {
    const permit = await governor?.admit();
    const response = await fetch(url);
    await response.text();
    if (response.ok) return permit?.end({ kind: 'ok' });
    const retryAfterMs = Number(response.headers.get('retry-after-ms'));
    if (permit) permit.end({ kind: 'limited', retryAfterMs });
    else await delay(retryAfterMs);
  }
}

async function withWorker<T>(run: () => Promise<T>): Promise<T> {
  const worker = await Worker.create({
    connection: server.nativeConnection,
    taskQueue,
    workflowBundle: await workflowBundle(),
  });
  return worker.runUntil(run);
}

const governors: WorkerGovernor[] = [];
let model: FakeModel | null = null;
let taskQueue: string;

beforeEach(() => {
  taskQueue = uniqueName('governor');
});
afterEach(async () => {
  await Promise.all(governors.splice(0).map((governor) => governor.close()));
  await model?.stop();
  model = null;
});

/** Fingerprint and task queue are the test's own. */
function governorOf(more: Partial<GovernorOptions> = {}): WorkerGovernor {
  const governor = createGovernor({ client: server.client, taskQueue, fingerprint: taskQueue, ...more });
  governors.push(governor);
  return governor;
}

const handle = () => server.client.workflow.getHandle(governorId(taskQueue, MODEL));
const fleetState = () => handle().query<FleetState>(GOVERNOR_STATE);

const REPORT: GovernorReport = {
  worker: 'w1',
  inFlight: 1,
  want: 1,
  epoch: null,
  ok: 0,
  limited: false,
  retryAfterMs: null,
};

const exchangeOf = (input: GovernorInput) =>
  createExchange({ client: server.client, taskQueue, fingerprint: taskQueue, model: MODEL, input });

const admitted = (governor: Governor, calls: number): Promise<Permit[]> =>
  Promise.all(Array.from({ length: calls }, () => governor.admit(MODEL, new AbortController().signal)));

/** Waits until so many workers have a lease. */
async function untilLeased(workers: number): Promise<FleetState> {
  for (;;) {
    const state = await fleetState().catch(() => null);
    if (state !== null && Object.keys(state.leases).length === workers) return state;
    await delay(50);
  }
}

/** Replays all that the governor of the test did. @returns the number of executions */
async function replayedRuns(): Promise<number> {
  const workflowId = governorId(taskQueue, MODEL);
  const histories = await readRunHistory(server.client, workflowId);
  for (const history of histories)
    await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, workflowId);
  return histories.length;
}

it('brings 200 calls of two workers through a server that takes ten at once, with few refusals', async () => {
  const calls = (url: string, governor?: Watched) =>
    Promise.all(Array.from({ length: 100 }, () => callModel(url, governor)));
  const stampede = (model = new FakeModel());
  const stampedeUrl = await stampede.start();
  await Promise.all([calls(stampedeUrl), calls(stampedeUrl)]);
  await stampede.stop();
  const governed = (model = new FakeModel());
  const url = await governed.start();
  const watched = [new Watched(governorOf()), new Watched(governorOf())];
  await withWorker(async () => {
    await Promise.all(watched.map((governor) => calls(url, governor)));
    const { throttle, reports } = await fleetState();
    expect(throttle.epoch).toBeGreaterThanOrEqual(1);
    expect(throttle.limit).toBeLessThan(64);
    expect(reports).toBeGreaterThanOrEqual(2);
  });
  expect([stampede.answered, governed.answered]).toEqual([200, 200]);
  expect(governed.limited).toBeLessThan(stampede.limited / 4);
  expect(watched.map(({ early }) => early)).toEqual([0, 0]);
  expect(await replayedRuns()).toBe(1);
});

it('takes the reports of twenty workers that start in the same moment', async () => {
  const governors = Array.from({ length: 20 }, () => governorOf());
  await withWorker(async () => {
    await Promise.all(governors.map((governor) => admitted(governor, 3)));
    const { leases } = await untilLeased(20);
    const shares = Object.values(leases).reduce((sum, { share }) => sum + share, 0);
    expect(shares).toBeLessThanOrEqual(64);
  });
  expect(await replayedRuns()).toBe(1);
});

it('continues as new with what it knows, and takes reports meanwhile', async () => {
  await withWorker(async () => {
    const exchange = exchangeOf({ continueAsNewEvents: 30 });
    for (let count = 1; count <= 25; count += 1)
      await Promise.all(['w1', 'w2'].map((worker) => exchange({ ...REPORT, worker, limited: count === 1 })));
    const { reports, throttle, leases } = await fleetState();
    expect(reports).toBe(50);
    expect(throttle).toMatchObject({ epoch: 1, limit: 32 });
    expect(Object.keys(leases).sort()).toEqual(['w1', 'w2']);
  });
  expect(await replayedRuns()).toBeGreaterThan(2);
});

it('replays after its worker was replaced between reports and signals', async () => {
  const exchange = exchangeOf({});
  for (let round = 0; round < 3; round += 1) {
    await withWorker(async () => {
      await exchange(REPORT);
      await handle().signal('hello');
      await fleetState();
      await exchange(REPORT);
      await handle().signal('hello');
      await expect(handle().executeUpdate(GOVERNOR_REPORT, { args: [{}] })).rejects.toThrow(
        WorkflowUpdateFailedError,
      );
    });
  }
  await withWorker(async () => expect((await fleetState()).reports).toBe(6));
  expect(await replayedRuns()).toBe(1);
});

it('ends when nobody reports any more, and the next report starts it again', async () => {
  await withWorker(async () => {
    const exchange = exchangeOf({ idleMs: 300 });
    await exchange(REPORT);
    const first = await handle().describe();
    await handle().result();
    await exchange(REPORT);
    expect((await handle().describe()).runId).not.toBe(first.runId);
  });
  expect(await replayedRuns()).toBe(1);
});

it('begins anew where what was carried is of another version, and with nothing at all', async () => {
  await withWorker(async () => {
    for (const args of [[{ carried: { version: 2, state: null } }], []]) {
      const workflowId = uniqueName('governor');
      const started = await server.client.workflow.start(MODEL_GOVERNOR, { workflowId, taskQueue, args });
      expect((await started.query<FleetState>(GOVERNOR_STATE)).throttle.limit).toBe(64);
      await started.cancel();
    }
  });
});

it('finds a limit of its own while no worker carries the workflow', async () => {
  const governor = governorOf();
  const permits = await admitted(governor, 4);
  const waiting = admitted(governor, 8);
  for (const permit of permits) permit.end({ kind: 'ok' });
  expect(await waiting).toHaveLength(8);
});

it('works over the connection of a worker', async () => {
  const client = new Client({ connection: server.nativeConnection });
  await withWorker(async () => {
    await admitted(governorOf({ client }), 10);
    expect((await fleetState()).reports).toBeGreaterThanOrEqual(1);
  });
});
