import fc from 'fast-check';
import { chargedNanoUsd, EMPTY_LEDGER, lose, settle, toNanoUsd } from '../../src/core/ledger.js';
import { spendOf } from '../../src/core/spend.js';

const call = (nanoUsd: number | null, estimated = false) => ({
  cost: { nanoUsd, estimated },
  promptTokens: 10,
  completionTokens: 5,
});

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
  it('keeps confirmed, estimated and unknown costs apart', () => {
    const ledger = [call(7), call(11, true), call(null), call(13)].reduce(settle, EMPTY_LEDGER);
    expect(ledger).toEqual({
      confirmedNanoUsd: 20,
      estimatedNanoUsd: 11,
      reservedNanoUsd: 0,
      unknownCostCalls: 1,
      promptTokens: 40,
      completionTokens: 20,
      modelCalls: 4,
      lostModelCalls: 0,
    });
  });

  it('knows a cost of nothing from an unknown one', () => {
    expect(settle(EMPTY_LEDGER, call(0)).unknownCostCalls).toBe(0);
  });

  it('counts a lost call as no completed one', () => {
    expect(lose(lose(EMPTY_LEDGER))).toEqual({ ...EMPTY_LEDGER, lostModelCalls: 2 });
  });

  it('charges what is confirmed, estimated and held', () => {
    const ledger = { ...EMPTY_LEDGER, confirmedNanoUsd: 1, estimatedNanoUsd: 20, reservedNanoUsd: 300 };
    expect(chargedNanoUsd(ledger)).toBe(321);
  });

  it('shows watchers the confirmed cost in dollars and the rest as it is', () => {
    const ledger = {
      ...EMPTY_LEDGER,
      confirmedNanoUsd: 412_000_000,
      estimatedNanoUsd: 5,
      unknownCostCalls: 2,
    };
    expect(spendOf(ledger)).toEqual({
      costUsd: 0.412,
      costNanoUsd: 412_000_000,
      reservedNanoUsd: 0,
      estimatedNanoUsd: 5,
      promptTokens: 0,
      completionTokens: 0,
      modelCalls: 0,
      lostModelCalls: 0,
      unknownCostCalls: 2,
    });
  });
});
