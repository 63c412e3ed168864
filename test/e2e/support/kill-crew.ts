import { openWorld, type World, type WorldOptions } from '../../support/run-support.js';
import type { TestServer } from '../../support/temporal-server.js';
import { WorkerProcess } from '../../support/worker-process.js';
import { writeKillTools, type KillTools } from './kill-tools.js';
import { Line } from './line.js';

/** A worker process, and the line over which it talks to the server. */
export interface CrewWorker {
  process: WorkerProcess;
  line: Line;
}

/** A world with tools that tell what they do, and workers that can be killed between any two words with the server. */
export interface KillCrew extends World, Omit<KillTools, 'env'> {
  /** Starts a worker process and waits until it takes work. */
  startProcess(): Promise<CrewWorker>;
  /** What workers have complained of. */
  complaints(): string;
}

/** Makes a crew; whoever opens it closes it. */
export async function openCrew(server: TestServer, options: WorldOptions): Promise<KillCrew> {
  const world = await openWorld(server, options);
  const tools = writeKillTools(world.dir);
  const workers = new Set<CrewWorker>();
  return {
    ...world,
    ...tools,
    env: { ...world.env, ...tools.env },
    async startProcess() {
      const line = await Line.open(server.address);
      const env = { ...world.env, ...tools.env, TEMPORAL_ADDRESS: line.address };
      const worker = { line, process: new WorkerProcess({ cwd: world.dir, env }) };
      workers.add(worker);
      await worker.process.ready;
      return worker;
    },
    complaints: () => [...workers].map(({ process }) => process.errors).join(''),
    async close() {
      await Promise.all([...workers].map((worker) => worker.process.kill9()));
      await Promise.all([...workers].map((worker) => worker.line.close()));
      await world.close();
    },
  };
}
