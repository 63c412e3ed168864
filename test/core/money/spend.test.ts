import { EMPTY_LEDGER, lose, reserve, settle, type Ledger } from '../../../src/core/money/ledger.js';
import { spendOf } from '../../../src/core/money/spend.js';

/** Two calls whose cost is in question: a lost step of model `a` for 300, and an answered landing of model `b` for 40. */
function inQuestion(): Ledger {
  const step = reserve(EMPTY_LEDGER, { id: 'x', purpose: 'step', model: 'a', nanoUsd: 300 });
  const both = reserve(step, { id: 'y', purpose: 'landing', model: 'b', nanoUsd: 40 });
  const lost = lose(both, { id: 'x', mayHaveCost: true, generationId: 'gen-1', askAtMs: 0 });
  return settle(lost, {
    id: 'y',
    purpose: 'landing',
    model: 'b',
    cost: { nanoUsd: null, estimated: false },
    promptTokens: 1,
    completionTokens: 1,
    generationId: 'gen-2',
    askAtMs: 0,
  });
}

describe('what watchers see of costs in question', () => {
  it('is lost only where there was no answer', () => {
    expect(spendOf(inQuestion())).toMatchObject({ estimatedNanoUsd: 340, lostNanoUsd: 300 });
  });

  it('stands in the account of its own purpose and model', () => {
    const { byPurpose, byModel } = spendOf(inQuestion());
    const lost = { calls: 0, costNanoUsd: 0, estimatedNanoUsd: 300 };
    const answered = { calls: 1, costNanoUsd: 0, estimatedNanoUsd: 40 };
    expect([byPurpose, byModel]).toEqual([
      { step: lost, landing: answered },
      { a: lost, b: answered },
    ]);
  });
});
