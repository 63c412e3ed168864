import type { RunHandle } from '../../src/client/run-handle.js';
import type { Script } from '../../src/testing/stand-in/script.js';
import { textOf, type WireMessage } from '../../src/testing/transcript-rules.js';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { untilEvent, type World, type WorldOptions } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';
import { delegate, Holds } from './support/family.js';
import { byGoal } from './support/goal-scripts.js';
import {
  askedBy,
  COUNT,
  expectExactBill,
  GATED,
  MONEY_TOOLS,
  useMoneyWorlds,
} from './support/money-world.js';

const open = useMoneyWorlds(useTemporalServer());
const LIMITS = { maxCostUsd: 1 };
const DAY_MS = 86_400_000;

/** Counts once for each message, then says all that was said to it. */
const listens: Script = (request) => {
  const { messages } = request;
  const said = messages.filter(({ role }) => role === 'user').map(textOf);
  if (request.tool_choice === 'none') return { text: `Landed after ${said.length}.` };
  return messages.at(-1)?.role === 'user' ? { toolCalls: [COUNT] } : { text: `Heard ${said.join(', ')}.` };
};

async function start(options: { session?: true | { idleMs: number }; world?: Partial<WorldOptions> } = {}) {
  const { session = true, world: more } = options;
  const world = await open({ script: listens, ...more }, 'none');
  const worker = await world.startWorker();
  const run = await world.client.start({ goal: 'one', session, limits: LIMITS });
  return { world, worker, run };
}

/** Waits until the session has answered for the n-th time, from 1. */
async function untilTurn(run: RunHandle, n: number): Promise<string> {
  let turns = 0;
  const { answer } = await untilEvent(run, 'turn_completed', () => (turns += 1) === n);
  return answer;
}

const sequence = async (run: RunHandle) => {
  const types: string[] = [];
  for await (const { type } of run.events({ follow: false })) types.push(type);
  return types;
};

describe('a session', () => {
  it('answers, waits, and goes on with all that was said before; its cost is counted over all turns', async () => {
    const { world, run } = await start();
    expect(await untilTurn(run, 1)).toBe('Heard one.');
    const waiting = await run.progress();
    expect(waiting).toMatchObject({ status: 'waiting', result: null, step: 1, pending: [] });
    const { since = '', until = '', answer } = waiting.idle ?? {};
    expect(answer).toBe('Heard one.');
    expect(Date.parse(until) - Date.parse(since)).toBe(DAY_MS);
    await expectFoldEqualsProgress(world.temporal, run.runId);

    await run.say('two', { mode: 'queue', by: 'ann' });
    expect(await untilTurn(run, 2)).toBe('Heard one, two.');
    await world.temporal.workflow.getHandle(run.runId).signal('say', { text: 'three', mode: 'interrupt' });
    expect(await untilTurn(run, 3)).toBe('Heard one, two, three.');
    expect(await run.progress()).toMatchObject({ status: 'waiting', spend: { modelCalls: 6 } });
    await run.stop();
    const result = await expectExactBill(world, run);
    expect(result).toMatchObject({
      outcome: 'stopped',
      answer: 'Heard one, two, three.',
      steps: 6,
      spend: { modelCalls: 6 },
    });
    const conversation = rolesOf(askedBy(world, run).at(-1)?.body);
    const turn = ['user', 'assistant', 'tool', 'assistant'];
    expect(conversation).toEqual(['system', ...turn, ...turn, ...turn.slice(0, 3)]);
    world.expectNoRefusals();
  });

  it('goes on over a worker that was away, and takes what was said meanwhile', async () => {
    const { world, worker, run } = await start();
    await untilTurn(run, 1);
    await worker.stop();
    await world.temporal.workflow.getHandle(run.runId).signal('say', { text: 'two' });
    await expect(run.progress()).resolves.toMatchObject({ status: 'waiting' });
    await world.startWorker();
    expect(await untilTurn(run, 2)).toBe('Heard one, two.');
    await run.stop();
    await expectExactBill(world, run);
  });

  it('goes on over continue-as-new, while it works and while it waits', async () => {
    const { world, run } = await start({ world: { env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: '12' } } });
    const said = ['one'];
    for (let turn = 1; turn <= 4; turn += 1) {
      expect(await untilTurn(run, turn)).toBe(`Heard ${said.join(', ')}.`);
      const { idle } = await run.progress();
      expect(idle?.answer).toBe(`Heard ${said.join(', ')}.`);
      said.push(`word ${turn}`);
      await run.say(`word ${turn}`);
    }
    await untilTurn(run, 5);
    await run.stop();
    const result = await expectExactBill(world, run);
    expect(result).toMatchObject({ answer: `Heard ${said.join(', ')}.`, steps: 10 });
    const { temporalRunIds, events } = await expectFoldEqualsProgress(world.temporal, run.runId);
    expect(temporalRunIds.length).toBeGreaterThan(4);
    expect(events.filter(({ type }) => type === 'turn_completed')).toHaveLength(5);
  }, 60_000);

  it('takes what is said while it works into the same turn', async () => {
    const holds = new Holds();
    const script: Script = (request, context) =>
      request.messages.length === 2 ? { toolCalls: [holds.call('test')] } : listens(request, context);
    const { world, run } = await start({ world: { script, tools: [...MONEY_TOOLS, holds.tool] } });
    await holds.begun('test');
    await run.say('two');
    holds.release('test');
    expect(await untilTurn(run, 1)).toBe('Heard one, two.');
    await run.stop();
    await expectExactBill(world, run);
  });

  it('can have a decision made in any turn', async () => {
    const { world, run } = await start({
      world: {
        script: (request) =>
          request.messages.at(-1)?.role === 'user' && request.messages.length > 2
            ? { toolCalls: [GATED] }
            : { text: textOf(request.messages.at(-1) ?? { role: 'user', content: '' }) },
      },
    });
    expect(await untilTurn(run, 1)).toBe('one');
    await run.say('two');
    await untilEvent(run, 'decision_requested');
    await run.approve();
    expect(await untilTurn(run, 2)).toBe('sent');
    await run.stop();
    await expectExactBill(world, run);
  });

  it('has sub-agents that are none', async () => {
    const { world, run } = await start({
      world: {
        script: byGoal({
          one: (_request, { stepIndex }) =>
            stepIndex === 0 ? { toolCalls: [delegate('child')] } : { text: 'Answer.' },
          child: () => ({ text: 'Child.' }),
        }),
      },
    });
    expect(await untilTurn(run, 1)).toBe('Answer.');
    expect(await world.client.run(`${run.runId}/s0.c0`).result()).toMatchObject({ outcome: 'done' });
    await run.stop();
    await run.result();
  });
});

describe('a session to which nobody says anything', () => {
  it('is done with its last answer when its time is over', async () => {
    const { world, run } = await start({ session: { idleMs: 4_000 } });
    await untilTurn(run, 1);
    await run.say('two');
    const result = await expectExactBill(world, run);
    expect(result).toMatchObject({ outcome: 'done', limit: null, answer: 'Heard one, two.', steps: 4 });
    await expect(run.say('three')).rejects.toMatchObject({ code: 'RUN_CLOSED' });
  });

  it.each(['signal', 'update'] as const)(
    'is done though no worker was there when its time was over, and refuses the %s that came too late',
    async (how) => {
      const { world, worker, run } = await start({ session: { idleMs: 5_000 } });
      await untilTurn(run, 1);
      await worker.stop();
      // What the server has seen only after the time was over comes with the timer, in one workflow task.
      await untilFired(world, run);
      const refused =
        how === 'update'
          ? expect(run.say('two')).rejects.toMatchObject({ code: 'RUN_CLOSED' })
          : world.temporal.workflow.getHandle(run.runId).signal('say', { text: 'two' });
      await world.startWorker();
      await refused;
      const result = await expectExactBill(world, run);
      expect(result).toMatchObject({ outcome: 'done', answer: 'Heard one.', steps: 2 });
      const types = await sequence(run);
      expect(types).toContain('control_rejected');
      expect(types).not.toContain('message_accepted');
    },
  );
});

describe('a session that waits', () => {
  it('is cancelled at once', async () => {
    const { world, run } = await start();
    await untilTurn(run, 1);
    await run.cancel();
    const result = await expectExactBill(world, run);
    expect(result.outcome).toBe('cancelled');
    expect(result.answer).toContain('Heard one.');
  });

  it('ends when a ceiling is put below what it has used, with its answer', async () => {
    const { world, run } = await start();
    await untilTurn(run, 1);
    await run.setLimits({ maxSteps: 2 });
    const result = await expectExactBill(world, run);
    expect(result).toMatchObject({ outcome: 'limit', limit: 'steps', answer: 'Heard one.', steps: 2 });
  });

  it('ends at its time limit, with its answer', async () => {
    const { world, run } = await start();
    await untilTurn(run, 1);
    const { startedAt } = await run.progress();
    await run.setLimits({ maxDurationMs: Date.now() - Date.parse(startedAt) + 700 });
    const result = await expectExactBill(world, run);
    expect(result).toMatchObject({ outcome: 'limit', limit: 'duration', answer: 'Heard one.' });
  });

  it('answers the message by which it reaches a ceiling in its closing answer', async () => {
    const { world, run } = await start();
    await untilTurn(run, 1);
    await run.setLimits({ maxSteps: 3 });
    await run.say('two');
    const result = await expectExactBill(world, run);
    expect(result).toMatchObject({ outcome: 'limit', limit: 'steps', steps: 3 });
    expect(result.answer).toMatch(/^Landed after/);
  });

  it('keeps what is said to it while it is paused', async () => {
    const { world, run } = await start();
    await untilTurn(run, 1);
    await run.pause();
    await run.say('two');
    expect(await run.progress()).toMatchObject({ status: 'paused', queuedMessages: 1 });
    await run.resume();
    expect(await untilTurn(run, 2)).toBe('Heard one, two.');
    await run.stop();
    await expectExactBill(world, run);
  });
});

it('a run that is no session ends with its answer', async () => {
  const world = await open({ script: listens });
  const run = await world.client.start({ goal: 'one', session: false, limits: LIMITS });
  expect(await run.result()).toMatchObject({ outcome: 'done', answer: 'Heard one.' });
});

function rolesOf(body: unknown): string[] {
  const messages: WireMessage[] = Object(body).messages;
  return messages.map(({ role }) => role);
}

/** Waits until the server has put on record that a timer fired. */
async function untilFired(world: World, run: RunHandle): Promise<void> {
  const handle = world.temporal.workflow.getHandle(run.runId);
  const hasFired = async () =>
    (await handle.fetchHistory()).events?.some((event) => event.timerFiredEventAttributes) === true;
  while (!(await hasFired()));
}
