/** What one model call cost, as history records it: the server's word, an estimate, or nothing known. */
export interface CallCost {
  nanoUsd: number | null;
  estimated: boolean;
}

/** The run's money and tokens. Integer nano-dollars; a cost that is not known is counted in `unknownCostCalls`, never as zero. */
export interface Ledger {
  confirmedNanoUsd: number;
  estimatedNanoUsd: number;
  reservedNanoUsd: number;
  unknownCostCalls: number;
  promptTokens: number;
  completionTokens: number;
  modelCalls: number;
  /** Calls that were under way when they were lost or cancelled, so their cost never arrived. */
  lostModelCalls: number;
}

/** A ledger before the first call. */
export const EMPTY_LEDGER: Ledger = {
  confirmedNanoUsd: 0,
  estimatedNanoUsd: 0,
  reservedNanoUsd: 0,
  unknownCostCalls: 0,
  promptTokens: 0,
  completionTokens: 0,
  modelCalls: 0,
  lostModelCalls: 0,
};

/** Books one completed model call. */
export function settle(
  ledger: Ledger,
  call: { cost: CallCost; promptTokens: number; completionTokens: number },
): Ledger {
  const { nanoUsd, estimated } = call.cost;
  return {
    ...ledger,
    confirmedNanoUsd: ledger.confirmedNanoUsd + (estimated ? 0 : (nanoUsd ?? 0)),
    estimatedNanoUsd: ledger.estimatedNanoUsd + (estimated ? (nanoUsd ?? 0) : 0),
    unknownCostCalls: ledger.unknownCostCalls + (nanoUsd === null ? 1 : 0),
    promptTokens: ledger.promptTokens + call.promptTokens,
    completionTokens: ledger.completionTokens + call.completionTokens,
    modelCalls: ledger.modelCalls + 1,
  };
}

/** Books a model call whose end nobody saw. */
export function lose(ledger: Ledger): Ledger {
  return { ...ledger, lostModelCalls: ledger.lostModelCalls + 1 };
}

/** Everything charged so far, confirmed or not. */
export function chargedNanoUsd(ledger: Ledger): number {
  return ledger.confirmedNanoUsd + ledger.estimatedNanoUsd + ledger.reservedNanoUsd;
}

/** Dollars as whole nano-dollars, rounded up so that a ceiling is never raised by rounding a cost. */
export function toNanoUsd(usd: number): number {
  return Math.ceil(Number((usd * 1e9).toPrecision(15)));
}
