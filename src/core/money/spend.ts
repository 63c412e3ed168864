import { EMPTY_ACCOUNT, type Account } from './accounts.js';
import { sumOf, type Charge, type Ledger } from './ledger.js';
import type { AccountSpend, Spend } from '../progress.js';

/** The ledger as watchers see it. */
export function spendOf(ledger: Ledger): Spend {
  const { charges } = ledger;
  const estimates = charges.filter(({ status }) => status === 'estimated');
  return {
    costUsd: ledger.confirmedNanoUsd / 1e9,
    costNanoUsd: ledger.confirmedNanoUsd,
    reservedNanoUsd: sumOf(charges.filter(({ status }) => status === 'reserved')),
    estimatedNanoUsd: ledger.estimatedNanoUsd + sumOf(estimates),
    lostNanoUsd: ledger.lostNanoUsd + sumOf(estimates.filter(({ lost }) => lost)),
    inheritedNanoUsd: ledger.inheritedNanoUsd,
    promptTokens: ledger.promptTokens,
    completionTokens: ledger.completionTokens,
    cachedTokens: ledger.cachedTokens,
    modelCalls: ledger.modelCalls,
    lostModelCalls: ledger.lostModelCalls,
    unknownCostCalls: ledger.unknownCostCalls + estimates.filter(({ nanoUsd }) => nanoUsd === null).length,
    byPurpose: accounts(ledger.byPurpose, estimates, ({ purpose }) => purpose),
    byModel: accounts(ledger.byModel, estimates, ({ model }) => model),
  };
}

function accounts(
  booked: Readonly<Record<string, Account>>,
  estimates: readonly Charge[],
  nameOf: (charge: Charge) => string,
): Record<string, AccountSpend> {
  const names = [...new Set([...Object.keys(booked), ...estimates.map(nameOf)])];
  return Object.fromEntries(
    names.map((name) => {
      const { calls, confirmedNanoUsd, estimatedNanoUsd } = booked[name] ?? EMPTY_ACCOUNT;
      const open = sumOf(estimates.filter((charge) => nameOf(charge) === name));
      return [name, { calls, costNanoUsd: confirmedNanoUsd, estimatedNanoUsd: estimatedNanoUsd + open }];
    }),
  );
}
