import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { startDevServer } from '../src/adapters/temporal/dev-server.js';
import { findTemporalBinary } from '../src/adapters/temporal/find-temporal.js';
import { benchAgent, type AgentBench } from './agent-bench.js';
import { benchReference } from './reference-bench.js';

/** What a history may cost. */
interface Target {
  what: string;
  measured: number;
  atMost: number;
}

const HUNDRED = { steps: 100, textBytes: 1_024, resultBytes: 1_024 };
const THOUSAND = { steps: 1_000, textBytes: 100, resultBytes: 100 };

function targetsOf(hundred: AgentBench, thousand: AgentBench): Target[] {
  return [
    { what: 'bytes of history, 100 steps', measured: hundred.historyBytes, atMost: 420_000 },
    { what: 'events a step, 100 steps', measured: hundred.events / HUNDRED.steps, atMost: 12.5 },
    {
      what: 'bytes of history a step, 1,000 steps',
      measured: thousand.historyBytes / THOUSAND.steps,
      atMost: 3_500,
    },
  ];
}

async function main(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('WARN') });
  const dir = mkdtempSync(join(tmpdir(), 'longhaul-bench-'));
  const { path: binary } = await findTemporalBinary({
    env: process.env,
    onProgress: (line) => console.error(line),
  });
  const server = await startDevServer({
    binary,
    dbFile: join(dir, 'temporal.db'),
    logFile: join(dir, 'temporal.log'),
    headless: true,
  });
  try {
    const place = { address: server.address, dir };
    console.error('Three runs, about two minutes.');
    const reference = await benchReference({ address: server.address, steps: HUNDRED.steps });
    const hundred = await benchAgent(HUNDRED, place);
    const thousand = await benchAgent(THOUSAND, place);
    console.table({
      '2 activities a step, 100 steps': rowOf(reference, HUNDRED.steps, reference.durationMs / HUNDRED.steps),
      'agent, 100 steps of 1 KiB + 1 KiB': rowOf(
        hundred,
        HUNDRED.steps,
        reference.durationMs / HUNDRED.steps,
      ),
      'agent, 1,000 steps of 100 + 100 bytes': rowOf(
        thousand,
        THOUSAND.steps,
        reference.durationMs / HUNDRED.steps,
      ),
    });
    report(targetsOf(hundred, thousand));
  } finally {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

function rowOf(
  { historyBytes, events, executions, durationMs }: AgentBench,
  steps: number,
  referenceMs: number,
): Record<string, number> {
  return {
    'history MB': round(historyBytes / 1e6, 3),
    'bytes/step': Math.round(historyBytes / steps),
    'events/step': round(events / steps, 2),
    executions,
    'ms/step': round(durationMs / steps, 1),
    'times the reference': round(durationMs / steps / referenceMs, 2),
  };
}

function report(targets: Target[]): void {
  for (const { what, measured, atMost } of targets) {
    const isMet = measured <= atMost;
    console.log(`${isMet ? 'ok    ' : 'MISSED'} ${what}: ${round(measured, 2)} (at most ${atMost})`);
    if (!isMet) process.exitCode = 1;
  }
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

await main();
