import type { Prepared, RunInput } from '../core/run-input.js';
import type { TranscriptItem } from '../core/transcript.js';

/** Argument of the query `transcript`. */
export interface TranscriptQuery {
  /** Items from this index on. Default 0. */
  fromVersion?: number;
  /** About how many bytes of JSON the answer may have; at least one item comes. Default 1,000,000. */
  maxBytes?: number;
}

/** A page of the transcript. */
export interface TranscriptPage {
  /** Number of items in the transcript, this page's and later ones. */
  version: number;
  items: TranscriptItem[];
  /** Rolling hash over the items up to the end of this page. */
  hash: string;
}

/** What activities need to know of their run beside the transcript. */
export interface RunSettings {
  runId: string;
  firstRunId: string;
  /** Unchecked until `prepared` is there. */
  input: RunInput;
  prepared: Prepared | null;
}
