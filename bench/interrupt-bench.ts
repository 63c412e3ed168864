import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { AgentClient } from '../src/agent-client.js';
import type { RunHandle } from '../src/client/run-handle.js';
import { loadConfig } from '../src/config.js';
import { startStandIn, type StandIn } from '../src/testing/stand-in/stand-in.js';
import type { Reply, Script } from '../src/testing/stand-in/script.js';
import { createAgentWorker } from '../src/worker/create-agent-worker.js';

/** Interruptions of one kind of stream. */
export interface InterruptLoad {
  interrupts: number;
  /** Runs whose answers stream at the same time, on one worker; they are interrupted by turns. */
  runs: number;
  reply: Reply;
}

/** How long interruptions took, in milliseconds from the moment at which the message was accepted. */
export interface InterruptBench {
  /** Until the model server saw the connection of the old request closed. */
  closedMs: Quantiles;
  /** Until the request that has heard the message arrived. */
  heardMs: Quantiles;
  /** How long the caller waited for the acknowledgement. */
  acceptedMs: Quantiles;
}

/** Of all measurements of one kind, in milliseconds. */
export interface Quantiles {
  p50: number;
  p95: number;
}

const MODEL = 'stand-in/agent';
const LONG_TEXT = 'All work and no play. '.repeat(1_500);

/** A stream in which something new comes with every heartbeat. */
export const QUICK_STREAM: Reply = { text: LONG_TEXT, chunkDelayMs: 50 };
/** One in which hardly anything new comes. */
export const SLOW_STREAM: Reply = { text: LONG_TEXT, chunkDelayMs: 3_000 };
/** A model that thinks without a word. */
export const SILENCE: Reply = { text: LONG_TEXT, fault: { kind: 'hang-before-headers' } };

/** An interruption comes so long after its stream began, in milliseconds: at any moment between two heartbeats. */
const EARLIEST_MS = 300;
const LATEST_MS = 1_300;
const LOOK_EVERY_MS = 2;

/** Interrupts answers of a slow model again and again, on a worker of its own. */
export async function benchInterrupts(
  load: InterruptLoad,
  { address, dir }: { address: string; dir: string },
): Promise<InterruptBench> {
  const arrivals = new EventEmitter().setMaxListeners(0);
  const script: Script = (_request, { metadata }) => {
    arrivals.emit(metadata['longhaul_run'] ?? '', performance.now());
    return load.reply;
  };
  const standIn = await startStandIn({ script });
  const workspace = join(dir, randomUUID());
  mkdirSync(workspace);
  const env = {
    OPENROUTER_API_KEY: 'none',
    OPENROUTER_BASE_URL: standIn.url,
    LONGHAUL_WORKSPACE: workspace,
    LONGHAUL_DATA_DIR: join(workspace, 'data'),
    LONGHAUL_MODEL: MODEL,
    LONGHAUL_TASK_QUEUE: randomUUID(),
  };
  const config = loadConfig(env, workspace);
  const { worker, ...made } = await createAgentWorker({
    config,
    module: { tools: [], defaults: {} },
    address,
  });
  const running = made.run();
  const agents = await AgentClient.connect({ config, address });
  try {
    const runs = await Promise.all(
      Array.from({ length: load.runs }, async () => {
        const id = randomUUID();
        const arrived = once(arrivals, id);
        const run = await agents.start({ goal: 'Write on and on.' }, { id });
        await arrived;
        return run;
      }),
    );
    const taken: Interrupted[] = [];
    for (let turn = 0; turn < load.interrupts; turn += 1) {
      const run = runs[turn % runs.length];
      if (run) taken.push(await interrupt(run, { standIn, arrivals }));
    }
    await Promise.all(runs.map((run) => run.cancel()));
    await Promise.all(runs.map((run) => run.result()));
    return {
      closedMs: quantilesOf(taken.map(({ closedMs }) => closedMs)),
      heardMs: quantilesOf(taken.map(({ heardMs }) => heardMs)),
      acceptedMs: quantilesOf(taken.map(({ acceptedMs }) => acceptedMs)),
    };
  } finally {
    worker.shutdown();
    await running;
    await Promise.all([agents.close(), made.close()]);
    await standIn.stop();
  }
}

interface Interrupted {
  closedMs: number;
  heardMs: number;
  acceptedMs: number;
}

async function interrupt(
  run: RunHandle,
  { standIn, arrivals }: { standIn: StandIn; arrivals: EventEmitter },
): Promise<Interrupted> {
  await delay(EARLIEST_MS + Math.random() * (LATEST_MS - EARLIEST_MS));
  const bill = standIn.ledger.find(({ open, metadata }) => open && metadata['longhaul_run'] === run.runId);
  if (!bill) throw new Error('No answer is under way that could be interrupted.');
  const heard = once(arrivals, run.runId);
  const closed = untilClosed(standIn, bill.id);
  const saidAtMs = performance.now();
  await run.say('Think again.', { mode: 'interrupt' });
  const acceptedAtMs = performance.now();
  const [heardAtMs]: number[] = await heard;
  return {
    closedMs: (await closed) - acceptedAtMs,
    heardMs: (heardAtMs ?? Number.NaN) - acceptedAtMs,
    acceptedMs: acceptedAtMs - saidAtMs,
  };
}

/** When the server notices that its client is gone. */
async function untilClosed(standIn: StandIn, billId: string): Promise<number> {
  while (standIn.ledger.some(({ id, open }) => id === billId && open)) await delay(LOOK_EVERY_MS);
  return performance.now();
}

function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { p50: at(0.5) ?? Number.NaN, p95: at(0.95) ?? Number.NaN };
}
