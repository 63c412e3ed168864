import type { RunHandle } from '../../src/client/run-handle.js';
import { scriptedSteps, type Script } from '../../src/testing/stand-in/script.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { expectDone, requestsOf, resultsOf, useKillWorlds } from './support/kill-world.js';

const TEST_MS = 60_000;
const open = useKillWorlds(useTemporalServer());
const TEXT = 'A long answer, in many pieces. '.repeat(40);

it(
  'lets tools under way end when it is told to end, and exits with 0; the next worker goes on',
  async () => {
    const world = await open({
      script: scriptedSteps([
        {
          toolCalls: [
            { name: 'idempotent_act', args: { ms: 1_000 } },
            { name: 'once_act', args: { ms: 1_000 } },
          ],
        },
        { text: 'Done.' },
      ]),
    });
    const worker = await world.startProcess();
    const run = await world.client.start(
      { goal: 'Act.', requireApproval: 'never' },
      { id: uniqueName('drain') },
    );
    await Promise.all(['s0.c0', 's0.c1'].map((callId) => world.effects.untilBegun(run.runId, callId)));
    expect(world.effects.of(run.runId).filter(({ kind }) => kind === 'end')).toEqual([]);
    expect(await worker.stop()).toBe(0);
    expect(world.effects.of(run.runId).filter(({ kind }) => kind === 'end')).toHaveLength(2);
    await world.startProcess();
    const { events, result } = await expectDone(world, run);
    expect(world.effects.begun(run.runId).sort()).toEqual(['s0.c0', 's0.c1']);
    expect(resultsOf(events)).toMatchObject({
      's0.c0': { status: 'ok', attempt: 1 },
      's0.c1': { status: 'ok', attempt: 1 },
    });
    expect(requestsOf(world, run, 0)).toHaveLength(1);
    expect(result.unknownOutcomes).toEqual([]);
  },
  TEST_MS,
);

it(
  'hands an answer that is still streaming when the grace is over to the next worker',
  async () => {
    const script: Script = (_request, { attempt }) => ({ text: TEXT, chunkDelayMs: attempt === 1 ? 200 : 0 });
    const world = await open({ script });
    // In this process, because there the grace is half a second.
    const worker = await world.startWorker();
    const run = await world.client.start({ goal: 'Answer at length.' }, { id: uniqueName('drain') });
    await untilText(run);
    await worker.stop();
    await world.startProcess();
    const { events, result } = await expectDone(world, run);
    expect(result).toMatchObject({ answer: TEXT, steps: 1 });
    expect(events.filter(({ type }) => type === 'model_completed')).toMatchObject([
      { step: 0, attempt: 2, text: TEXT },
    ]);
    expect(requestsOf(world, run, 0)).toHaveLength(2);
  },
  TEST_MS,
);

async function untilText(run: RunHandle): Promise<void> {
  const seen = new AbortController();
  for await (const delta of run.deltas(seen.signal)) if (delta.type === 'text_delta') seen.abort();
}
