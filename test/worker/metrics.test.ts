import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { findFreePort } from '../../src/adapters/temporal/free-port.js';
import { openWorld } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';
import { WorkerProcess } from '../support/worker-process.js';

const server = useTemporalServer();

describe('a worker with LONGHAUL_METRICS_ADDRESS', () => {
  it('serves the cost of its runs for Prometheus', async () => {
    const world = await openWorld(server, { script: () => ({ text: 'Done.' }) });
    const address = `127.0.0.1:${await findFreePort('127.0.0.1')}`;
    const worker = new WorkerProcess({
      cwd: world.dir,
      env: { ...world.env, LONGHAUL_METRICS_ADDRESS: address },
    });
    try {
      await worker.ready;
      const run = await world.client.start({ goal: 'g', limits: { maxCostUsd: 1 } });
      const { spend } = await run.result();
      const metrics = await untilServed(address, /^longhaul_runs_closed/m);
      expect(valueOf(metrics, 'longhaul_cost_nano_usd', 'purpose="step"')).toBe(spend.costNanoUsd);
      expect(valueOf(metrics, 'longhaul_model_calls', 'model="stand-in/agent"')).toBe(1);
      expect(valueOf(metrics, 'longhaul_runs_closed', 'outcome="done"')).toBe(1);
      expect(metrics).toMatch(/^temporal_worker_start/m);
    } finally {
      await worker.stop();
      await world.close();
    }
  }, 60_000);

  it('says which variable to change when the address is taken', async () => {
    const other = await listen();
    const world = await openWorld(server, { script: () => ({}) });
    const address = `127.0.0.1:${(other.address() as AddressInfo).port}`; // Of a server that listens on a port.
    const worker = new WorkerProcess({
      cwd: world.dir,
      env: { ...world.env, LONGHAUL_METRICS_ADDRESS: address },
    });
    try {
      await expect(worker.ready).rejects.toThrow('ended before it was ready');
      expect(await worker.stop()).toBe(2);
    } finally {
      other.close();
      await world.close();
    }
  });
});

/** Counters arrive a moment after the workflow task that has counted. */
async function untilServed(address: string, pattern: RegExp): Promise<string> {
  for (;;) {
    const response = await fetch(`http://${address}/metrics`);
    const text = await response.text();
    if (pattern.test(text)) return text;
  }
}

function valueOf(metrics: string, name: string, tag: string): number | undefined {
  const line = metrics.split('\n').find((one) => one.startsWith(`${name}{`) && one.includes(tag));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

async function listen(): Promise<Server> {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  return other;
}
