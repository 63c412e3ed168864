import type { JsonValue } from './json.js';

/** How the answer of a run is reviewed. */
export interface ReviewState {
  /** Rounds begun since the run was last asked for something. */
  rounds: number;
  /** What is under way: checks run, the reviewer reads, a human decides. `null`: nothing. */
  stage: 'checks' | 'verdict' | 'human' | null;
  /** The answer under review. */
  answer: string;
  /** Its value, in a run with a schema. */
  output?: JsonValue;
  passed: boolean;
  /** What the reviewer found last. */
  gaps: string | null;
  /** Why the review came to no verdict. */
  problem: string | null;
}

/** How often the conversation was shortened, and why it is to be next. */
export interface CompactionState {
  count: number;
  /** Before which steps, the last ones. */
  steps: number[];
  /** The server has refused the request of this step for its length. */
  refusedStep: number | null;
  /** It is to be done before the next request. */
  isDue: boolean;
}

/** The calls of a step: which they were, and what they brought, as hashes. */
export interface LoopStep {
  calls: string[];
  results: string[];
  /** The conversation was shortened since, so the model may not know them any more. */
  forgotten?: true;
}

/** How far a run goes in circles, see `loop-guard.ts`. */
export interface LoopState {
  points: number;
  /** The last steps, oldest first. */
  seen: LoopStep[];
  /** Steps in a row without anything new. */
  repeats: number;
  /** The calls that a human is asked about when they come again. */
  asks: string[];
}
