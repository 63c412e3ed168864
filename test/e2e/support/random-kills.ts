import { setTimeout as delay } from 'node:timers/promises';
import type { Dice } from '../../core/support/dice.js';
import type { CrewWorker, KillCrew } from './kill-crew.js';
import type { Word } from './line.js';

const isActivity = (type: string, word: Word) => word.activity?.type === type;

/** Words at which a worker may be killed, before or after the server has them. */
const MOMENTS: Record<string, (word: Word) => boolean> = {
  'it was given a call': (word) => word.kind === 'task' && isActivity('runTool', word),
  'it said that it has not begun': (word) => word.acting === false && !word.isAnswered,
  'that was heard': (word) => word.acting === false && word.isAnswered,
  'it said that it begins': (word) => word.acting === true && !word.isAnswered,
  'it was told that it may begin': (word) => word.acting === true && word.isAnswered,
  'it told a result': (word) => word.kind === 'end' && isActivity('runTool', word) && !word.isAnswered,
  'its result was heard': (word) => word.kind === 'end' && isActivity('runTool', word) && word.isAnswered,
  'it verified a call': (word) => word.kind === 'end' && isActivity('verifyCall', word),
  'it checked arguments': (word) => word.kind === 'end' && isActivity('checkArgs', word),
  'it moved a run on': (word) => word.kind === 'end' && word.activity === null && !word.isAnswered,
  'it had moved a run on': (word) => word.kind === 'end' && word.activity === null && word.isAnswered,
  'it continued a run as new': (word) => word.continuesAsNew && !word.isAnswered,
  'it had continued a run as new': (word) => word.continuesAsNew && word.isAnswered,
};

/** How long a moment is waited for that may not come. */
const PATIENCE_MS = 2_500;

/** Keeps workers alive, kills one after the other at random moments, and puts others in their places, until `lives` are over. */
export async function withRandomKills<T>(
  crew: KillCrew,
  { dice, workers: count }: { dice: Dice; workers: number },
  lives: () => Promise<T>,
): Promise<{ result: T; kills: Record<string, number> }> {
  const workers = await Promise.all(Array.from({ length: count }, () => crew.startProcess()));
  const kills: Record<string, number> = {};
  const over = new AbortController();
  const living = lives().finally(() => over.abort());
  // Awaited at the end; a failure before that must not go unheard in between.
  living.catch(() => undefined);
  while (!over.signal.aborted) {
    const index = dice.roll(count);
    const worker = workers[index];
    if (!worker) throw new Error('There are as many workers as that.');
    const moment = await untilMoment(worker, dice, over.signal);
    if (over.signal.aborted) break;
    await worker.process.kill9();
    kills[moment] = (kills[moment] ?? 0) + 1;
    workers[index] = await crew.startProcess();
  }
  return { result: await living, kills };
}

/** Waits for a random moment, and tells which one it was. */
async function untilMoment({ line }: CrewWorker, dice: Dice, over: AbortSignal): Promise<string> {
  const [name, fits] = dice.pick(Object.entries(MOMENTS)) ?? [];
  const patience = new AbortController();
  const waitMs = dice.chance(25) ? dice.roll(1_200) : PATIENCE_MS;
  const isByTime = waitMs < PATIENCE_MS;
  const reached =
    fits && !isByTime ? line.hold(fits).then(() => name) : new Promise<undefined>(() => undefined);
  const signal = AbortSignal.any([over, patience.signal]);
  const late = delay(waitMs, undefined, { signal }).catch(() => undefined);
  const moment = await Promise.race([reached, late]);
  patience.abort();
  return moment ?? 'at any time';
}
