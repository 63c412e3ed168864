import type { RunSettings, TranscriptPage } from '../contract/queries.js';

/** Asks the run that an activity belongs to. Answers come from the workflow itself, by query. */
export interface RunQueries {
  settings(): Promise<RunSettings>;
  transcript(fromVersion: number): Promise<TranscriptPage>;
  /** Arguments of an open call, or `null`. */
  args(callId: string): Promise<string | null>;
}
