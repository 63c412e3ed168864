import fc from 'fast-check';
import { listNanoUsd, worstCaseNanoUsd } from '../../../src/core/money/price.js';
import { somePrice } from '../support/billing-setup.js';
import { Dice } from '../support/dice.js';
import { BillingWorld, type Life, type Report } from '../support/billing-world.js';

/** How many lives the books are held against. */
const LIVES = Number(process.env['LONGHAUL_PROPERTY_RUNS'] ?? 2_000);
jest.setTimeout(Math.max(120_000, LIVES * 100));

const number = fc.noShrink(fc.integer({ min: 0, max: 0x7fffffff }));

const lives: fc.Arbitrary<Life> = fc.record({
  setup: number,
  moves: fc.array(number, { maxLength: 60, size: 'max' }),
  ending: number,
});

const reports: Report[] = [];

function live(life: Life): Report {
  return new BillingWorld(life).finish().report();
}

function passes(check: (report: Report) => void, report: Report): boolean {
  try {
    check(report);
    return true;
  } catch {
    return false;
  }
}

/** Holds `check` against all lives; one that does not pass is shrunk and shown. */
function holds(check: (report: Report) => void): void {
  if (reports.length === 0) reports.push(...fc.sample(lives, { numRuns: LIVES }).map(live));
  const failed = reports.filter((report) => !passes(check, report));
  if (failed.length === 0) return;
  fc.assert(
    fc.property(lives, (life) => check(live(life))),
    { numRuns: LIVES },
  );
  // The life as it was drawn, if another draw does not show it.
  throw new Error(`${failed.length} of ${LIVES} fail: ${JSON.stringify(failed[0]?.life)}`);
}

const sumOf = (amounts: readonly number[]): number => amounts.reduce((sum, amount) => sum + amount, 0);

const billOf = ({ generation }: Report['attempts'][number]): number => generation?.billNanoUsd ?? 0;

/** What the ledger must say at the end, from what the run was told of each attempt. */
function expectedOf({ attempts, resolved }: Report) {
  const expected = { confirmed: 0, estimated: 0, unknown: 0, inDoubt: 0 };
  for (const attempt of attempts) {
    const isResolved = attempt.generation !== null && resolved.has(attempt.generation.id);
    if (attempt.told === 'free') continue;
    if (attempt.told === 'exact' || isResolved) expected.confirmed += billOf(attempt);
    else {
      expected.inDoubt += 1;
      expected.estimated += attempt.chargedNanoUsd ?? 0;
      if (attempt.chargedNanoUsd === null) expected.unknown += 1;
    }
  }
  return expected;
}

describe('the money of a run, held against the books of the server', () => {
  it('is not overspent: with each call, the bills so far stay within the ceiling at which it was started', () => {
    holds(({ attempts, pricesKnown }) => {
      if (!pricesKnown) return;
      let billed = 0;
      for (const attempt of attempts) {
        billed += billOf(attempt);
        if (attempt.ceilingNanoUsd !== null) expect(billed).toBeLessThanOrEqual(attempt.ceilingNanoUsd);
      }
    });
  });

  it('holds each call back with no less than it comes to cost', () => {
    holds(({ attempts, pricesKnown }) => {
      if (!pricesKnown) return;
      for (const attempt of attempts)
        if (attempt.reservedNanoUsd !== null)
          expect(billOf(attempt)).toBeLessThanOrEqual(attempt.reservedNanoUsd);
    });
  });

  it('is never less on record than on the bill', () => {
    holds(({ unseen, pricesKnown }) => {
      if (pricesKnown) expect(unseen).toBeNull();
    });
  });

  it('is the bill to the nano-dollar in the end, but for calls of which nobody could say what they cost', () => {
    holds((report) => {
      const { result, ambiguous } = report;
      if (!result) return;
      const { costNanoUsd, estimatedNanoUsd, unknownCostCalls } = result.spend;
      const { confirmed, estimated, unknown, inDoubt } = expectedOf(report);
      expect(costNanoUsd).toBe(confirmed);
      expect(unknownCostCalls).toBe(unknown);
      if (ambiguous) expect(estimatedNanoUsd).toBeGreaterThanOrEqual(estimated);
      else expect(estimatedNanoUsd).toBe(estimated);
      if (inDoubt === 0)
        expect({ costNanoUsd, estimatedNanoUsd }).toEqual({
          costNanoUsd: report.billedNanoUsd,
          estimatedNanoUsd: 0,
        });
      else if (report.pricesKnown && unknown === 0)
        expect(costNanoUsd + estimatedNanoUsd).toBeGreaterThanOrEqual(report.billedNanoUsd);
    });
  });

  it('is not charged beyond the ceiling, unless the ceiling was lowered', () => {
    holds(({ overCeiling, pricesKnown }) => {
      if (pricesKnown) expect(overCeiling).toBeNull();
    });
  });

  it('ends with an answer, and with nothing held back', () => {
    holds(({ result, finalNanoUsd }) => {
      expect(result?.answer.trim()).toBeTruthy();
      expect(finalNanoUsd.reserved).toBe(0);
      expect(result?.spend.reservedNanoUsd).toBe(0);
    });
  });

  it('is the same by purpose, by model and in all', () => {
    holds(({ result, answers, lostCalls }) => {
      const spend = result?.spend;
      if (!spend) return;
      for (const accounts of [spend.byPurpose, spend.byModel].map((all) => Object.values(all))) {
        expect(sumOf(accounts.map(({ costNanoUsd }) => costNanoUsd))).toBe(spend.costNanoUsd);
        expect(sumOf(accounts.map(({ estimatedNanoUsd }) => estimatedNanoUsd))).toBe(spend.estimatedNanoUsd);
        expect(sumOf(accounts.map(({ calls }) => calls))).toBe(spend.modelCalls);
      }
      expect(spend.modelCalls).toBe(answers);
      expect(spend.lostModelCalls).toBe(lostCalls);
    });
  });

  it('counts the tokens of each answer once, and those of a lost call once they are known', () => {
    holds(({ result, tokens }) => {
      if (!result) return;
      expect(result.spend.promptTokens).toBe(tokens.prompt);
      expect(result.spend.completionTokens).toBe(tokens.completion);
    });
  });

  it('is asked for by the name of each lost call that was ever told', () => {
    holds(({ forgotten }) => expect(forgotten).toBeNull());
  });

  it('is never thought to be more by the list than the worst that was held for it', () => {
    fc.assert(
      fc.property(number, (seed) => {
        const dice = new Dice(seed);
        const price = somePrice(dice.roll(3_000_000), dice);
        const [promptTokens, completionTokens] = [dice.roll(20_000), dice.roll(9_000)];
        const listed = listNanoUsd(price, {
          promptTokens,
          completionTokens,
          cachedTokens: dice.roll(20_000),
        });
        const worst = worstCaseNanoUsd(price, { promptTokens, maxOutputTokens: completionTokens });
        expect(listed).toBeLessThanOrEqual(worst);
      }),
      { numRuns: 2_000 },
    );
  });

  it('charges no generation twice', () => {
    holds(({ reconciledTwice }) => expect(reconciledTwice).toBe(false));
  });
});

describe('the lives that were held against the books', () => {
  /** In how many lives of a hundred each thing happens at least: a third of how often it does. */
  const OFTEN: Record<string, number> = {
    'had known prices': 80,
    'had a ceiling': 80,
    'ended at the cost ceiling': 15,
    'ended done': 5,
    'answered without the model': 15,
    clamped: 9,
    'spent half of its ceiling': 5,
    'spent nine tenths of its ceiling': 1,
    'closed with its books exact after a loss': 5,
    'closed in doubt': 9,
    'never sent': 3,
    'killed before the request': 2,
    'lost before its name was known': 4,
    'lost after its name was known': 8,
    'failed in the middle': 2.5,
    'killed after the last token': 6,
    'billed by a zombie': 4,
    refused: 3,
    'not paid for': 2.5,
    'price changed': 7,
    'refused by its price lock': 0.4,
    'answered by a fallback': 7,
    'cost missing': 5,
    'cost estimated': 5,
    'answered without a cost or a name': 2,
    'cache hit': 3,
    'cache hit without a source': 0.7,
    'named by a cache hit': 1,
    reconciled: 10,
    'not known yet': 7,
    'questions unanswered': 4,
    'waited for what lost calls cost': 2.5,
    'drawn from a shared budget': 5,
    'words in mid-call': 5,
    'ceiling raised': 4,
    'ceiling lowered': 5,
    'continued as new': 9,
    'abandoned by the server': 0.1,
  };

  it('cost nothing where the run was told so', () => {
    holds(({ attempts }) => {
      expect(sumOf(attempts.filter(({ told }) => told === 'free').map(billOf))).toBe(0);
    });
  });

  it('had enough of everything that can go wrong', () => {
    const counts = new Map<string, number>();
    holds((report) => {
      for (const what of happened(report)) counts.set(what, (counts.get(what) ?? 0) + 1);
    });
    const percent = (what: string) => ((counts.get(what) ?? 0) * 100) / LIVES;
    // Of a few lives nothing can be said.
    const telling = Object.entries(OFTEN).filter(([, least]) => (LIVES * least) / 100 >= 2);
    const rare = telling.flatMap(([what, least]) => (percent(what) < least ? what : []));
    expect(rare.map((what) => `${what}: ${percent(what)} %`)).toEqual([]);
  });
});

function happened(report: Report): Set<string> {
  const { seen, result, attempts, pricesKnown, neverLimited, billedNanoUsd } = report;
  const ceiling = attempts.at(-1)?.ceilingNanoUsd ?? null;
  const { inDoubt } = expectedOf(report);
  const wasLost = attempts.some(({ told }) => told !== 'free' && told !== 'exact');
  const facts: Record<string, boolean> = {
    'ended at the cost ceiling': result?.limit === 'cost',
    'ended done': result?.outcome === 'done',
    'answered without the model': result?.answer.startsWith('The run ended after') === true,
    'had known prices': pricesKnown,
    'had a ceiling': !neverLimited,
    'closed with its books exact after a loss': wasLost && inDoubt === 0,
    'closed in doubt': inDoubt > 0,
    'spent half of its ceiling': ceiling !== null && billedNanoUsd * 2 > ceiling,
    'spent nine tenths of its ceiling': ceiling !== null && billedNanoUsd * 10 > ceiling * 9,
    'made a hundred attempts': attempts.length >= 100,
    'was free of charge': billedNanoUsd === 0,
  };
  return new Set([...seen.keys(), ...Object.keys(facts).filter((name) => facts[name])]);
}
