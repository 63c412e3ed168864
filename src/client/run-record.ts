import type { RunEvent } from '../core/events.js';
import type { Progress } from '../core/progress.js';
import type { RunState } from '../core/state.js';
import type { TranscriptItem } from '../core/transcript.js';
import { view } from '../core/view.js';

/** A run as history has it. */
export interface RunRecord {
  progress: Progress;
  events: RunEvent[];
  /** The run that this one goes on from. `events` are its own; what it took over is in `transcript` and counts in `stepsCompleted`. */
  forkOf: string | null;
  transcript: TranscriptItem[];
  /** Completed model calls of purpose `step`. */
  stepsCompleted: number;
  unknownOutcomes: { callId: string; tool: string }[];
}

/** The record of a run in a state, after these events. */
export function toRecord(state: RunState, events: RunEvent[]): RunRecord {
  const { forkOf, transcript, stepsCompleted, unknownOutcomes } = state;
  return { progress: view(state), events, forkOf, transcript, stepsCompleted, unknownOutcomes };
}
