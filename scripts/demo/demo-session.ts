import type { Style } from '../../src/cli/style.js';
import type { DemoPlan } from './demo-environment.js';
import type { DemoState } from './demo-state.js';

/** One demo from its start to its end, and what has to be ended with it. */
export interface Session {
  plan: DemoPlan;
  state: DemoState;
  style: Style;
  isTerminal: boolean;
  /** Aborted by Ctrl-C and the like. */
  interrupted: AbortSignal;
  /** Ends what is left, newest first. */
  onEnd: (end: () => Promise<unknown>) => void;
  keepState: (change: Partial<DemoState>) => Promise<void>;
  say: (line?: string) => void;
  /** Tells of something unexpected. The screen takes this over while it shows the run. */
  note: (line: string) => void;
}
