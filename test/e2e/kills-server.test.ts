import type { RunHandle } from '../../src/client/run-handle.js';
import type { Reply, Script } from '../../src/testing/stand-in/script.js';
import { textOf } from '../../src/testing/transcript-rules.js';
import { untilEvent } from '../support/run-support.js';
import { uniqueName, useOwnTemporalServer } from '../support/temporal-server.js';
import { expectDone, requestsOf, resultsOf, useKillWorlds } from './support/kill-world.js';

const server = useOwnTemporalServer();
const open = useKillWorlds(server);
const TEXT = Array.from({ length: 150 }, (_, index) => `word-${index}`).join(' ');

/** What each run does first; the last does it all the time that the server is away. */
const FIRST: Record<string, Reply> = {
  stream: { text: TEXT, chunkDelayMs: 75 },
  tool: { toolCalls: [{ name: 'once_act', args: { ms: 5_000 } }] },
  decision: { toolCalls: [{ name: 'idempotent_act' }] },
};
const script: Script = (request, { stepIndex }) => {
  const goal = request.messages.map(textOf).find((text) => text in FIRST) ?? '';
  return (stepIndex === 0 ? FIRST[goal] : undefined) ?? { text: 'Done.' };
};

it('goes on where it was when the Temporal server is killed and started again', async () => {
  // Longer than the server is away: the worker is alive, so nothing is to be taken from it.
  const world = await open({ script, env: { LONGHAUL_HEARTBEAT_TIMEOUT_MS: '30000' } });
  const worker = await world.startProcess();
  const start = (goal: string, requireApproval: 'always' | 'never'): Promise<RunHandle> =>
    world.client.start({ goal, requireApproval }, { id: uniqueName(goal) });
  const [stream, tool, decision] = await Promise.all([
    start('stream', 'never'),
    start('tool', 'never'),
    start('decision', 'always'),
  ]);
  await Promise.all([
    untilText(stream),
    world.effects.untilBegun(tool.runId, 's0.c0'),
    untilEvent(decision, 'decision_requested'),
  ]);
  await server.restart();

  expect(await decision.pending()).toMatchObject([{ kind: 'decision', callId: 's0.c0' }]);
  await decision.approve('s0.c0');
  const streamed = await expectDone(world, stream);
  const acted = await expectDone(world, tool);
  const decided = await expectDone(world, decision);
  expect(worker.isAlive()).toBe(true);
  expect(streamed.result).toMatchObject({ answer: TEXT, steps: 1 });
  expect(requestsOf(world, stream, 0)).toHaveLength(1);
  for (const [run, { events, result }] of [
    [tool, acted],
    [decision, decided],
  ] as const) {
    expect(resultsOf(events)).toEqual({ 's0.c0': { status: 'ok', content: 'acted: s0.c0', attempt: 1 } });
    expect(world.effects.of(run.runId).map(({ kind }) => kind)).toEqual(['begin', 'end']);
    expect(requestsOf(world, run, 0)).toHaveLength(1);
    expect(result.unknownOutcomes).toEqual([]);
  }
}, 90_000);

async function untilText(run: RunHandle): Promise<void> {
  const seen = new AbortController();
  for await (const delta of run.deltas(seen.signal)) if (delta.type === 'text_delta') seen.abort();
}
