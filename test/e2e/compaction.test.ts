import { z } from 'zod';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { TranscriptItem } from '../../src/core/transcript.js';
import type { ChatRequest, Script } from '../../src/testing/stand-in/script.js';
import { textOf } from '../../src/testing/transcript-rules.js';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { openWorld, untilEvent, type World } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';
import { billedNanoUsd, billsOf } from './support/money-bill.js';

const COMPACTIONS = 30;
const GOAL = 'Dig for the chest. Tell me its colour, and the word I gave you: tulip.';
const WORDS = 'Leave the rose bed alone.';
const server = useTemporalServer();
/** What the model was shown, oldest first: purpose, characters, and whether goal and words were among it. */
const shown: { purpose: string; chars: number; hasGoal: boolean; hasWords: boolean }[] = [];
let world: World;

function look(request: ChatRequest, purpose: string): void {
  const texts = request.messages.map(textOf);
  shown.push({
    purpose,
    chars: texts.reduce((sum, text) => sum + text.length, 0),
    hasGoal: texts[1] === GOAL,
    hasWords: texts.some((text) => text.includes(WORDS)),
  });
}

const dig: Script = (request, { metadata }) => {
  const { longhaul_purpose: purpose = '', longhaul_step: step = '' } = metadata;
  look(request, purpose);
  if (purpose === 'compaction') return { text: `Up to hole ${step} there was no chest.` };
  const summed = shown.filter((one) => one.purpose === 'compaction').length;
  if (summed >= COMPACTIONS) return { text: 'The chest is blue: tulip.' };
  return { text: `Hole ${step}.`, toolCalls: [{ name: 'dig', args: { hole: Number(step) } }] };
};

beforeAll(async () => {
  world = await openWorld(server, {
    script: dig,
    tools: [
      defineTool({
        name: 'dig',
        description: 'Digs a hole.',
        effect: 'read',
        input: z.object({ hole: z.number() }),
        execute: ({ hole }) => `Hole ${hole}: ${'earth and stones, '.repeat(140)}no chest.`,
      }),
    ],
    env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: '150' },
  });
  await world.startWorker();
}, 60_000);

afterAll(() => world.close());

it('a run that is shortened thirty times over many executions keeps its goal and what it was told, and pays for what it asked', async () => {
  const run = await world.client.start({ goal: GOAL, tools: ['dig'], compactAtTokens: 4_000 });
  await untilEvent(run, 'model_completed', ({ step }) => step === 3);
  await run.say(WORDS, { mode: 'steer' });
  const result = await run.result();
  expect(result).toMatchObject({ outcome: 'done', answer: 'The chest is blue: tulip.', limitsReached: [] });
  const { events, temporalRunIds } = await expectFoldEqualsProgress(world.temporal, run.runId);
  expect(temporalRunIds.length).toBeGreaterThan(3);
  const shortened = events.flatMap((event) => (event.type === 'compacted' ? [event] : []));
  expect(shortened.map(({ by }) => by)).toEqual(Array(COMPACTIONS).fill('summary'));
  for (const { tokensBefore, tokensAfter } of shortened) expect(tokensAfter).toBeLessThan(tokensBefore);

  expect(shown.filter(({ hasGoal }) => !hasGoal)).toEqual([]);
  const told = shown.findIndex(({ hasWords }) => hasWords);
  expect(told).toBeLessThan(12);
  expect(shown.slice(told).filter(({ hasWords }) => !hasWords)).toEqual([]);
  expect(Math.max(...shown.map(({ chars }) => chars))).toBeLessThan(4_000 * 4);
  world.expectNoRefusals();

  const bills = billsOf(world.standIn, run.runId);
  expect(result.spend.costNanoUsd).toBe(billedNanoUsd(world.standIn, run.runId));
  const summaries = bills.filter(({ metadata }) => metadata['longhaul_purpose'] === 'compaction');
  expect(result.spend.byPurpose['compaction']).toMatchObject({
    calls: COMPACTIONS,
    costNanoUsd: summaries.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0),
  });

  const holes = (items: readonly TranscriptItem[]) =>
    items.flatMap((item) =>
      item.role === 'tool' ? [Number(/^Hole (\d+): earth/.exec(item.content)?.[1])] : [],
    );
  expect(holes(await run.transcript({ full: true }))).toEqual(
    Array.from({ length: result.steps - 1 }, (_, hole) => hole),
  );
  expect(holes(await run.transcript()).length).toBeLessThan(6);
}, 180_000);
