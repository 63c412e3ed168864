import { z } from 'zod';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import type { RunInput } from '../../src/core/run-input.js';
import type { JsonObject } from '../../src/core/json.js';
import type { Reply, Script } from '../../src/testing/stand-in/script.js';
import { textOf } from '../../src/testing/transcript-rules.js';
import { untilEvent, type World } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';
import { expectExactBill, MONEY_TOOLS, useMoneyWorlds } from './support/money-world.js';

const GAPS = '1. The year is missing.';
const open = useMoneyWorlds(useTemporalServer());

/** What the check finds. */
const inspect = defineTool({
  name: 'inspect',
  description: 'i',
  effect: 'read',
  input: z.object({ of: z.string() }),
  execute: ({ of }) => `${of}: 3 of 4 drawers are tidy`,
});

/** The agent counts once, then answers as many times as it is asked to. */
const agent = (answers: readonly string[]): Script => {
  return (request) => {
    const { messages } = request;
    const said = messages.filter(({ role, tool_calls }) => role === 'assistant' && !tool_calls).length;
    const text = answers[Math.min(said, answers.length - 1)] ?? '';
    const isFirst = !messages.some(({ role }) => role === 'tool');
    return isFirst && request.tool_choice !== 'none'
      ? { text: 'SECRET-THOUGHT', toolCalls: [{ name: 'count' }], reasoning: 'SECRET-REASONING' }
      : { text };
  };
};

/** What is asked of the reviewer, as one text. */
function reviewsOf(world: World): string[] {
  return world.standIn.requests
    .map(({ body }) => Object(body))
    .filter(({ metadata }) => metadata?.longhaul_purpose === 'review')
    .map(({ messages }) => messages.map(textOf).join('\n\n'));
}

interface Life {
  reviewer: (round: number) => Reply;
  answers?: string[];
  review?: RunInput['review'];
  input?: Partial<RunInput>;
}

/** A run with such a reviewer. */
async function start({ reviewer, answers = ['In May.', 'In May 1999.'], review = true, input }: Life) {
  const agentScript = agent(answers);
  let rounds = 0;
  const script: Script = (request, context) => {
    if (context.metadata['longhaul_purpose'] !== 'review') return agentScript(request, context);
    // A further attempt at the same request is no further round.
    if (context.attempt === 1) rounds += 1;
    return reviewer(rounds);
  };
  const world = await open({ script, tools: [...MONEY_TOOLS, inspect] });
  const run = await world.client.start({ goal: 'When was it?', limits: { maxCostUsd: 1 }, review, ...input });
  return { world, run };
}

/** How it ended: paid for to the nano-dollar, the same out of history as by its own word, and with nothing that a provider refuses. */
async function endOf({ world, run }: { world: World; run: RunHandle }) {
  const result = await expectExactBill(world, run);
  world.expectNoRefusals();
  expect(result.spend.byPurpose['review']?.costNanoUsd ?? 0).toBeLessThanOrEqual(250_000_000);
  return result;
}

describe('a reviewer', () => {
  it('that never says that it is done ends the run with what it still finds', async () => {
    const life = await start({ reviewer: (round) => ({ text: `${GAPS} (${round})` }) });
    const result = await endOf(life);
    expect(result).toMatchObject({
      outcome: 'done',
      answer: 'In May 1999.',
      review: { rounds: 3, passed: false, gaps: `${GAPS} (3)`, problem: null },
      spend: { byPurpose: { review: { calls: 3 } } },
    });
    const [brief = ''] = reviewsOf(life.world);
    expect(brief).toMatch(/When was it\?.*count \{\}\n-> 1.*In May\./s);
    expect(reviewsOf(life.world).join()).not.toMatch(/SECRET/);
  });

  it('that only mentions the word lets nothing pass', async () => {
    const life = await start({
      reviewer: () => ({ text: `${GAPS}\nThe answer is not [DONE]` }),
      review: { rounds: 1 },
    });
    expect(await endOf(life)).toMatchObject({ outcome: 'done', review: { rounds: 1, passed: false } });
  });

  it('that fails for ever leaves the answer, and says so', async () => {
    const life = await start({ reviewer: () => ({ fault: { kind: 'http', status: 503 } }) });
    const result = await endOf(life);
    expect(result).toMatchObject({
      outcome: 'done',
      answer: 'In May.',
      review: { rounds: 1, passed: false, gaps: null, problem: expect.stringMatching(/could not be asked/) },
    });
    expect(reviewsOf(life.world)).toHaveLength(3);
  });

  it('that is content once the answer was mended lets it count', async () => {
    const life = await start({
      reviewer: (round) => ({ text: round === 1 ? GAPS : 'All of it holds.\n[DONE]\n' }),
    });
    expect(await endOf(life)).toMatchObject({
      outcome: 'done',
      answer: 'In May 1999.',
      steps: 3,
      review: { rounds: 2, passed: true, gaps: 'All of it holds.', problem: null },
    });
    const [, second = ''] = reviewsOf(life.world);
    expect(second).toContain('In May 1999.');
    const transcripts = life.world.standIn.requests.map(({ body }) => JSON.stringify(body));
    expect(transcripts.some((text) => text.includes(`about your answer:\\n\\n${GAPS}`))).toBe(true);
  });

  it('may be another model, and is paid for under its name', async () => {
    const life = await start({
      reviewer: () => ({ text: '[DONE]' }),
      review: { model: 'stand-in/dear', rounds: 1, budgetShare: 1 },
      input: { limits: { maxCostUsd: 10 } },
    });
    const result = await expectExactBill(life.world, life.run);
    expect(result).toMatchObject({
      review: { passed: true },
      spend: { byModel: { 'stand-in/dear': { calls: 1 } } },
    });
  });

  it('that is too dear for its share is not asked', async () => {
    const life = await start({
      reviewer: () => ({ text: '[DONE]' }),
      review: { model: 'stand-in/dear' },
      input: { limits: { maxCostUsd: 0.1 } },
    });
    expect(await endOf(life)).toMatchObject({
      outcome: 'done',
      answer: 'In May.',
      review: { passed: false, problem: expect.stringMatching(/too little/i) },
    });
    expect(reviewsOf(life.world)).toEqual([]);
  });
});

it('gives the reviewer the results of checks as evidence', async () => {
  const life = await start({
    reviewer: () => ({ text: '[DONE]' }),
    review: { checks: [{ tool: 'inspect', args: { of: 'cellar' } }] },
    input: { tools: ['count'] },
  });
  expect(await untilEvent(life.run, 'tool_completed', ({ tool }) => tool === 'inspect')).toMatchObject({
    status: 'ok',
  });
  expect(await endOf(life)).toMatchObject({ outcome: 'done', review: { passed: true } });
  expect(reviewsOf(life.world)[0]).toMatch(/checks of this answer:.*cellar: 3 of 4 drawers are tidy/s);
});

describe('a disagreement', () => {
  const review = { rounds: 1, onDisagreement: 'ask' } as const;

  it('waits for a human, whose yes by signal ends the run with the answer', async () => {
    const life = await start({ reviewer: () => ({ text: GAPS }), review });
    const asked = await untilEvent(life.run, 'decision_requested');
    expect(asked).toMatchObject({ tool: 'accept_answer', reason: 'review', args: { gaps: GAPS } });
    expect(await life.run.progress()).toMatchObject({ status: 'waiting', review: { stage: 'human' } });
    const { callId, argsHash } = asked;
    const payload: JsonObject = { callId, argsHash, by: 'ann' };
    await life.world.temporal.workflow.getHandle(life.run.runId).signal('approve', payload);
    expect(await endOf(life)).toMatchObject({
      outcome: 'done',
      answer: 'In May.',
      review: { rounds: 1, passed: false, gaps: GAPS, problem: expect.stringMatching(/accepted/) },
    });
  });

  it('goes on with a human’s no, whose words the agent hears', async () => {
    const life = await start({
      reviewer: (round) => ({ text: round === 1 ? GAPS : '[DONE]' }),
      review,
    });
    const { callId } = await untilEvent(life.run, 'decision_requested');
    await life.run.reject(callId, { note: 'Look it up.' });
    expect(await endOf(life)).toMatchObject({ answer: 'In May 1999.', review: { rounds: 2, passed: true } });
    const heard = life.world.standIn.requests.map(({ body }) => JSON.stringify(body));
    expect(heard.some((text) => text.includes('and says: Look it up.'))).toBe(true);
  });
});

describe('an answer with a schema', () => {
  const schema = { type: 'object', properties: { year: { type: 'integer' } }, required: ['year'] };

  it('is asked for once more, then reviewed', async () => {
    const life = await start({
      reviewer: () => ({ text: '[DONE]' }),
      answers: ['In May 1999.', '```json\n{"year":1999}\n```'],
      input: { schema },
    });
    expect(await untilEvent(life.run, 'answer_refused')).toMatchObject({
      problem: expect.stringMatching(/no JSON/),
    });
    expect(await endOf(life)).toMatchObject({
      outcome: 'done',
      output: { year: 1999 },
      review: { passed: true },
    });
    const repair = life.world.standIn.requests
      .map(({ body }) => Object(body))
      .find(({ response_format }) => response_format !== undefined);
    expect(repair).toMatchObject({ tool_choice: 'none' });
  });

  it('that does not fit for the second time ends the run, with the answer as it was', async () => {
    const life = await start({
      reviewer: () => ({ text: '[DONE]' }),
      answers: ['In May.'],
      input: { schema },
    });
    expect(await endOf(life)).toMatchObject({
      outcome: 'failed',
      answer: 'In May.',
      output: null,
      review: null,
      error: { code: 'ANSWER_INVALID' },
    });
  });
});
