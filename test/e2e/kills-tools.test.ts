import type { RunHandle } from '../../src/client/run-handle.js';
import type { ReplyCall } from '../../src/testing/stand-in/script.js';
import { scriptedSteps } from '../../src/testing/stand-in/script.js';
import { textOf } from '../../src/testing/transcript-rules.js';
import { untilEvent } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { expectDone, requestsOf, resultsOf, useKillWorlds, type KillWorld } from './support/kill-world.js';

const TEST_MS = 60_000;
const open = useKillWorlds(useTemporalServer());

/** A quick step, then one with these calls, then the answer. */
function steps(...toolCalls: ReplyCall[]) {
  return scriptedSteps([{ toolCalls: [{ name: 'read_act' }] }, { toolCalls }, { text: 'Done.' }]);
}

it(
  'runs a call that may run again once more when its worker is killed, under the same key, and nothing before it',
  async () => {
    const world = await open({
      script: (request, context) => {
        const tool = request.messages.map(textOf).includes('Use read_act.') ? 'read_act' : 'idempotent_act';
        return steps({ name: tool, args: { hold: true } })(request, context);
      },
    });
    const worker = await world.startProcess();
    const tools = ['read_act', 'idempotent_act'];
    const runs = await Promise.all(tools.map((tool) => start(world, `Use ${tool}.`)));
    await Promise.all(runs.map(({ runId }) => world.effects.untilBegun(runId, 's1.c0')));
    await worker.kill9();
    await world.startProcess();
    for (const [index, run] of runs.entries()) {
      const { events } = await expectDone(world, run);
      const effects = world.effects.of(run.runId).filter(({ callId }) => callId === 's1.c0');
      expect(effects.map(({ kind }) => kind)).toEqual(['begin', 'begin', 'end']);
      expect(new Set(effects.map(({ key }) => key)).size).toBe(1);
      expect(effects[0]?.tool).toBe(tools[index]);
      expect(world.effects.begun(run.runId).filter((callId) => callId === 's0.c0')).toHaveLength(1);
      expect(resultsOf(events)['s1.c0']).toEqual({ status: 'ok', content: 'acted: s1.c0', attempt: 2 });
      expect([0, 1, 2].map((step) => requestsOf(world, run, step).length)).toEqual([1, 1, 1]);
    }
  },
  TEST_MS,
);

it(
  'runs of parallel calls only those again that had not ended when the worker was killed',
  async () => {
    const quick = { name: 'idempotent_act' };
    const held = { name: 'idempotent_act', args: { hold: true } };
    const world = await open({ script: steps(quick, held, { name: 'read_act' }) });
    const worker = await world.startProcess();
    const run = await start(world, 'Do three things at once.');
    await Promise.all([
      world.effects.untilBegun(run.runId, 's1.c1'),
      untilEvent(run, 'tool_completed', ({ callId }) => callId === 's1.c0'),
      untilEvent(run, 'tool_completed', ({ callId }) => callId === 's1.c2'),
    ]);
    await worker.kill9();
    await world.startProcess();
    const { events } = await expectDone(world, run);
    expect(world.effects.begun(run.runId).sort()).toEqual(['s0.c0', 's1.c0', 's1.c1', 's1.c1', 's1.c2']);
    expect(resultsOf(events)).toMatchObject({
      's1.c0': { status: 'ok', attempt: 1 },
      's1.c1': { status: 'ok', attempt: 2 },
      's1.c2': { status: 'ok', attempt: 1 },
    });
  },
  TEST_MS,
);

it(
  'asks a human about a call of effect once whose worker was killed, and does as told',
  async () => {
    const world = await open({ script: steps({ name: 'once_act', args: { hold: true } }) });
    const worker = await world.startProcess();
    const runs = await Promise.all(
      ['answered', 'approved', 'rejected'].map((name) => start(world, `To be ${name}.`)),
    );
    const [answered, approved, rejected] = runs;
    if (!answered || !approved || !rejected) throw new Error('Three runs were started.');
    await Promise.all(
      runs.map(async (run) => {
        await untilEvent(run, 'decision_requested', ({ kind }) => kind === 'decision');
        await run.approve('s1.c0');
        await world.effects.untilBegun(run.runId, 's1.c0');
      }),
    );
    await worker.kill9();
    await world.startProcess();
    await Promise.all(
      runs.map((run) => untilEvent(run, 'decision_requested', ({ kind }) => kind === 'unknown_outcome')),
    );
    for (const run of runs) {
      expect(await run.pending()).toMatchObject([
        { kind: 'unknown_outcome', callId: 's1.c0', tool: 'once_act' },
      ]);
      expect(begunOnce(world, run)).toBe(1);
    }
    await answered.answer('s1.c0', 'It did act.');
    await approved.approve('s1.c0');
    await rejected.reject('s1.c0', { note: 'Leave it.' });

    const ends = await Promise.all([answered, approved, rejected].map((run) => expectDone(world, run)));
    expect(ends.map(({ events }) => resultsOf(events)['s1.c0'])).toEqual([
      { status: 'ok', content: expect.stringContaining('It did act.'), attempt: 1 },
      { status: 'ok', content: 'acted: s1.c0', attempt: 1 },
      { status: 'unknown_outcome', content: expect.stringContaining('Leave it.'), attempt: 1 },
    ]);
    const unknown = [{ callId: 's1.c0', tool: 'once_act' }];
    expect(ends.map(({ result }) => result.unknownOutcomes)).toEqual([[], [], unknown]);
    expect(runs.map((run) => begunOnce(world, run))).toEqual([1, 2, 1]);
    const keys = world.effects
      .of(approved.runId)
      .flatMap(({ tool, key }) => (tool === 'once_act' ? [key] : []));
    expect(new Set(keys).size).toBe(1);
    expect(lastToolMessage(await rejected.transcript())).toMatchObject({
      status: 'unknown_outcome',
      note: expect.stringContaining('Leave it.'),
    });
  },
  TEST_MS,
);

function start(world: KillWorld, goal: string): Promise<RunHandle> {
  return world.client.start({ goal }, { id: uniqueName('kill-tool') });
}

function begunOnce(world: KillWorld, run: RunHandle): number {
  return world.effects.begun(run.runId).filter((callId) => callId === 's1.c0').length;
}

function lastToolMessage(transcript: Awaited<ReturnType<RunHandle['transcript']>>): unknown {
  const message = transcript.filter((item) => item.role === 'tool').at(-1);
  return JSON.parse(message?.content ?? 'null');
}
