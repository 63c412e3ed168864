import type { JsonValue } from '../../core/json.js';
import type { TranscriptCall } from '../../core/transcript.js';
import type { ModelRequest, ModelUsage } from '../../ports/model.js';
import type { CallPiece } from './call-slots.js';
import type { Failure } from './classify.js';

/** What one event of a stream brought. */
export interface ChunkNews {
  text: string;
  reasoning: string;
  calls: CallPiece[];
  /** Whether the event carried content or the end of the answer: what a watchdog counts as life. */
  isProgress: boolean;
  failure?: Failure;
}

/** A complete answer as the wire told it, in the words of chat completions. */
export interface WireAnswer {
  text: string;
  calls: TranscriptCall[];
  reasoning: JsonValue[];
  emptyReasoning?: true;
  phase?: string;
  finishReason: string;
  model: string | null;
  tokens: ModelUsage;
  usage: JsonValue | null;
}

/** Gathers the events of one streamed answer. A whole, unstreamed document is taken like one event. */
export interface AnswerAccumulator {
  /** The generation id in the events so far, if they hold what looks like one. */
  readonly generationId: string | null;
  /** Whether nothing that matters can be missing. */
  readonly isComplete: boolean;
  /** Takes one event. */
  add(event: JsonValue): ChunkNews;
  /** Notes that the stream said `[DONE]`. */
  done(): void;
  /** Notes that all of the answer was one JSON document, so that no end can be missing. */
  whole(): void;
  /** The answer; meaningful once {@link isComplete}. Call ids that are missing or `taken` are made from `idPrefix`. */
  answer(idPrefix: string, taken?: Iterable<string>): WireAnswer;
  /** Says what an incomplete answer lacks. */
  truncation(): Failure;
}

/** One API of the server: where to post, what to say, and how to read the answer. */
export interface WireFormat {
  /** Below the base URL. */
  path: string;
  /** The request body as canonical JSON. */
  toBody(request: ModelRequest): string;
  accumulator(): AnswerAccumulator;
}
