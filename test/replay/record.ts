import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevServer } from '../../src/adapters/temporal/dev-server.js';
import { findTemporalBinary } from '../../src/adapters/temporal/find-temporal.js';
import { QUERIES } from '../../src/contract/names.js';
import type { Progress } from '../../src/core/progress.js';
import { readRunHistory } from '../../src/testing/history.js';
import { openWorld, type World } from '../support/run-support.js';
import { OwnTestServer } from '../support/temporal-server.js';
import { AGENT_LIVES } from './support/agent-lives.js';
import { LIVES, TOOLS, type RecordedLife } from './support/lives.js';
import { METERED_LIVES } from './support/metered-lives.js';
import { OTHER_LIVES, type OtherLife } from './support/other-lives.js';
import { recordedNames, writeRecording, type Recording } from './support/recording.js';
import { SELF_KEEPING_LIVES } from './support/self-keeping-lives.js';

/**
 * Records the histories that `replay.test.ts` replays: `npx tsx test/replay/record.ts [NAME…]`; without names all that are missing. What
 * a release has recorded stays as it is, since its runs are still under way somewhere; so nothing is ever written over.
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
    const recorded = recordedNames();
    const wanted = ({ name }: { name: string }) =>
      names.length === 0 ? !recorded.includes(name) : names.includes(name);
    for (const life of [...LIVES, ...METERED_LIVES, ...AGENT_LIVES, ...SELF_KEEPING_LIVES].filter(wanted))
      await recordRun(server, life);
    for (const life of OTHER_LIVES.filter(wanted)) await recordOther(server, life);
  } finally {
    await server.close();
    await server.kill();
    await rm(dir, { recursive: true, force: true });
  }
}

async function recordRun(server: OwnTestServer, life: RecordedLife): Promise<void> {
  const { name, script, input = {}, env = {}, standIn = {}, tools = [] } = life;
  const world = await openWorld(server, { script, tools: [...TOOLS, ...tools], env, standIn });
  try {
    const worker = await world.startWorker();
    await life.precede?.(world);
    const first = await world.client.start({ goal: `Live: ${name}.`, ...input }, { id: `recorded-${name}` });
    await life.attend?.(first, world, worker);
    const ended = await first.result();
    const run = await life.succeed?.(first, world);
    const { outcome, steps } = run ? await run.result() : ended;
    const runId = run?.runId ?? first.runId;
    const progress = await world.temporal.workflow.getHandle(runId).query<Progress>(QUERIES.progress);
    await keep(world, { name, runId, progress });
    process.stdout.write(`  ${outcome} after ${steps} steps: ${JSON.stringify(progress.spend)}\n`);
  } finally {
    await world.close();
  }
}

async function recordOther(server: OwnTestServer, { name, live }: OtherLife): Promise<void> {
  const world = await openWorld(server, { script: () => ({}) });
  try {
    await world.startWorker();
    await keep(world, { name, runId: await live(world), progress: null });
  } finally {
    await world.close();
  }
}

async function keep(
  world: World,
  { name, ...recording }: Omit<Recording, 'histories'> & { name: string },
): Promise<void> {
  const histories = await readRunHistory(world.temporal, recording.runId);
  const sizeBytes = writeRecording(name, { ...recording, histories });
  process.stdout.write(`${name}: ${histories.length} executions, ${sizeBytes} bytes\n`);
}

await main(process.argv.slice(2));
