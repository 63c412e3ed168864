import type { RunHandle } from '../../../src/client/run-handle.js';
import type { RunEvent } from '../../../src/core/events.js';
import type { RunResult } from '../../../src/core/progress.js';
import { expectFoldEqualsProgress } from '../../support/fold-equality.js';
import { openWorld, type World, type WorldOptions } from '../../support/run-support.js';
import type { TestServer } from '../../support/temporal-server.js';
import { WorkerProcess } from '../../support/worker-process.js';
import { writeEffectTools, type EffectLog } from './effects.js';

/** A world whose workers are processes. */
export interface KillWorld extends World {
  effects: EffectLog;
  /** Starts a worker process and waits until it is ready. */
  startProcess(): Promise<WorkerProcess>;
}

/** Makes worlds for the tests of one file, and takes them down after each. */
export function useKillWorlds(server: TestServer): (options: WorldOptions) => Promise<KillWorld> {
  const worlds = new Set<World>();
  const processes = new Set<WorkerProcess>();
  afterEach(async () => {
    await Promise.all([...processes].map((worker) => worker.kill9()));
    processes.clear();
    await Promise.all([...worlds].map((world) => world.close()));
    worlds.clear();
  });
  return async (options) => {
    const world = await openWorld(server, {
      ...options,
      env: { LONGHAUL_HEARTBEAT_TIMEOUT_MS: '1500', ...options.env },
    });
    worlds.add(world);
    const { env, effects } = writeEffectTools(world.dir);
    const startProcess = async () => {
      const worker = new WorkerProcess({ cwd: world.dir, env: { ...world.env, ...env } });
      processes.add(worker);
      await worker.ready;
      return worker;
    };
    return { ...world, effects, startProcess };
  };
}

/** How a run ended, and what was seen of it. */
export interface Ending {
  result: RunResult;
  events: RunEvent[];
}

/**
 * Waits for the end of a run and holds what must be true of any: it is done, history tells the same as the workflow, no request was
 * refused, and nothing began again after it was on record as completed. A worker must be alive.
 */
export async function expectDone(world: KillWorld, run: RunHandle): Promise<Ending> {
  const result = await run.result();
  const { events } = await expectFoldEqualsProgress(world.temporal, run.runId);
  expect(result).toMatchObject({ outcome: 'done', error: null });
  world.expectNoRefusals();
  expectNothingAgain(world, run, events);
  return { result, events };
}

function expectNothingAgain(world: KillWorld, run: RunHandle, events: readonly RunEvent[]): void {
  for (const event of events) {
    if (event.type === 'model_completed') {
      const asked = requestsOf(world, run, event.step);
      expect(asked.filter((at) => at > event.at)).toEqual([]);
      expect(asked.length).toBeLessThanOrEqual(event.attempt);
      expect(asked.length).toBeGreaterThan(0);
    } else if (event.type === 'tool_completed') {
      const begun = world.effects
        .of(run.runId)
        .filter(({ kind, callId }) => kind === 'begin' && callId === event.callId);
      expect(begun.filter(({ atMs }) => atMs > Date.parse(event.at))).toEqual([]);
      expect(new Set(begun.map(({ key }) => key)).size).toBeLessThanOrEqual(1);
      // A human may have let one of effect `once` run again, which counts attempts anew.
      if (event.tool !== 'once_act') expect(begun.length).toBeLessThanOrEqual(event.attempt);
    }
  }
}

/** When the model was asked for a step, ISO. */
export function requestsOf(world: World, run: RunHandle, step: number): string[] {
  return world.standIn.requests
    .filter(({ body }) => {
      const { metadata } = Object(body);
      return metadata?.longhaul_run === run.runId && metadata.longhaul_step === String(step);
    })
    .map(({ at }) => at);
}

/** What the tools of a run gave the model, by call id. */
export function resultsOf(
  events: readonly RunEvent[],
): Record<string, { status: string; content: string; attempt: number }> {
  return Object.fromEntries(
    events.flatMap((event) => {
      if (event.type !== 'tool_completed') return [];
      const { callId, status, content, attempt } = event;
      return [[callId, { status, content, attempt }]];
    }),
  );
}
