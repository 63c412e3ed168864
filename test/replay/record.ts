import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevServer } from '../../src/adapters/temporal/dev-server.js';
import { findTemporalBinary } from '../../src/adapters/temporal/find-temporal.js';
import { QUERIES } from '../../src/contract/names.js';
import type { Progress } from '../../src/core/progress.js';
import { readRunHistory } from '../../src/testing/history.js';
import { openWorld } from '../support/run-support.js';
import { OwnTestServer } from '../support/temporal-server.js';
import { LIVES, TOOLS, type RecordedLife } from './support/lives.js';
import { writeRecording } from './support/recording.js';

/**
 * Records the histories that `replay.test.ts` replays: `npx tsx test/replay/record.ts [NAME…]`. Only for histories that no release has
 * written yet; those that a release wrote stay as they are, since runs of that release are still under way somewhere.
 */
async function main(names: readonly string[]): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'longhaul-record-'));
  const { path: binary } = await findTemporalBinary({ env: process.env });
  const server = new OwnTestServer((port) =>
    startDevServer({
      binary,
      dbFile: join(dir, 'temporal.db'),
      logFile: join(dir, 'temporal.log'),
      port,
      headless: true,
    }),
  );
  try {
    await server.startAndConnect();
    for (const life of LIVES) if (names.length === 0 || names.includes(life.name)) await record(server, life);
  } finally {
    await server.close();
    await server.kill();
    await rm(dir, { recursive: true, force: true });
  }
}

async function record(
  server: OwnTestServer,
  { name, script, input = {}, env = {}, attend }: RecordedLife,
): Promise<void> {
  const world = await openWorld(server, { script, tools: TOOLS, env });
  try {
    await world.startWorker();
    const run = await world.client.start({ goal: `Live: ${name}.`, ...input }, { id: `recorded-${name}` });
    await attend?.(run, world);
    const { outcome, steps } = await run.result();
    const progress = await world.temporal.workflow.getHandle(run.runId).query<Progress>(QUERIES.progress);
    const histories = await readRunHistory(world.temporal, run.runId);
    writeRecording(name, { runId: run.runId, progress, histories });
    process.stdout.write(`${name}: ${outcome} after ${steps} steps, ${histories.length} executions\n`);
  } finally {
    await world.close();
  }
}

await main(process.argv.slice(2));
