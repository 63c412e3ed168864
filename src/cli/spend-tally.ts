import type { WatchedEvent } from '../client/run-handle.js';
import { plural } from './format.js';
import { ofCeiling } from './render-spend.js';

/** What the events of a run say about its money. */
export class SpendTally {
  private spentNanoUsd = 0;
  private unknownCalls = 0;
  private maxCostUsd: number | null = null;

  take(event: WatchedEvent): void {
    switch (event.type) {
      case 'run_started':
      case 'limits_changed':
        this.maxCostUsd = event.limits.maxCostUsd;
        break;
      case 'model_completed':
        // Neither cost nor price is known when nothing was charged for it.
        if (event.costNanoUsd === null && event.spentNanoUsd === this.spentNanoUsd) this.unknownCalls += 1;
        this.spentNanoUsd = event.spentNanoUsd;
        break;
      case 'cost_reconciled':
        if (event.estimatedNanoUsd === null) this.unknownCalls -= 1;
        this.spentNanoUsd = event.spentNanoUsd;
        break;
      case 'model_failed':
        this.spentNanoUsd = event.spentNanoUsd;
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
    const { unknownCalls } = this;
    const unknown = unknownCalls === 0 ? '' : ` + ${plural(unknownCalls, 'call')} of unknown cost`;
    return `${ofCeiling(this.spentNanoUsd / 1e9, this.maxCostUsd)}${unknown} so far`;
  }
}
