import { scriptedSteps } from '../../src/testing/stand-in/script.js';
import { untilEvent } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { byGoal } from './support/goal-scripts.js';
import { billedNanoUsd, billsOf } from './support/money-bill.js';
import {
  askedBy,
  BYOK,
  COUNT,
  countForEver,
  expectExactBill,
  GATED,
  NANO,
  STUBBORN,
  UNPRICED,
  useMoneyWorlds,
} from './support/money-world.js';

const open = useMoneyWorlds(useTemporalServer());

const script = byGoal({
  count: countForEver,
  'count once': scriptedSteps([{ text: 'word '.repeat(100), toolCalls: [COUNT] }, { text: 'Counted.' }]),
  'ask first': scriptedSteps([{ text: 'word '.repeat(100), toolCalls: [GATED] }, { text: 'Sent.' }]),
});

describe('an account', () => {
  it('with too little credit for a long answer is asked once for a shorter one', async () => {
    // Enough for the prompts and some two thousand tokens.
    const world = await open({ script, standIn: { creditLimitNanoUsd: 0.006 * NANO } });
    const run = await world.client.start({ goal: 'count once', limits: { maxCostUsd: 1 } });
    expect(await expectExactBill(world, run)).toMatchObject({ outcome: 'done', answer: 'Counted.' });
    const asked = askedBy(world, run).map(({ status, maxTokens }) => ({ status, maxTokens }));
    const [refused, taken] = asked;
    expect(refused).toMatchObject({ status: 402 });
    expect(taken).toMatchObject({ status: 200 });
    expect(taken?.maxTokens).toBeLessThan(refused?.maxTokens ?? 0);
    expect(taken?.maxTokens).toBeGreaterThan(500);
  });

  it('without credit pauses the run, which goes on when it is resumed', async () => {
    let credit: 'little' | 'less' | 'enough' = 'little';
    const afford = { little: 300, less: 100 };
    const world = await open({
      script: (request) => {
        if (credit === 'enough') return { text: 'word '.repeat(400) };
        const message = `This request requires more credits, or fewer max_tokens. You requested up to ${request.max_tokens} tokens, but can only afford ${afford[credit]}.`;
        credit = 'less';
        return { fault: { kind: 'http', status: 402, body: { error: { code: 402, message } } } };
      },
    });
    const run = await world.client.start({ goal: 'Go.', limits: { maxCostUsd: 1 } });
    expect(await untilEvent(run, 'run_paused')).toMatchObject({ reason: 'payment' });
    expect(askedBy(world, run).map(({ status, maxTokens }) => [status, maxTokens])).toEqual([
      [402, 8_192],
      [402, 300],
    ]);
    expect((await run.progress()).spend).toMatchObject({
      costNanoUsd: 0,
      reservedNanoUsd: 0,
      estimatedNanoUsd: 0,
    });
    credit = 'enough';
    await run.resume();
    const result = await expectExactBill(world, run);
    // Who has paid since gets the whole answer.
    expect(result).toMatchObject({ outcome: 'done', answer: 'word '.repeat(400) });
  });

  it('whose key may spend less than the ceiling warns at the start', async () => {
    const world = await open({ script, standIn: { creditLimitNanoUsd: 0.5 * NANO } });
    const run = await world.client.start({ goal: 'count once', limits: { maxCostUsd: 1 } });
    const { warnings } = await untilEvent(run, 'run_started');
    expect(warnings).toEqual([expect.stringMatching(/0\.5 USD more.*ceiling of 1 USD/)]);
    await expectExactBill(world, run);
    const modest = await world.client.start({ goal: 'count once', limits: { maxCostUsd: 0.1 } });
    expect(await untilEvent(modest, 'run_started')).toMatchObject({ warnings: [] });
    await expectExactBill(world, modest);
  });
});

describe('a model', () => {
  it('without a price is refused under a ceiling, and says how to go on', async () => {
    const world = await open({ script });
    const run = await world.client.start({ goal: 'count once', model: UNPRICED, limits: { maxCostUsd: 1 } });
    const result = await run.result();
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'PRICE_UNKNOWN' }, steps: 0 });
    expect(result.error?.message).toMatch(/prices.*--unpriced estimate/);
    expect(askedBy(world, run)).toEqual([]);
  });

  it('without a price runs at an assumed one, which is held for it', async () => {
    const world = await open({ script });
    const run = await world.client.start({
      goal: 'ask first',
      model: UNPRICED,
      unpricedModels: 'estimate',
      limits: { maxCostUsd: 10 },
    });
    await untilEvent(run, 'decision_requested');
    await run.approve();
    expect(await run.result()).toMatchObject({ outcome: 'done', answer: 'Sent.' });
    const poor = await world.client.start({
      goal: 'count once',
      model: UNPRICED,
      unpricedModels: 'estimate',
      limits: { maxCostUsd: 0.01 },
    });
    expect(await poor.result()).toMatchObject({ outcome: 'limit', limit: 'cost', steps: 0 });
    expect(askedBy(world, poor)).toEqual([]);
  });

  it('that the own provider key pays is charged what the provider takes', async () => {
    const world = await open({ script });
    const run = await world.client.start({ goal: 'count', model: BYOK, limits: { maxCostUsd: 0.03 } });
    const result = await expectExactBill(world, run);
    expect(result).toMatchObject({ outcome: 'limit', limit: 'cost', answer: 'Landed.' });
    expect(result.spend.costNanoUsd).toBeGreaterThan(0);
    expect(billedNanoUsd(world.standIn, run.runId)).toBeLessThanOrEqual(0.03 * NANO);
  });

  it('that knows no way to forbid tools lands without being told of any', async () => {
    const world = await open({ script });
    const run = await world.client.start({ goal: 'count', model: STUBBORN, limits: { maxSteps: 2 } });
    const result = await expectExactBill(world, run);
    expect(result).toMatchObject({ outcome: 'limit', limit: 'steps', answer: 'Landed.', error: null });
    const landings = askedBy(world, run, 'landing').map(({ status, body }) => [
      status,
      'tools' in Object(body),
    ]);
    expect(landings).toEqual([
      [400, true],
      [200, false],
    ]);
  });
});

describe('a budget that runs share', () => {
  it('is drawn from, gets back what was not spent, and lands runs when it is empty', async () => {
    const world = await open({ script });
    const budget = uniqueName('team').slice(0, 40);
    const limitUsd = 0.1;
    await world.client.budgets.set(budget, { limitUsd });
    const start = (goal: string) => world.client.start({ goal, budget });
    const used = async () => (await world.client.budgets.show(budget)).usedNanoUsd;

    const first = await start('ask first');
    await untilEvent(first, 'decision_requested');
    const held = await world.client.budgets.show(budget);
    expect(held).toMatchObject({ openRuns: 1, grants: [{ runId: first.runId }] });
    expect(held.usedNanoUsd).toBeGreaterThan(billedNanoUsd(world.standIn, first.runId));
    await first.approve();
    expect(await expectExactBill(world, first)).toMatchObject({ outcome: 'done', answer: 'Sent.' });
    expect(await used()).toBe(billedNanoUsd(world.standIn, first.runId));

    const spenders = await Promise.all([start('count'), start('count'), start('count')]);
    for (const run of spenders)
      expect(await expectExactBill(world, run)).toMatchObject({ outcome: 'limit', limit: 'cost' });
    const billed = [first, ...spenders].reduce(
      (sum, { runId }) => sum + billedNanoUsd(world.standIn, runId),
      0,
    );
    expect(await world.client.budgets.show(budget)).toMatchObject({ usedNanoUsd: billed, openRuns: 0 });
    expect(billed).toBeLessThanOrEqual(limitUsd * NANO);
    expect(billed).toBeGreaterThan(limitUsd * NANO * 0.5);

    await world.client.budgets.set(budget, { limitUsd: billed / NANO });
    const late = await start('count');
    expect(await expectExactBill(world, late)).toMatchObject({ outcome: 'limit', limit: 'cost', steps: 0 });
    expect(billsOf(world.standIn, late.runId)).toEqual([]);
  });
});
