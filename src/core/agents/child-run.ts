import type { DecidedNote, PendingItem, RunResult } from '../progress.js';
import type { ParentInput, RunInput } from '../run-input.js';

/** The run that has delegated its goal to this one. */
export type Parent = ParentInput;

/** A sub-agent that carries out a call. */
export interface ChildState {
  /** Its run id. */
  runId: string;
  input: RunInput;
  /** Held for it; `null`: it has no ceiling. */
  shareNanoUsd: number | null;
  /** The last of its reports. */
  reportCount: number;
  /** What waits for a human there, with ids as seen from there. */
  pending: PendingItem[];
}

/** What a sub-agent tells the run that has delegated to it. */
export interface ChildReport {
  /** The key of the work that the sub-agent is. */
  key: string;
  /** Counted from 1; an older one changes nothing. */
  n: number;
  pending: PendingItem[];
  /** What was decided since the last report. */
  decided: DecidedNote[];
  /** The ids of pending calls of which watchers were reminded since then. */
  reminded?: string[];
  /** The last report: how it ended. */
  result?: RunResult;
}

/** Where a sub-agent stands with its reports. */
export interface Reporting {
  count: number;
  /** The report under way. */
  call: { key: string; payload: ChildReport } | null;
  /** What was told last of what is pending, as a hash. */
  told: string;
  decided: DecidedNote[];
  reminded?: string[];
  /** The last one was sent. */
  final: boolean;
}
