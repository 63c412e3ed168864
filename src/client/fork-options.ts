import type { LimitsInput } from '../core/run-input.js';

/** What a fork changes. */
export interface ForkOptions {
  /**
   * The new run's id. Default: the run's own with `.2`, or one more, so that a run is taken up again once; a random one with `step`,
   * as that is another line.
   */
  id?: string;
  /** The last step that is taken over. Default: all of them. */
  step?: number;
  model?: string;
  /** Said to the model at the start. */
  say?: string;
  /** Ceilings; what is left out is as in the run that is forked. Cost, steps and tokens count from that run's start. */
  limits?: LimitsInput;
  /** Who asks for the new run. Default: who asked for the run that is forked. */
  requestedBy?: string;
}
