/** What a run asks of a budget that it shares with others. In totals, so that asking twice is asking once. */
export interface DrawInput {
  budget: string;
  runId: string;
  /** What the run wants to have been granted in all; with `final` what it has spent, the rest goes back. */
  totalNanoUsd: number;
  final?: true;
}

/** What the budget has granted the run in all. Less than was asked for when the budget has no more. */
export interface DrawResult {
  grantedNanoUsd: number;
}
