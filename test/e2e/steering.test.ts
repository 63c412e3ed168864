import { z } from 'zod';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import type { Tool } from '../../src/ports/tools.js';
import type { Reply, Script } from '../../src/testing/stand-in/script.js';
import { textOf, type WireMessage } from '../../src/testing/transcript-rules.js';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import type { World } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { billsOf } from './support/money-bill.js';
import {
  askedBy,
  expectExactBill,
  MONEY_TOOLS,
  untilProgress,
  useMoneyWorlds,
} from './support/money-world.js';
import { WatchedRun } from './support/watched-run.js';

const open = useMoneyWorlds(useTemporalServer());
const LIMITS = { maxCostUsd: 5 };
const SLOW_TEXT = 'word '.repeat(2_000);

/** A tool that ends when the test lets it, and tells when it began. */
function heldTool(): { tool: Tool; begun: Promise<void>; release(): void } {
  let release: () => void = () => undefined;
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  const tool = defineTool({
    name: 'held',
    description: 'h',
    effect: 'read',
    input: z.object({}),
    execute: async () => {
      begin();
      await released;
      return 'held';
    },
  });
  return { tool, begun, release: () => release() };
}

/** Calls the held tool first, then answers. */
const holdThenAnswer: Script = (_request, { stepIndex }) =>
  stepIndex === 0 ? { toolCalls: [{ name: 'held' }] } : { text: `Answer ${stepIndex}.` };

/** Streams slowly until it is told something, then gives `reply`. */
const slowUntilTold =
  (reply: Reply): Script =>
  (request) =>
    request.messages.length > 2 ? reply : { text: SLOW_TEXT, chunkDelayMs: 30 };

/** What humans said after the goal, for each request. */
function heardBy(world: World, run: RunHandle): string[][] {
  return askedBy(world, run).map(({ body }) => {
    const messages: WireMessage[] = Object(body).messages;
    return messages.flatMap((message, index) =>
      message.role === 'user' && index > 1 ? textOf(message) : [],
    );
  });
}

/** Waits until the server has named the generation under way, and something of its text was shown. */
async function untilText(run: RunHandle): Promise<void> {
  const found = new AbortController();
  for await (const { type } of run.deltas(found.signal)) if (type === 'text_delta') found.abort();
}

describe('a message that interrupts an answer', () => {
  const answers: [string, Reply][] = [
    ['that streams for a while', { text: 'Now something else. '.repeat(30), chunkDelayMs: 40 }],
    ['that is there at once', { text: 'Now something else. '.repeat(30) }],
  ];

  it.each(answers)(
    'aborts it, is in the very next request, and revokes what was shown before an answer %s',
    async (_how, reply) => {
      const world = await open({ script: slowUntilTold(reply) });
      const run = await world.client.start({ goal: 'Go.', limits: LIMITS });
      const watched = new WatchedRun(run);
      await watched.until(({ type }) => type === 'text_delta');
      await run.say('Something else.', { mode: 'interrupt' });
      const result = await expectExactBill(world, run);
      await watched.ended;

      const [old, next, ...more] = billsOf(world.standIn, run.runId);
      expect([old?.cancelled, old?.completed, next?.completed, more]).toEqual([true, false, true, []]);
      expect(old?.completionTokens).toBeLessThan(2_500);
      expect(result).toMatchObject({ outcome: 'done', answer: reply.text, steps: 1 });
      expect(result.spend).toMatchObject({ lostModelCalls: 1, lostNanoUsd: old?.costNanoUsd });
      expect(heardBy(world, run)).toEqual([[], ['Something else.']]);
      world.expectNoRefusals();

      const types = watched.lines.map(({ type }) => type);
      const shownAt = types.indexOf('text_delta');
      const resetAt = types.lastIndexOf('step_reset');
      expect(shownAt).toBeGreaterThan(0);
      expect(resetAt).toBeGreaterThan(shownAt);
      expect(resetAt).toBeLessThan(types.indexOf('model_completed'));
      for (const [index, line] of watched.lines.entries())
        if (line.type === 'text_delta')
          expect((index < resetAt ? SLOW_TEXT : (reply.text ?? '')).startsWith(line.text, line.offset)).toBe(
            true,
          );
    },
    60_000,
  );

  it('is charged for it, never nothing, when the server never says what the aborted answer cost', async () => {
    const world = await open({
      script: slowUntilTold({ text: 'At once.' }),
      standIn: { generationMisses: Number.POSITIVE_INFINITY },
    });
    const run = await world.client.start({ goal: 'Go.', limits: LIMITS });
    await untilText(run);
    await run.say('Something else.', { mode: 'interrupt' });
    await untilProgress(run, ({ settling }) => settling);
    // Whoever cannot wait for the last costs says so.
    await run.cancel();
    const { outcome, spend } = await run.result();
    const [old, next] = billsOf(world.standIn, run.runId);
    expect([outcome, spend.costNanoUsd]).toEqual(['done', next?.costNanoUsd]);
    expect(old?.costNanoUsd).toBeGreaterThan(0);
    expect(spend.estimatedNanoUsd).toBeGreaterThanOrEqual(old?.costNanoUsd ?? 0);
  });

  it('may come again and again: each is heard once and in order, and every aborted answer is paid as billed', async () => {
    const words = Array.from({ length: 12 }, (_, index) => `Word ${index}.`);
    const last = words.at(-1) ?? '';
    const world = await open({
      script: (request) =>
        request.messages.some((message) => textOf(message) === last)
          ? { text: 'Heard all.' }
          : { text: SLOW_TEXT, chunkDelayMs: 30 },
    });
    const run = await world.client.start({ goal: 'Go.', limits: LIMITS });
    await untilText(run);
    for (const [index, word] of words.entries()) {
      await run.say(word, { mode: 'interrupt', messageId: `id-${index}` });
      // Some at once, some in the middle of the next answer.
      if (index % 4 === 1) await untilText(run);
    }
    const result = await expectExactBill(world, run);
    expect(result).toMatchObject({ outcome: 'done', answer: 'Heard all.', steps: 1 });
    expect(heardBy(world, run).at(-1)).toEqual(words);
    world.expectNoRefusals();
  }, 60_000);
});

describe('messages while a tool runs', () => {
  it('reach the model by their mode: steering ones with the next request, queued ones when it would have ended; each kind in order', async () => {
    const held = heldTool();
    const world = await open({ script: holdThenAnswer, tools: [held.tool] });
    const run = await world.client.start({ goal: 'Go.', limits: LIMITS });
    await held.begun;
    const said = [
      ['q1', 'queue'],
      ['s1', 'steer'],
      ['i1', 'interrupt'],
      ['q2', 'queue'],
      ['s2', 'steer'],
    ] as const;
    const handle = world.temporal.workflow.getHandle(run.runId);
    for (const [text, mode] of said) {
      if (text.endsWith('1')) await run.say(text, { mode });
      else await handle.signal('say', { text, mode });
    }
    await untilProgress(run, ({ queuedMessages }) => queuedMessages === said.length);
    held.release();
    const result = await expectExactBill(world, run);
    expect(result).toMatchObject({ outcome: 'done', answer: 'Answer 2.', steps: 3 });
    expect(result.spend.lostModelCalls).toBe(0);
    expect(heardBy(world, run)).toEqual([[], ['s1', 'i1', 's2'], ['s1', 'i1', 's2', 'q1', 'q2']]);
    world.expectNoRefusals();
  });

  it('are kept over continue-as-new, and so is which of them were heard', async () => {
    const held = heldTool();
    const world = await open({
      script: (_request, { stepIndex }) =>
        stepIndex < 9
          ? { toolCalls: [{ name: stepIndex === 8 ? 'held' : 'count' }] }
          : { text: `Answer ${stepIndex}.` },
      tools: [...MONEY_TOOLS, held.tool],
      env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: '20' },
    });
    const run = await world.client.start({ goal: 'Go.', limits: LIMITS }, { id: uniqueName('steer-can') });
    const sayBoth = async () => {
      await run.say('And then?', { mode: 'queue', messageId: 'then' });
      await run.say('Look closely.', { messageId: 'look' });
    };
    await sayBoth();
    await held.begun;
    await sayBoth();
    held.release();
    const result = await expectExactBill(world, run);
    expect(result).toMatchObject({ outcome: 'done', answer: 'Answer 10.', steps: 11 });
    expect(heardBy(world, run).slice(-2)).toEqual([['Look closely.'], ['Look closely.', 'And then?']]);
    const { temporalRunIds } = await expectFoldEqualsProgress(world.temporal, run.runId);
    expect(temporalRunIds.length).toBeGreaterThan(2);
    world.expectNoRefusals();
  });

  it('are all heard, once each and in order, though they come all the while that the run continues as new', async () => {
    const END = 'That is all.';
    const world = await open({
      script: (request) =>
        request.messages.some((message) => textOf(message) === END)
          ? { text: 'Heard.' }
          : { toolCalls: [{ name: 'count' }] },
      env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: '15' },
    });
    const run = await world.client.start({ goal: 'Go.', limits: LIMITS }, { id: uniqueName('steer-many') });
    const lines = ['a', 'b', 'c'];
    const sayAll = async (line: string) => {
      for (let n = 0; n < 12; n += 1) {
        const messageId = `${line}-${n}`;
        const mode = (['steer', 'interrupt'] as const)[n % 2] ?? 'steer';
        await run.say(messageId, { mode, messageId });
        if (n % 5 === 0) await run.say('the same again', { mode, messageId });
      }
    };
    await Promise.all(lines.map(sayAll));
    await run.say(END);
    const result = await expectExactBill(world, run);
    expect(result).toMatchObject({ outcome: 'done', answer: 'Heard.' });
    const heard = heardBy(world, run).at(-1) ?? [];
    expect(heard).toHaveLength(lines.length * 12 + 1);
    for (const line of lines)
      expect(heard.filter((text) => text.startsWith(`${line}-`))).toEqual(
        Array.from({ length: 12 }, (_, n) => `${line}-${n}`),
      );
    const { temporalRunIds } = await expectFoldEqualsProgress(world.temporal, run.runId);
    expect(temporalRunIds.length).toBeGreaterThan(3);
    world.expectNoRefusals();
  }, 60_000);
});

describe('a message', () => {
  it('is acknowledged with its id and its place; sent again under that id it is the same message, in the same place', async () => {
    const held = heldTool();
    const world = await open({ script: holdThenAnswer, tools: [held.tool] });
    const run = await world.client.start({ goal: 'Go.', limits: LIMITS });
    await held.begun;
    const handle = world.temporal.workflow.getHandle(run.runId);
    const say = (payload: object) => handle.executeUpdate('say', { args: [payload] });
    const first = await say({ text: 'First.', messageId: 'id-1' });
    const second = await say({ text: 'Second.', mode: 'queue' });
    const again = await say({ text: 'First.', messageId: 'id-1' });
    held.release();
    await expectExactBill(world, run);
    const events = await acceptedOf(run);
    expect(events.map(({ messageId, position }) => [messageId, position])).toEqual([
      ['id-1', 0],
      [expect.any(String), 1],
    ]);
    expect(heardBy(world, run).at(-1)).toEqual(['First.', 'Second.']);
    const taken = { accepted: true, messageId: 'id-1', position: 0 };
    expect([first, again]).toEqual([taken, { ...taken, repeated: true }]);
    expect(second).toEqual({ accepted: true, messageId: events[1]?.messageId, position: 1 });
  });
});

async function acceptedOf(run: RunHandle) {
  const accepted = [];
  for await (const event of run.events({ follow: false }))
    if (event.type === 'message_accepted') accepted.push(event);
  return accepted;
}
