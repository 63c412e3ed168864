import fc from 'fast-check';
import {
  chargedNanoUsd, EMPTY_LEDGER, lose, openQuestions, postpone, reconcile, reserve, settle, spentNanoUsd, toNanoUsd, traceSource, writeOffNameless,
  type Ledger, type LostCall,
} from '../../../src/core/money/ledger.js'; // prettier-ignore
import { spendOf } from '../../../src/core/money/spend.js';
import { answer, AT_MS, generation } from '../support/ledger-entries.js';

function loss(fields: Partial<LostCall> = {}): LostCall {
  return { id: 's0.m0', mayHaveCost: true, askAtMs: AT_MS, ...fields };
}

const UNKNOWN = { nanoUsd: null, estimated: false };

function held(nanoUsd: number | null, ledger: Ledger = EMPTY_LEDGER, id = 's0.m0'): Ledger {
  return reserve(ledger, { id, purpose: 'step', model: 'm', nanoUsd });
}

describe('dollars as nano-dollars', () => {
  it.each([
    [0, 0],
    [1e-9, 1],
    [2e-9, 2],
    [0.000_000_07, 70],
    [0.000_14, 140_000],
    [0.000_149, 149_000],
    [0.07, 70_000_000],
    [0.1, 100_000_000],
    [0.29, 290_000_000],
    [0.1 + 0.2, 300_000_000],
    [1.1, 1_100_000_000],
    [2.5, 2_500_000_000],
    [4.35, 4_350_000_000],
    [19.99, 19_990_000_000],
    [1e6, 1e15],
  ])('are exact: %d', (usd, nanoUsd) => {
    expect(toNanoUsd(usd)).toBe(nanoUsd);
  });

  it('are rounded up, never down', () => {
    expect(toNanoUsd(1e-10)).toBe(1);
    expect(toNanoUsd(0.000_000_001_1)).toBe(2);
    expect(toNanoUsd(0.000_140_000_1)).toBe(140_001);
  });

  it('are whole and come back as they were, up to a million dollars', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999_999_999 }), (nanoUsd) => {
        expect(toNanoUsd(nanoUsd / 1e9)).toBe(nanoUsd);
      }),
    );
  });

  it('never fall below the dollars they stand for', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 100, noNaN: true }), (usd) => {
        expect(Number.isInteger(toNanoUsd(usd))).toBe(true);
        expect(toNanoUsd(usd) - usd * 1e9).toBeGreaterThan(-1e-3);
        expect(toNanoUsd(usd) - usd * 1e9).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('the ledger', () => {
  it('charges what is confirmed, estimated for good, and held', () => {
    const ledger = held(300, { ...EMPTY_LEDGER, confirmedNanoUsd: 1, estimatedNanoUsd: 20 });
    expect([chargedNanoUsd(ledger), spentNanoUsd(ledger)]).toEqual([321, 21]);
    expect(spentNanoUsd(lose(ledger, loss()))).toBe(321);
    expect(spendOf(ledger)).toMatchObject({ costNanoUsd: 1, reservedNanoUsd: 300, estimatedNanoUsd: 20 });
  });

  it('puts what a call cost in the place of what was held for it', () => {
    const ledger = settle(held(300), answer());
    expect(ledger).toEqual({
      ...EMPTY_LEDGER,
      confirmedNanoUsd: 7,
      promptTokens: 10,
      completionTokens: 5,
      cachedTokens: 0,
      modelCalls: 1,
      byPurpose: { step: { calls: 1, confirmedNanoUsd: 7, estimatedNanoUsd: 0 } },
      byModel: { m: { calls: 1, confirmedNanoUsd: 7, estimatedNanoUsd: 0 } },
    });
  });

  it('knows a cost of nothing from an unknown one', () => {
    const free = settle(EMPTY_LEDGER, answer({ cost: { nanoUsd: 0, estimated: false } }));
    expect([free.unknownCostCalls, chargedNanoUsd(free)]).toEqual([0, 0]);
    expect(settle(EMPTY_LEDGER, answer({ cost: UNKNOWN })).unknownCostCalls).toBe(1);
  });

  it.each([null, 300])('never counts a missing cost as zero, when %p was held', (nanoUsd) => {
    const settled = settle(held(nanoUsd), answer({ cost: UNKNOWN }));
    const asked = settle(held(nanoUsd), answer({ cost: UNKNOWN, generationId: 'gen-1' }));
    const lost = lose(held(nanoUsd), loss());
    for (const ledger of [
      settled,
      asked,
      lost,
      writeOffNameless(lost),
      postpone(asked, 's0.m0', { dueAtMs: null }),
    ]) {
      const { unknownCostCalls, estimatedNanoUsd } = spendOf(ledger);
      expect([unknownCostCalls, estimatedNanoUsd]).toEqual(nanoUsd === null ? [1, 0] : [0, 300]);
    }
  });

  it('keeps an estimate as one for good when nobody can be asked', () => {
    const ledger = settle(held(300), answer({ cost: { nanoUsd: 11, estimated: true } }));
    expect(ledger).toMatchObject({ confirmedNanoUsd: 0, estimatedNanoUsd: 11, lostNanoUsd: 0, charges: [] });
  });

  it('asks what a call with an estimated or unknown cost really cost, and counts its tokens once', () => {
    for (const cost of [{ nanoUsd: 11, estimated: true }, UNKNOWN]) {
      const open = settle(held(11), answer({ cost, generationId: 'gen-1' }));
      expect(openQuestions(open)).toEqual([
        { id: 's0.m0', purpose: 'step', model: 'm', nanoUsd: 11, status: 'estimated', asked: 0, dueAtMs: AT_MS, generationId: 'gen-1' },
      ]); // prettier-ignore
      const known = reconcile(open, 's0.m0', generation(9));
      expect(known).toMatchObject({
        confirmedNanoUsd: 9,
        lostNanoUsd: 0,
        promptTokens: 10,
        completionTokens: 5,
        cachedTokens: 0,
        modelCalls: 1,
      });
      expect([openQuestions(known), known.bookedGenerations]).toEqual([[], []]);
    }
  });

  it('does not ask about a cost that the server has told', () => {
    expect(openQuestions(settle(held(300), answer({ generationId: 'gen-1' })))).toEqual([]);
  });

  it('books an answer under the purpose it was held for, and the model that gave it', () => {
    const landing = reserve(EMPTY_LEDGER, { id: 's0.m0', purpose: 'landing', model: 'm', nanoUsd: 300 });
    const { byPurpose, byModel } = settle(landing, answer({ model: 'other' }));
    expect([Object.keys(byPurpose), Object.keys(byModel)]).toEqual([['landing'], ['other']]);
  });

  it('books a call for which nothing was held', () => {
    const ledger = settle(EMPTY_LEDGER, answer({ purpose: 'speech' }));
    expect(ledger).toMatchObject({ confirmedNanoUsd: 7, byPurpose: { speech: { calls: 1 } } });
    expect(settle(EMPTY_LEDGER, answer({ cost: UNKNOWN, generationId: 'gen-1' })).charges).toMatchObject([
      { nanoUsd: null },
    ]);
  });

  it('leaves alone what is held for other calls', () => {
    const two = held(40, held(300), 's0.m1');
    expect(settle(two, answer()).charges).toMatchObject([{ id: 's0.m1', status: 'reserved' }]);
    expect(lose(two, loss({ mayHaveCost: false })).charges).toMatchObject([{ id: 's0.m1' }]);
  });

  it('writes each call off at what was held for it, and sums that up by purpose and model', () => {
    const two = held(40, held(300), 's0.m1');
    const second = settle(two, answer({ id: 's0.m1', cost: UNKNOWN }));
    expect([second.estimatedNanoUsd, chargedNanoUsd(second)]).toEqual([40, 340]);
    const { byPurpose, byModel } = settle(second, answer({ cost: UNKNOWN }));
    const account = { calls: 2, confirmedNanoUsd: 0, estimatedNanoUsd: 340 };
    expect([byPurpose, byModel]).toEqual([{ step: account }, { m: account }]);
  });

  it('gathers the models beyond twenty in one account', () => {
    const names = Array.from({ length: 23 }, (_, index) => `m${index}`);
    const ledger = names.reduce((sum, model) => settle(sum, answer({ model })), EMPTY_LEDGER);
    expect(Object.keys(ledger.byModel)).toEqual([...names.slice(0, 20), 'other']);
    expect(ledger.byModel['other']).toEqual({ calls: 3, confirmedNanoUsd: 21, estimatedNanoUsd: 0 });
    expect(settle(ledger, answer({ model: 'm3' })).byModel['m3']?.calls).toBe(2);
  });
});

describe('a lost call', () => {
  it('that certainly cost nothing leaves nothing behind', () => {
    expect(lose(held(300), loss({ mayHaveCost: false }))).toEqual(EMPTY_LEDGER);
  });

  it('stays charged at its worst, is no completed one, and is asked about when its generation is known', () => {
    const ledger = lose(held(300), loss({ generationId: 'gen-1' }));
    expect(ledger).toMatchObject({ lostModelCalls: 1, modelCalls: 0 });
    expect(chargedNanoUsd(ledger)).toBe(300);
    expect(spendOf(ledger)).toMatchObject({ reservedNanoUsd: 0, estimatedNanoUsd: 300, lostNanoUsd: 300 });
    expect(openQuestions(ledger)).toMatchObject([{ generationId: 'gen-1', dueAtMs: AT_MS, lost: true }]);
    expect(openQuestions(lose(held(300), loss()))).toEqual([]);
  });

  it('is counted even where nothing was held for it', () => {
    expect(lose(EMPTY_LEDGER, loss())).toEqual({ ...EMPTY_LEDGER, lostModelCalls: 1 });
    expect(lose(EMPTY_LEDGER, loss({ mayHaveCost: false }))).toEqual(EMPTY_LEDGER);
  });

  it('is confirmed at what the server says, tokens included', () => {
    const ledger = reconcile(lose(held(300), loss({ generationId: 'gen-1' })), 's0.m0', generation(90));
    expect(ledger).toMatchObject({
      confirmedNanoUsd: 90,
      lostNanoUsd: 90,
      estimatedNanoUsd: 0,
      promptTokens: 3,
      completionTokens: 4,
      charges: [],
      byPurpose: { step: { calls: 0, confirmedNanoUsd: 90 } },
      bookedGenerations: ['gen-1'],
    });
  });

  it('is asked about again, later, as often as the server does not know', () => {
    const asked = postpone(lose(held(300), loss({ generationId: 'gen-1' })), 's0.m0', { dueAtMs: 5_000 });
    expect(asked.charges).toMatchObject([{ asked: 1, dueAtMs: 5_000, nanoUsd: 300 }]);
    expect(chargedNanoUsd(asked)).toBe(300);
    expect(postpone(asked, 's0.m0', { dueAtMs: 6_000 }).charges).toMatchObject([{ asked: 2 }]);
  });

  it('keeps its estimate for good when nobody is asked any more', () => {
    const given = postpone(lose(held(300), loss({ generationId: 'gen-1' })), 's0.m0', { dueAtMs: null });
    expect(given).toMatchObject({
      charges: [],
      estimatedNanoUsd: 300,
      lostNanoUsd: 300,
      confirmedNanoUsd: 0,
      unknownCostCalls: 0,
      bookedGenerations: ['gen-1'],
    });
    const nameless = writeOffNameless(lose(held(300), loss()));
    expect(nameless).toMatchObject({
      charges: [],
      estimatedNanoUsd: 300,
      lostNanoUsd: 300,
      bookedGenerations: [],
    });
  });

  it('leaves no name behind that it never had', () => {
    expect(postpone(lose(held(300), loss()), 's0.m0', { dueAtMs: null }).bookedGenerations).toHaveLength(0);
  });

  it('is written off only when nobody knows its generation, and no reservation ever is', () => {
    const known = held(7, lose(held(300), loss({ generationId: 'gen-1' })), 's0.m1');
    expect(writeOffNameless(known)).toEqual(known);
  });

  it('that is not on record is neither confirmed nor postponed', () => {
    const ledger = held(300);
    expect(reconcile(ledger, 's9.m9', generation(1))).toBe(ledger);
    expect(postpone(ledger, 's9.m9', { dueAtMs: null })).toBe(ledger);
  });
});

describe('the source of a cached answer', () => {
  const source = (sourceId: string) => ({
    sourceId,
    charge: { id: `${sourceId}.source`, purpose: 'step' as const, model: 'm', nanoUsd: 50 },
    askAtMs: AT_MS,
  });

  it('is the lost call whose generation was not known, and the cheapest of several', () => {
    const lost = ['s0.m0', 's0.m1', 's0.m2'].reduce(
      (ledger, id, index) => lose(held([300, 200, 250][index] ?? 0, ledger, id), loss({ id })),
      EMPTY_LEDGER,
    );
    const traced = traceSource(lost, source('gen-1'));
    expect(openQuestions(traced)).toMatchObject([
      { id: 's0.m1', nanoUsd: 200, generationId: 'gen-1', dueAtMs: AT_MS },
    ]);
    expect(chargedNanoUsd(traced)).toBe(750);
  });

  it('is on record at the worst case when no such call is', () => {
    const traced = traceSource(EMPTY_LEDGER, source('gen-1'));
    expect(traced.charges).toEqual([
      { id: 'gen-1.source', purpose: 'step', model: 'm', nanoUsd: 50, status: 'estimated', lost: true, asked: 0, generationId: 'gen-1', dueAtMs: AT_MS },
    ]); // prettier-ignore
  });

  it('is never a call that is under way, nor one that was answered', () => {
    const open = settle(held(300), answer({ cost: UNKNOWN, generationId: 'gen-2' }));
    expect(traceSource(held(9, open, 's0.m1'), source('gen-1')).charges.length).toBe(3);
  });

  it('is never another lost call whose generation is known, though that one is cheaper', () => {
    const known = lose(held(10), loss({ generationId: 'gen-2' }));
    const lost = lose(held(300, known, 's0.m1'), loss({ id: 's0.m1' }));
    expect(traceSource(lost, source('gen-1')).charges).toMatchObject([
      { id: 's0.m0', generationId: 'gen-2' },
      { id: 's0.m1', generationId: 'gen-1' },
    ]);
  });

  it.each([
    ['it is still open', (ledger: Ledger) => ledger],
    ['it was confirmed', (ledger: Ledger) => reconcile(ledger, 's0.m0', generation(90))],
    ['it was written off', (ledger: Ledger) => postpone(ledger, 's0.m0', { dueAtMs: null })],
  ])('is charged once, though named again when %s', (_, then) => {
    const ledger = then(lose(held(300), loss({ generationId: 'gen-1' })));
    expect(traceSource(ledger, source('gen-1'))).toBe(ledger);
    const traced = then(traceSource(lose(held(300), loss()), source('gen-1')));
    expect(traceSource(traced, source('gen-1'))).toBe(traced);
  });

  it('is remembered for the last fifty', () => {
    let ledger = EMPTY_LEDGER;
    for (let index = 0; index < 51; index++) {
      const id = `s0.m${index}`;
      ledger = reconcile(
        lose(held(1, ledger, id), loss({ id, generationId: `gen-${index}` })),
        id,
        generation(1),
      );
    }
    expect([ledger.bookedGenerations.length, ledger.bookedGenerations[0]]).toEqual([50, 'gen-1']);
  });
});

describe('the spend that watchers see', () => {
  it('adds what is still open to the accounts, and shows dollars', () => {
    const open = lose(
      held(30, settle(EMPTY_LEDGER, answer({ cost: { nanoUsd: 412_000_000, estimated: false } }))),
      loss({ generationId: 'g' }),
    );
    const ledger = {
      ...held(5, lose(held(null, open, 's0.m1'), loss({ id: 's0.m1' })), 's0.m2'),
      inheritedNanoUsd: 8,
    };
    const account = { calls: 1, costNanoUsd: 412_000_000, estimatedNanoUsd: 30 };
    expect(spendOf(ledger)).toEqual({
      costUsd: 0.412,
      costNanoUsd: 412_000_000,
      reservedNanoUsd: 5,
      estimatedNanoUsd: 30,
      lostNanoUsd: 30,
      inheritedNanoUsd: 8,
      promptTokens: 10,
      completionTokens: 5,
      cachedTokens: 0,
      modelCalls: 1,
      lostModelCalls: 2,
      unknownCostCalls: 1,
      byPurpose: { step: account },
      byModel: { m: account },
    });
  });

  it('names models of which only a lost call is on record', () => {
    const { byModel } = spendOf(lose(held(30), loss()));
    expect(byModel).toEqual({ m: { calls: 0, costNanoUsd: 0, estimatedNanoUsd: 30 } });
  });
});
