import { setTimeout as delay } from 'node:timers/promises';
import { SETTLE_PATIENCE_MS } from '../../src/core/behaviour.js';
import { Dice } from '../core/support/dice.js';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { useKillWorlds, type KillWorld } from './support/kill-world.js';
import { billedNanoUsd, billsOf, doubtsOf, settlingMs, storyOf, type Doubt } from './support/money-bill.js';
import {
  FaultLog,
  liveOnMoney,
  MONEY_ENV,
  moneyScript,
  randomInput,
  randomModels,
  type MoneyLife,
} from './support/money-life.js';

const open = useKillWorlds(useTemporalServer());
const LIVES = Number(process.env['LONGHAUL_MONEY_LIVES'] ?? 24);
const SEED = Number(process.env['LONGHAUL_MONEY_SEED'] ?? 2026);
const AT_ONCE = 12;
const WORKERS = 2;
/** Lives that may end in doubt, as a share of all. */
const MOST_IN_DOUBT = 0.4;

it(
  'bills no life more than its ceiling, and tells to the nano-dollar what it was billed, while workers die and the server fails',
  async () => {
    const dice = new Dice(SEED);
    const models = randomModels(dice);
    const faults = new FaultLog();
    const world = await open({ script: moneyScript(faults, SEED), standIn: { models }, env: MONEY_ENV });
    const { lives, kills } = await withDyingWorkers(world, dice, (started) =>
      inPool(LIVES, (index) => {
        const own = new Dice(SEED * 10_000 + index);
        return liveOnMoney(world, { id: `${started}-${index}`, input: randomInput(models, own), dice: own });
      }),
    );
    await world.standIn.idle();
    const problems: unknown[] = [];
    const bills = (
      await inPool(LIVES, async (index) => {
        const life = lives[index];
        if (life)
          return expectTrueBill(world, life, faults).catch((error: unknown) => void problems.push(error));
      })
    ).filter((bill) => bill !== undefined);
    const exact = bills.filter(({ doubts }) => doubts.length === 0);
    const inDoubt = bills.filter(({ estimatedNanoUsd }) => estimatedNanoUsd > 0);
    const cached = world.standIn.ledger.filter((entry) => entry.cached);
    if (process.env['LONGHAUL_MONEY_LIVES'])
      console.log(figures({ lives, bills, kills, faults: faults.total, cached: cached.length }));

    if (problems.length > 0) throw new Error(problems.join('\n\n'));
    world.expectNoRefusals();
    expect(inDoubt.length).toBeLessThanOrEqual(LIVES * MOST_IN_DOUBT);
    expect(exact.length).toBeGreaterThanOrEqual(LIVES * (1 - MOST_IN_DOUBT));
    expect(exact.filter(({ billed }) => billed > 0).length).toBeGreaterThan(0);
    expect(cached.every(({ costNanoUsd }) => costNanoUsd === 0)).toBe(true);
    expect(faults.total).toBeGreaterThan(LIVES / 2);
    expect(kills).toBeGreaterThan(0);
  },
  120_000 + LIVES * 10_000,
);

interface Bill {
  billed: number;
  estimatedNanoUsd: number;
  doubts: Doubt[];
  /** A human, or the end of patience, kept it from asking what its last calls cost. */
  isCutShort: boolean;
  executions: number;
}

/** Holds what a run says of its money against what the server was paid. */
async function expectTrueBill(world: KillWorld, life: MoneyLife, faults: FaultLog): Promise<Bill> {
  const { run, result, ceilingNanoUsd, isHurried } = life;
  const { temporalRunIds } = await expectFoldEqualsProgress(world.temporal, run.runId);
  const doubts = await doubtsOf(world.temporal, run.runId);
  const billed = billedNanoUsd(world.standIn, run.runId);
  const { costNanoUsd, estimatedNanoUsd, reservedNanoUsd, unknownCostCalls } = result.spend;
  const patienceMs = SETTLE_PATIENCE_MS[result.outcome === 'cancelled' ? 'cancelled' : 'usual'];
  const isCutShort = isHurried || (await settlingMs(world.temporal, run.runId)) >= patienceMs;
  const hung = doubts.filter((doubt) => doubt === 'failed').length;
  const rules: [string, boolean][] = [
    // Where money is left and an answer was cut off twice, that is how it ends.
    ['it did not fail', result.outcome !== 'failed' || result.error?.code === 'ANSWER_INVALID'],
    ['the bill is within the ceiling', billed <= (ceilingNanoUsd ?? Infinity)],
    ['nothing is held any more', reservedNanoUsd === 0 && unknownCostCalls === 0],
    ['what is confirmed was billed', costNanoUsd <= billed],
    ['what was billed is charged', billed <= costNanoUsd + estimatedNanoUsd],
    ['without estimates all is exact', estimatedNanoUsd > 0 || costNanoUsd === billed],
    ['without doubt there are no estimates', doubts.length > 0 || isCutShort || estimatedNanoUsd === 0],
    ['the server hung where it left doubt', hung <= faults.of(run.runId, 'hang-before-headers')],
  ];
  const broken = rules.flatMap(([rule, holds]) => (holds ? [] : [rule]));
  if (broken.length > 0) {
    const bills = billsOf(world.standIn, run.runId).map((bill) => JSON.stringify(bill));
    const story = await storyOf(world.temporal, run.runId);
    const money = { billed, ceilingNanoUsd, doubts, result };
    throw new Error(`Not so: ${broken.join(', ')}. ${JSON.stringify(money)}\n${bills.join('\n')}\n${story}`);
  }
  return { billed, estimatedNanoUsd, doubts, isCutShort, executions: temporalRunIds.length };
}

/** Lets `work` go on while one worker after the other is killed; the last ones stay alive. */
async function withDyingWorkers(
  world: KillWorld,
  dice: Dice,
  work: (started: string) => Promise<MoneyLife[]>,
): Promise<{ lives: MoneyLife[]; kills: number }> {
  const workers = await Promise.all(Array.from({ length: WORKERS }, () => world.startProcess()));
  const done = new AbortController();
  let kills = 0;
  const nemesis = async () => {
    for (;;) {
      await delay(2_000 + dice.roll(3_000), undefined, { signal: done.signal }).catch(() => undefined);
      if (done.signal.aborted) return;
      // Its heir takes up work before, so that lives go on.
      workers.push(await world.startProcess());
      await workers.shift()?.kill9();
      kills += 1;
    }
  };
  const killing = nemesis();
  try {
    return { lives: await work(uniqueName('money')), kills };
  } finally {
    done.abort();
    await killing;
  }
}

/** Does so many things, some at a time. */
async function inPool<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      results[index] = await work(index);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

function figures(seen: {
  lives: MoneyLife[];
  bills: Bill[];
  kills: number;
  faults: number;
  cached: number;
}): string {
  const { lives, bills, kills, faults, cached } = seen;
  const outcomes = lives.map(({ result }) => result.outcome);
  const count = (outcome: string) => outcomes.filter((one) => one === outcome).length;
  const doubts = bills.flatMap((bill) => bill.doubts);
  const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
  return [
    `${lives.length} lives: ${['done', 'limit', 'stopped', 'cancelled'].map((one) => `${count(one)} ${one}`).join(', ')}`,
    `billed ${(sum(bills.map(({ billed }) => billed)) / 1e9).toFixed(9)} USD`,
    `${bills.filter(({ estimatedNanoUsd }) => estimatedNanoUsd === 0).length} exact to the nano-dollar, ${bills.filter(({ estimatedNanoUsd }) => estimatedNanoUsd > 0).length} with an estimate (${(sum(bills.map(({ estimatedNanoUsd }) => estimatedNanoUsd)) / 1e9).toFixed(9)} USD)`,
    `attempts in doubt: ${['failed', 'timed_out', 'cancelled'].map((one) => `${doubts.filter((doubt) => doubt === one).length} ${one}`).join(', ')}; ${bills.filter((bill) => bill.isCutShort && bill.estimatedNanoUsd > 0).length} lives cut short`,
    `${kills} workers killed, ${faults} faults, ${cached} answers from the cache, ${sum(bills.map(({ executions }) => executions))} executions`,
  ].join('\n');
}
