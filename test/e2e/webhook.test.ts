import { z } from 'zod';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import type { RunEvent } from '../../src/core/events.js';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { untilEvent, type World, type WorldOptions } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';
import { agentOf, callThenTell, delegate, expectFamilyEnds, whenProgress } from './support/family.js';
import { byGoal } from './support/goal-scripts.js';
import { COUNT, GATED, MONEY_TOOLS, useMoneyWorlds } from './support/money-world.js';
import { WebhookReceiver } from './support/webhook-receiver.js';

const open = useMoneyWorlds(useTemporalServer());
let receiver: WebhookReceiver;

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
});

afterEach(() => receiver.stop());

const openWith = (options: WorldOptions): Promise<World> =>
  open({ ...options, env: { ...receiver.env, ...options.env } });

/** Asks once more after a while, and denies in the end. */
const expiring = defineTool({
  name: 'expiring',
  description: 'e',
  remindInMs: 1_000,
  expiresInMs: 3_000,
  onExpiry: 'deny',
  input: z.object({}),
  execute: () => 'in time',
});

/** Holds what must be true of the history of any run: nothing of the address is shown, and it tells what the workflow says. */
async function eventsOf(world: World, run: RunHandle): Promise<RunEvent[]> {
  const { events } = await expectFoldEqualsProgress(world.temporal, run.runId);
  expect(JSON.stringify(events)).not.toContain('HUSH');
  return events;
}

it('is told, signed, of what waits for a human and of the end', async () => {
  const world = await openWith({
    script: callThenTell(GATED, { name: 'ask_human', args: { question: 'Who?' } }),
  });
  const run = await world.client.start({ goal: 'Go', webhookUrl: receiver.url });
  const [asked] = await receiver.until(1);
  expect(asked).toMatchObject({
    verified: true,
    forgeable: false,
    body: {
      type: 'decision_requested',
      runId: run.runId,
      goal: 'Go',
      status: 'waiting',
      pending: await run.pending(),
      result: null,
      isCut: false,
    },
  });
  expect(asked?.body.id).toBe(asked?.id);
  expect(asked?.body.commands['s0.c0']?.join('\n')).toContain(`approve ${run.runId} s0.c0`);
  expect(asked?.body.pending.map(({ callId }) => callId)).toEqual(['s0.c0', 's0.c1']);
  await run.approve('s0.c0');
  await run.answer('s0.c1', 'Me.');
  const result = await run.result();
  const [, ended, ...more] = await receiver.until(2);
  expect(more).toEqual([]);
  expect(ended).toMatchObject({
    verified: true,
    forgeable: false,
    body: { type: 'run_completed', pending: [], result },
  });
  expect(ended?.id).not.toBe(asked?.id);
  await eventsOf(world, run);
});

it('is reminded once of a decision that nobody makes', async () => {
  const world = await openWith({ script: callThenTell({ name: 'expiring' }), tools: [expiring] });
  const run = await world.client.start({ goal: 'Go', webhookUrl: receiver.url });
  expect(await run.result()).toMatchObject({ outcome: 'done', answer: expect.stringContaining('rejected') });
  const received = await receiver.until(3);
  expect(received.map(({ body }) => body.type)).toEqual([
    'decision_requested',
    'decision_reminder',
    'run_completed',
  ]);
  const [asked, reminded] = received;
  expect(reminded?.body.pending).toEqual(asked?.body.pending);
  expect(new Set(received.map(({ id }) => id)).size).toBe(3);
  const types = (await eventsOf(world, run)).map(({ type }) => type);
  expect(types.filter((type) => type === 'decision_reminder')).toHaveLength(1);
});

it('is reminded of what a sub-agent asks for by the run that was started', async () => {
  const world = await openWith({
    script: byGoal({
      Go: callThenTell(delegate('child')),
      child: callThenTell(delegate('grandchild')),
      grandchild: callThenTell({ name: 'expiring' }),
    }),
    tools: [expiring],
  });
  const run = await world.client.start({ goal: 'Go', webhookUrl: receiver.url, limits: { maxCostUsd: 1 } });
  expect(await run.result()).toMatchObject({ outcome: 'done', answer: expect.stringContaining('rejected') });
  const received = await receiver.until(3);
  const callId = 's0.c0/s0.c0/s0.c0';
  expect(received.map(({ body }) => [body.type, body.pending.map((item) => item.callId)])).toEqual([
    ['decision_requested', [callId]],
    ['decision_reminder', [callId]],
    ['run_completed', []],
  ]);
  const events = await eventsOf(world, run);
  expect(events.filter(({ type }) => type.startsWith('decision_'))).toMatchObject([
    { type: 'decision_requested', callId },
    { type: 'decision_reminder', callId },
    { type: 'decision_made', callId, decision: 'expired' },
  ]);
  await expectFamilyEnds(world, run, ['s0.c0', 's0.c0/s0.c0']);
});

it('gets a message again until it takes it, by the same id', async () => {
  receiver.failures = 2;
  const world = await openWith({ script: callThenTell(COUNT) });
  const run = await world.client.start({ goal: 'Go', webhookUrl: receiver.url });
  expect(await run.result()).toMatchObject({ outcome: 'done' });
  expect(receiver.failures).toBe(0);
  expect(receiver.received).toMatchObject([{ verified: true, body: { type: 'run_completed' } }]);
  expect((await eventsOf(world, run)).map(({ type }) => type)).not.toContain('webhook_failed');
});

it('may be down: the run takes decisions and ends all the same, with the failure on record', async () => {
  const world = await openWith({ script: callThenTell(GATED) });
  await receiver.stop();
  const run = await world.client.start({ goal: 'Go', webhookUrl: receiver.url });
  await untilEvent(run, 'decision_requested');
  await run.approve();
  const result = await run.result();
  expect(result).toMatchObject({ outcome: 'done', answer: 'Told: sent', error: null });
  const events = await eventsOf(world, run);
  expect(events.filter(({ type }) => type === 'webhook_failed')).toMatchObject([
    { notice: 'run_completed', code: 'WEBHOOK_FAILED', message: expect.stringContaining('127.0.0.1') },
  ]);
  expect(events.at(-1)?.type).toBe('run_completed');
  receiver = await WebhookReceiver.start();
}, 60_000);

it('that the worker may not call is not called, and that is on record at once', async () => {
  const world = await open({ script: callThenTell(GATED) });
  const run = await world.client.start({ goal: 'Go', webhookUrl: receiver.url });
  expect(await untilEvent(run, 'webhook_failed')).toMatchObject({ notice: 'decision_requested' });
  await run.reject();
  expect(await run.result()).toMatchObject({ outcome: 'done' });
  expect(receiver.received).toEqual([]);
  await eventsOf(world, run);
});

it('does not hold up a run that continues as new while it is down', async () => {
  const world = await openWith({
    script: (_request, { stepIndex }) =>
      stepIndex === 0
        ? { toolCalls: [GATED] }
        : stepIndex < 6
          ? { toolCalls: [COUNT] }
          : stepIndex === 6
            ? { toolCalls: [GATED] }
            : { text: 'Done.' },
    env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: '20' },
  });
  receiver.failures = 1;
  // Longer than this test may take.
  receiver.retryAfter = 120;
  const run = await world.client.start({ goal: 'Go', webhookUrl: receiver.url });
  await receiver.untilRefused();
  await run.approve();
  await untilEvent(run, 'decision_requested', ({ step }) => step === 6);
  const { temporalRunIds } = await expectFoldEqualsProgress(world.temporal, run.runId);
  expect(temporalRunIds.length).toBeGreaterThan(1);
  const [asked] = await receiver.until(1);
  expect(asked?.body).toMatchObject({ type: 'decision_requested', pending: [{ callId: 's6.c0' }] });
  await run.approve();
  expect(await run.result()).toMatchObject({ outcome: 'done' });
  await eventsOf(world, run);
}, 60_000);

it('hears of what a sub-agent asks from the run that was started, once', async () => {
  const world = await openWith({
    script: byGoal({
      Go: callThenTell(delegate('child'), GATED),
      child: callThenTell(GATED),
    }),
    tools: [...MONEY_TOOLS],
  });
  const run = await world.client.start({ goal: 'Go', webhookUrl: receiver.url, limits: { maxCostUsd: 1 } });
  await whenProgress(run, ({ pending }) => pending.length === 2);
  const asked = await receiver.until(2);
  const ids = asked.flatMap(({ body }) => body.pending.map(({ callId }) => callId));
  expect(ids.sort()).toEqual(['s0.c0/s0.c0', 's0.c1']);
  expect(new Set(asked.map(({ body }) => body.runId))).toEqual(new Set([run.runId]));
  const commands = asked.flatMap(({ body }) => body.commands['s0.c0/s0.c0'] ?? []).join('\n');
  expect(commands).toContain(`approve ${run.runId} s0.c0/s0.c0`);
  await expect(run.approve('s0.c0/s0.c0', { args: { no: 1 } })).resolves.toBeUndefined();
  await run.approve('s0.c1');
  await expectFamilyEnds(world, run, ['s0.c0']);
  expect((await receiver.until(3)).map(({ body }) => body.type)).toEqual([
    'decision_requested',
    'decision_requested',
    'run_completed',
  ]);
  const theirs = await eventsOf(world, agentOf(world, run, 's0.c0'));
  expect(theirs.map(({ type }) => type)).not.toContain('webhook_failed');
  await eventsOf(world, run);
});
