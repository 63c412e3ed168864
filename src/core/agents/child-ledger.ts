import { book, withoutCharge, type Ledger } from '../money/ledger.js';
import type { Spend } from '../progress.js';

/** Books what a sub-agent has spent, in the place of what was held for it. */
export function absorb(ledger: Ledger, id: string, spend: Spend): Ledger {
  const without = withoutCharge(ledger, id);
  const entries = Object.entries(spend.byModel);
  const booked = entries.reduce(
    (sum, [model, { calls, costNanoUsd, estimatedNanoUsd }]) =>
      book(sum, { purpose: 'child', model }, { calls, confirmedNanoUsd: costNanoUsd, estimatedNanoUsd }),
    without,
  );
  return {
    ...booked,
    confirmedNanoUsd: ledger.confirmedNanoUsd + spend.costNanoUsd,
    estimatedNanoUsd: ledger.estimatedNanoUsd + spend.estimatedNanoUsd,
    lostNanoUsd: ledger.lostNanoUsd + spend.lostNanoUsd,
    unknownCostCalls: ledger.unknownCostCalls + spend.unknownCostCalls,
    promptTokens: ledger.promptTokens + spend.promptTokens,
    completionTokens: ledger.completionTokens + spend.completionTokens,
    // A sub-agent of an older worker does not say.
    cachedTokens: ledger.cachedTokens + (spend.cachedTokens ?? 0),
    modelCalls: ledger.modelCalls + spend.modelCalls,
    lostModelCalls: ledger.lostModelCalls + spend.lostModelCalls,
  };
}
