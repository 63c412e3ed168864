import { setTimeout as delay } from 'node:timers/promises';
import { firstRunId, readHistory } from '../../src/client/history.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import type { Script } from '../../src/testing/stand-in/script.js';
import { Dice } from '../core/support/dice.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { expectDone, requestsOf, useKillWorlds, type KillWorld } from './support/kill-world.js';

const open = useKillWorlds(useTemporalServer());
const STEPS = 30;
const CONTINUE_AT_EVENTS = 40;
const KILLS = 4;
const SEED = 5;

const script: Script = (_request, { stepIndex }) =>
  stepIndex < STEPS - 1
    ? {
        text: `Step ${stepIndex}, which takes a moment to say.`,
        chunkDelayMs: 20,
        toolCalls: [{ name: 'idempotent_act', args: { ms: 50 + stepIndex } }],
      }
    : { text: 'All steps are done.' };

it('does each step of a long run once while its workers are killed again and again', async () => {
  const world = await open({ script, env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: String(CONTINUE_AT_EVENTS) } });
  const run = await world.client.start({ goal: 'Go on and on.' }, { id: uniqueName('nemesis') });
  await killAgainAndAgain(world, run);
  await world.startProcess();
  const { events, result } = await expectDone(world, run);

  expect(result).toMatchObject({ steps: STEPS, answer: 'All steps are done.', unknownOutcomes: [] });
  const steps = Array.from({ length: STEPS }, (_, step) => step);
  expect(events.flatMap((event) => (event.type === 'model_completed' ? [event.step] : []))).toEqual(steps);
  expect(steps.filter((step) => requestsOf(world, run, step).length === 0)).toEqual([]);
  const effects = world.effects.of(run.runId);
  expect(new Set(effects.map(({ callId }) => callId))).toEqual(
    new Set(steps.slice(0, -1).map((step) => `s${step}.c0`)),
  );
  expect(new Set(effects.map(({ key }) => key)).size).toBe(STEPS - 1);
}, 180_000);

/** Kills one worker after the other: by turns at a random moment after the run moved on, and when it is about to continue as new. */
async function killAgainAndAgain(world: KillWorld, run: RunHandle): Promise<void> {
  const dice = new Dice(SEED);
  const watched = watch(world, run);
  for (let kill = 0; kill < KILLS; kill += 1) {
    const worker = await world.startProcess();
    if (kill % 2 === 0) await watched.next('moved').then(() => delay(dice.roll(500)));
    else await watched.next('long');
    expect(watched.hasEnded()).toBe(false);
    await worker.kill9();
  }
}

/** What a run's history tells: `moved`, a task was done; `long`, an execution is long enough to continue as new, told once for each. */
type News = 'moved' | 'long';

/** Follows the history of a run. Its end is news of every kind. */
function watch(world: KillWorld, run: RunHandle): { next(news: News): Promise<void>; hasEnded(): boolean } {
  const news = new EventTarget();
  let ended = false;
  const follow = async () => {
    const temporalRunId = await firstRunId(world.temporal, run.runId);
    const lengths = new Map<string, number>();
    for await (const page of readHistory(world.temporal, {
      workflowId: run.runId,
      temporalRunId,
      follow: true,
    })) {
      const before = lengths.get(page.temporalRunId) ?? 0;
      const after = before + page.events.length;
      lengths.set(page.temporalRunId, after);
      if (page.events.some((event) => event.workflowTaskCompletedEventAttributes))
        news.dispatchEvent(new Event('moved'));
      if (before < CONTINUE_AT_EVENTS && after >= CONTINUE_AT_EVENTS) news.dispatchEvent(new Event('long'));
    }
  };
  void follow().finally(() => {
    ended = true;
    for (const kind of ['moved', 'long']) news.dispatchEvent(new Event(kind));
  });
  return {
    next: (kind) => new Promise((resolve) => news.addEventListener(kind, () => resolve(), { once: true })),
    hasEnded: () => ended,
  };
}
