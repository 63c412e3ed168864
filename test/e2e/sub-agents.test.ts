import { useTemporalServer } from '../support/temporal-server.js';
import { byGoal } from './support/goal-scripts.js';
import { COUNT, useMoneyWorlds, MONEY_TOOLS } from './support/money-world.js';
import {
  agentOf,
  callThenTell,
  delegate,
  expectFamilyEnds,
  expectFamilyFolds,
  Holds,
  toolTexts,
  whenProgress,
} from './support/family.js';

const open = useMoneyWorlds(useTemporalServer());
const LIMITS = { maxCostUsd: 2 };

it('carries goals out in parallel; the answers come in by the order of the calls, the transcripts stay where they are, and all is paid by the run that delegates', async () => {
  const holds = new Holds();
  const names = ['a', 'b', 'c'];
  const world = await open({
    tools: [...MONEY_TOOLS, holds.tool],
    script: byGoal({
      Go: callThenTell(...names.map((name) => delegate(name))),
      ...Object.fromEntries(names.map((name) => [name, callThenTell(COUNT, holds.call(name))])),
    }),
  });
  const run = await world.client.start({ goal: 'Go', limits: LIMITS });
  const paths = names.map((_, index) => `s0.c${index}`);
  await Promise.all(names.map((name) => holds.begun(name)));
  const { agents, spend } = await run.progress();
  expect(agents).toMatchObject(
    names.map((goal, index) => ({ callId: `s0.c${index}`, runId: `${run.runId}/s0.c${index}`, goal })),
  );
  expect(spend.reservedNanoUsd).toBeGreaterThan(0);
  await expectFamilyFolds(world, run, paths);
  for (const name of ['c', 'a', 'b']) {
    holds.release(name);
    const { runId } = agentOf(world, run, paths[names.indexOf(name)] ?? '');
    await whenProgress(run, (progress) => progress.agents.every((agent) => agent.runId !== runId));
  }
  const { result, events } = await expectFamilyEnds(world, run, paths);
  const told = names.map((name) => `Told: 1\nheld by ${name}`);
  expect(result).toMatchObject({ outcome: 'done', answer: `Told: ${told.join('\n')}`, steps: 2 });
  const ended = events.flatMap((event) => (event.type === 'tool_completed' ? event.callId : []));
  expect(ended).toEqual(['s0.c2', 's0.c0', 's0.c1']);
  expect(toolTexts(await run.transcript())).toEqual(told);
  expect(result.spend.byPurpose).toMatchObject({ step: { calls: 2 }, child: { calls: 6 } });
});
