import { Worker } from '@temporalio/worker';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { openWorld, workflowBundle } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { readRunHistory } from '../../src/testing/history.js';
import { Dice } from '../core/support/dice.js';
import { live, randomScript, randomTools, seedOf } from './support/random-life.js';

const server = useTemporalServer();
const LIVES = 10;
const SEEDS = [11, 12];

it.each(SEEDS)(
  'reads ten meddled-with lives at once out of history as the workflows know them (seed %i)',
  async (seed) => {
    const ran = new Map<string, number>();
    const world = await openWorld(server, {
      script: randomScript,
      tools: randomTools(ran),
      env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: String(50 + seed) },
    });
    try {
      await world.startWorker();
      const started = uniqueName(`life-${seed}`);
      const lives = await Promise.all(
        Array.from({ length: LIVES }, async (_, index) => {
          const run = await world.client.start(
            { goal: 'Live.', limits: { maxSteps: 40 } },
            { id: `${started}-${index}` },
          );
          return { run, ...(await live(world, run, new Dice(seedOf(`${seed}/${index}`)))) };
        }),
      );
      let executions = 0;
      for (const { run } of lives) {
        const { temporalRunIds } = await expectFoldEqualsProgress(world.temporal, run.runId);
        executions += temporalRunIds.length;
        const histories = await readRunHistory(world.temporal, run.runId);
        for (const history of histories)
          await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, run.runId);
      }
      world.expectNoRefusals();
      expect(executions).toBeGreaterThan(LIVES);
      expect(lives.reduce((sum, { looks }) => sum + looks, 0)).toBeGreaterThan(0);
      expect(lives.map(({ result }) => result.outcome)).not.toContain('failed');
    } finally {
      await world.close();
    }
  },
  300_000,
);
