import type { Ledger } from './ledger.js';
import type { Spend } from './progress.js';

/** The ledger as watchers see it. */
export function spendOf(ledger: Ledger): Spend {
  const { confirmedNanoUsd, ...counts } = ledger;
  return { costUsd: confirmedNanoUsd / 1e9, costNanoUsd: confirmedNanoUsd, ...counts };
}
