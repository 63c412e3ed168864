import type { RunSettings, TranscriptPage } from '../contract/queries.js';
import type { JsonObject } from '../core/json.js';
import type { Progress } from '../core/progress.js';

/** Asks the run that an activity belongs to. Answers come from the workflow itself, by query. */
export interface RunQueries {
  settings(): Promise<RunSettings>;
  /** What everybody may see of the run. */
  progress(): Promise<Progress>;
  transcript(fromVersion: number): Promise<TranscriptPage>;
  /** Arguments of an open call, or `null`. */
  args(callId: string): Promise<string | null>;
  /** The values that the tools of the run share. */
  shared(): Promise<JsonObject>;
}
