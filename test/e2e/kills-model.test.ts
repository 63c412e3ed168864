import type { Delta } from '../../src/client/deltas.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import type { Script } from '../../src/testing/stand-in/script.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { expectDone, requestsOf, useKillWorlds } from './support/kill-world.js';

const open = useKillWorlds(useTemporalServer());
const TEXT = Array.from({ length: 300 }, (_, index) => `word-${index}`).join(' ');

/** One tool call, then a long answer, which streams slowly when it is first asked for. */
const script: Script = (_request, { stepIndex, attempt }) =>
  stepIndex === 0
    ? { toolCalls: [{ name: 'idempotent_act' }] }
    : { text: TEXT, chunkDelayMs: attempt === 1 ? 100 : 40 };

it('asks again when its worker is killed in the middle of an answer, and revokes what was shown of it', async () => {
  const world = await open({ script });
  const worker = await world.startProcess();
  const run = await world.client.start({ goal: 'Answer at length.' }, { id: uniqueName('kill-model') });
  const watched = watch(run);
  const shown = await watched.until(({ type }) => type === 'text_delta');
  await worker.kill9();
  await world.startProcess();
  const reset = await watched.until(({ type }) => type === 'step_reset');
  const { result, events } = await expectDone(world, run);
  await world.standIn.idle();
  expect(world.standIn.ledger[1]).toMatchObject({ open: false, cancelled: true });
  await watched.stop();

  expect(shown).toMatchObject({ step: 1, attempt: 1 });
  expect(reset).toMatchObject({ step: 1, attempt: 2 });
  expect(TEXT).toContain(shown.type === 'text_delta' ? shown.text : '?');
  expect(result).toMatchObject({ answer: TEXT, steps: 2 });
  expect(events.filter(({ type }) => type === 'model_completed')).toMatchObject([
    { step: 0, attempt: 1 },
    { step: 1, attempt: 2, text: TEXT },
  ]);
  expect(requestsOf(world, run, 0)).toHaveLength(1);
  expect(requestsOf(world, run, 1)).toHaveLength(2);
  expect(world.effects.begun(run.runId)).toEqual(['s0.c0']);
  expect(world.standIn.ledger.map(({ completed }) => completed)).toEqual([true, false, true]);
}, 60_000);

/** Watches the deltas of a run, each of which is looked at once. */
function watch(run: RunHandle): {
  until(fits: (delta: Delta) => boolean): Promise<Delta>;
  stop(): Promise<void>;
} {
  const stopped = new AbortController();
  const deltas = run.deltas(stopped.signal);
  return {
    async until(fits) {
      for (;;) {
        const { value, done } = await deltas.next();
        if (done) throw new Error('The deltas ended.');
        if (fits(value)) return value;
      }
    },
    async stop() {
      stopped.abort();
      await deltas.return(undefined);
    },
  };
}
