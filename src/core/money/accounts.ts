/** The sums of one purpose or model. */
export interface Account {
  calls: number;
  confirmedNanoUsd: number;
  /** Charged, and never to be confirmed. */
  estimatedNanoUsd: number;
}

/** An account before its first call. */
export const EMPTY_ACCOUNT: Account = { calls: 0, confirmedNanoUsd: 0, estimatedNanoUsd: 0 };

/** An account with more in it. */
export function addTo(account: Account = EMPTY_ACCOUNT, amounts: Partial<Account>): Account {
  const { calls = 0, confirmedNanoUsd = 0, estimatedNanoUsd = 0 } = amounts;
  return {
    calls: account.calls + calls,
    confirmedNanoUsd: account.confirmedNanoUsd + confirmedNanoUsd,
    estimatedNanoUsd: account.estimatedNanoUsd + estimatedNanoUsd,
  };
}
