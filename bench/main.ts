import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { startDevServer } from '../src/adapters/temporal/dev-server.js';
import { findTemporalBinary } from '../src/adapters/temporal/find-temporal.js';
import { benchAgent, type AgentBench } from './agent-bench.js';
import {
  benchInterrupts,
  QUICK_STREAM,
  SILENCE,
  SLOW_STREAM,
  type InterruptBench,
  type InterruptLoad,
} from './interrupt-bench.js';
import { benchReference } from './reference-bench.js';

/** What something may cost or take. */
interface Target {
  what: string;
  measured: number;
  atMost: number;
}

const HUNDRED = { steps: 100, textBytes: 1_024, resultBytes: 1_024 };
const THOUSAND = { steps: 1_000, textBytes: 100, resultBytes: 100 };

const INTERRUPTS: Readonly<Record<string, InterruptLoad>> = {
  'an answer that flows': { interrupts: 30, runs: 1, reply: QUICK_STREAM },
  'an answer with a word every 3 s': { interrupts: 30, runs: 1, reply: SLOW_STREAM },
  'a model that says nothing': { interrupts: 30, runs: 1, reply: SILENCE },
  'one of 50 answers that flow': { interrupts: 50, runs: 50, reply: QUICK_STREAM },
};

/** Of an interruption, in milliseconds. */
const INTERRUPT_AT_MOST_MS = 1_000;

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
    console.error('Three long runs, then interruptions of four kinds; about five minutes.');
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
    const interrupted: Record<string, InterruptBench> = {};
    for (const [what, load] of Object.entries(INTERRUPTS))
      interrupted[what] = await benchInterrupts(load, place);
    console.table(mapValues(interrupted, interruptRowOf));
    report([...targetsOf(hundred, thousand), ...interruptTargetsOf(interrupted)]);
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

function interruptTargetsOf(interrupted: Record<string, InterruptBench>): Target[] {
  return Object.entries(interrupted).map(([what, { heardMs }]) => ({
    what: `ms until the next request has heard an interruption of ${what}, p50`,
    measured: heardMs.p50,
    atMost: INTERRUPT_AT_MOST_MS,
  }));
}

/** In milliseconds. */
function interruptRowOf({ closedMs, heardMs, acceptedMs }: InterruptBench): Record<string, number> {
  return {
    'closed p50': Math.round(closedMs.p50),
    'closed p95': Math.round(closedMs.p95),
    'heard p50': Math.round(heardMs.p50),
    'heard p95': Math.round(heardMs.p95),
    'accepted p50': Math.round(acceptedMs.p50),
  };
}

function mapValues<T, U>(values: Record<string, T>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
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
