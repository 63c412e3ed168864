import { z } from 'zod';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import type { RunResult } from '../../src/core/progress.js';
import type { TranscriptItem } from '../../src/core/transcript.js';
import type { Wire } from '../../src/ports/model.js';
import { defaultModels } from '../../src/testing/stand-in/models.js';
import type { Reply, Script } from '../../src/testing/stand-in/script.js';
import { textOf } from '../../src/testing/transcript-rules.js';
import { openWorld, untilEvent, type World } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';
import { askedBy, expectExactBill } from './support/money-world.js';

const server = useTemporalServer();

const WIRES: readonly Wire[] = ['chat', 'responses'];
const PATHS: Readonly<Record<Wire, string>> = {
  chat: '/api/v1/chat/completions',
  responses: '/api/v1/responses',
};
const HATS = 'Count the hats too.';
const LONG = 'Looked at in pieces, 🐢 and 𝕬 included. ';

/** One answer after the other. Reasoning goes back in other words on each wire, so tokens are given, and not counted. */
const STEPS: readonly Reply[] = [
  {
    text: 'I look around.',
    reasoning: 'Left first, or right? Both at once.',
    toolCalls: [
      { id: 'call_left', name: 'look', args: { at: 'left', note: LONG.repeat(5) } },
      { id: 'call_right', name: 'look', args: { at: 'right' } },
      { id: 'call_broken', name: 'broken' },
      { id: 'call_none', name: 'no_such_tool', args: { at: 'x' } },
    ],
    chunkChars: 7,
  },
  {
    reasoning: 'One of these is not well-formed.',
    toolCalls: [
      { id: 'call_cut', name: 'look', rawArguments: '{at: left' },
      { id: 'call_list', name: 'look', rawArguments: '["left"]' },
      { id: 'call_wrong', name: 'look', args: { at: 5 } },
      { id: 'call_empty', name: 'rest', rawArguments: '' },
      { id: 'call_bill', name: 'bill', args: { to: 'ann', amountUsd: 120 } },
    ],
  },
  { text: 'Now the hats.', toolCalls: [{ id: 'call_hats', name: 'look', args: { at: 'the hats' } }] },
  { text: 'All is looked at.', reasoning: 'That was all.' },
  { text: `All is looked at, and there are 3 hats. ${LONG}` },
];

const script: Script = (request, { metadata, stepIndex }) => {
  const isReview = metadata['longhaul_purpose'] === 'review';
  const usage = { promptTokens: 1_000 + 100 * stepIndex, completionTokens: 50, cachedTokens: 10 * stepIndex };
  if (!isReview) return { usage, ...STEPS[stepIndex] };
  const knowsHats = request.messages.some((message) => textOf(message).includes('3 hats'));
  return { usage, text: knowsHats ? 'Nothing is missing.\n[DONE]' : '1. How many hats there are.' };
};

const tools = [
  defineTool({
    name: 'look',
    description: 'Looks.',
    effect: 'read',
    input: z.object({ at: z.string(), note: z.string().optional() }),
    execute: ({ at }) => `I see ${at}.`,
  }),
  defineTool({
    name: 'broken',
    description: 'Fails.',
    effect: 'read',
    input: z.object({}),
    execute: () => {
      throw new Error('It is dark.');
    },
  }),
  defineTool({
    name: 'rest',
    description: 'Rests.',
    effect: 'read',
    input: z.object({}),
    execute: () => 'Rested.',
  }),
  defineTool({
    name: 'bill',
    description: 'Bills.',
    effect: 'idempotent',
    approval: 'always',
    input: z.object({ to: z.string(), amountUsd: z.number() }),
    execute: ({ to, amountUsd }) => `Billed ${to} for ${amountUsd}.`,
  }),
];

let world: World;
beforeAll(async () => {
  world = await openWorld(server, { script, tools });
  await world.startWorker();
}, 60_000);
afterAll(() => world.close());

interface Life {
  run: RunHandle;
  result: RunResult;
  transcript: TranscriptItem[];
  /** Of events, what they are about. */
  story: string[];
}

/** A run in which a human says something while a call waits, and lets it run with other arguments. */
async function live(wire: Wire, model: string): Promise<Life> {
  const run = await world.client.start({
    goal: 'Look around and bill Ann.',
    wire,
    model,
    reasoning: { effort: 'low' },
    review: { rounds: 2 },
    limits: { maxCostUsd: 1 },
  });
  const { callId } = await untilEvent(run, 'decision_requested');
  await run.say(HATS);
  await run.approve(callId, { args: { to: 'ann', amountUsd: 95 } });
  const result = await expectExactBill(world, run);
  const story: string[] = [];
  for await (const { type, ...event } of run.events({ follow: false })) {
    const { callId: of = '', step = '' } = Object(event);
    story.push(`${type} ${step} ${of}`);
  }
  return { run, result, transcript: await run.transcript(), story };
}

const withoutReasoning = (transcript: readonly TranscriptItem[]): TranscriptItem[] =>
  transcript.map((item) => {
    if (item.role !== 'assistant') return item;
    const { reasoning: _sealed, model: _author, ...rest } = item;
    return rest;
  });

/** Which messages came with reasoning that will go back. */
const thoughtful = (transcript: readonly TranscriptItem[]): boolean[] =>
  transcript.flatMap((item) => (item.role === 'assistant' ? (item.reasoning ?? []).length > 0 : []));

it.each(defaultModels.slice(0, 4).map(({ id }) => id))(
  'a run is the same on both wires, with %s',
  async (model) => {
    const [chat, responses] = await Promise.all(WIRES.map((wire) => live(wire, model)));
    if (chat === undefined || responses === undefined) throw new Error('There are two wires.');

    expect(withoutReasoning(responses.transcript)).toEqual(withoutReasoning(chat.transcript));
    expect(thoughtful(responses.transcript)).toEqual(thoughtful(chat.transcript));
    expect({ ...responses.result, runId: '' }).toEqual({ ...chat.result, runId: '' });
    // Tools of one step end in any order.
    expect([...responses.story].sort()).toEqual([...chat.story].sort());

    // And it is the run that was meant.
    const { result, transcript } = chat;
    expect(result).toMatchObject({
      outcome: 'done',
      answer: STEPS[4]?.text,
      steps: STEPS.length,
      review: { rounds: 2, passed: true },
      spend: { promptTokens: 1_000 * 7 + 100 * (1 + 2 + 3 + 4), completionTokens: 50 * 7 },
    });
    const told = transcript.flatMap((item) => (item.role === 'tool' ? [[item.callId, item.content]] : []));
    expect(Object.fromEntries(told)).toMatchObject({
      call_left: 'I see left.',
      call_broken: expect.stringContaining('It is dark.'),
      call_none: expect.stringContaining('unknown_tool'),
      call_cut: expect.stringContaining('invalid_arguments'),
      call_list: expect.stringContaining('invalid_arguments'),
      call_wrong: expect.stringContaining('invalid_arguments'),
      call_empty: 'Rested.',
      call_bill: expect.stringContaining('Billed ann for 95.'),
      call_hats: 'I see the hats.',
    });
    expect(transcript).toContainEqual({ role: 'user', content: expect.stringContaining(HATS) });
    expect(thoughtful(transcript).slice(0, 2)).toEqual([true, true]);
    for (const [index, { run }] of [chat, responses].entries()) {
      const paths = askedBy(world, run).map(({ path }) => path);
      expect(new Set(paths)).toEqual(new Set([PATHS[WIRES[index] ?? 'chat']]));
    }
    world.expectNoRefusals();
  },
  60_000,
);
