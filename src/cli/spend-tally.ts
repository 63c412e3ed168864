import type { WatchedEvent } from '../client/run-handle.js';
import { plural } from './format.js';
import { ofCeiling } from './render-spend.js';

/** Adds up what the events of a run say about its money. What lost attempts may have cost shows once the server has said it. */
export class SpendTally {
  private confirmedNanoUsd = 0;
  /** Estimates of calls with an answer, which the server may still correct; `null`: nothing known. */
  private open: { model: string; nanoUsd: number | null }[] = [];
  private maxCostUsd: number | null = null;
  private isFork = false;

  take(event: WatchedEvent): void {
    switch (event.type) {
      case 'run_started':
        this.isFork = event.forkOf !== undefined;
        this.maxCostUsd = event.limits.maxCostUsd;
        break;
      case 'limits_changed':
        this.maxCostUsd = event.limits.maxCostUsd;
        break;
      case 'model_completed':
        if (event.costNanoUsd === null || event.costEstimated)
          this.open.push({ model: event.model, nanoUsd: event.costNanoUsd });
        else this.confirmedNanoUsd += event.costNanoUsd;
        break;
      case 'cost_reconciled':
        this.settle(event.model, event.estimatedNanoUsd);
        this.confirmedNanoUsd += event.costNanoUsd;
        break;
      default:
    }
  }

  /** The ceiling in force, in dollars; of the shared budget it says nothing. */
  get ceilingUsd(): number | null {
    return this.maxCostUsd;
  }

  /** `$0.0021 of $0.50 (< 1 %) so far`. */
  words(): string {
    const estimatedNanoUsd = this.open.reduce((sum, { nanoUsd }) => sum + (nanoUsd ?? 0), 0);
    const usd = (this.confirmedNanoUsd + estimatedNanoUsd) / 1e9;
    const unknownCalls = this.open.filter(({ nanoUsd }) => nanoUsd === null).length;
    const unknown = unknownCalls === 0 ? '' : ` + ${plural(unknownCalls, 'call')} of unknown cost`;
    // What the other run has spent is not among the events of this one, so there is no share to name.
    if (this.isFork) return `${ofCeiling(usd, null)}${unknown} since it was taken up again`;
    return `${ofCeiling(usd, this.maxCostUsd)}${unknown} so far`;
  }

  /** Takes the estimate of a call away that the server has put a number to. A lost call has none here. */
  private settle(model: string, estimatedNanoUsd: number | null): void {
    const ofModel = this.open.filter((one) => one.model === model);
    const settled =
      ofModel.find(({ nanoUsd }) => nanoUsd === estimatedNanoUsd) ??
      ofModel.find(({ nanoUsd }) => nanoUsd === null);
    this.open = this.open.filter((one) => one !== settled);
  }
}
