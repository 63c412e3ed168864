import type { JsonValue } from '../../core/json.js';
import type { TranscriptCall } from '../../core/transcript.js';
import type { ModelUsage } from '../../ports/model.js';
import { CallSlots, MAX_CALL_ARGS_BYTES, type CallPiece } from './call-slots.js';
import type { Failure } from './classify.js';
import { readFailure } from './failures.js';
import { at, countAt, isObject, listAt, textAt } from './json-read.js';
import { ReasoningDetails, visibleReasoning } from './reasoning.js';
import { PairJoiner, wellFormed } from './well-formed.js';

/** The longest text of an answer, 8 MiB as UTF-8. */
export const MAX_TEXT_BYTES = 8_388_608;

/** What one chunk brought. */
export interface ChunkNews {
  text: string;
  reasoning: string;
  calls: CallPiece[];
  /** Whether the chunk carried content or the end of the answer: what a watchdog counts as life. */
  isProgress: boolean;
  failure?: Failure;
}

/** A complete answer as the wire told it. */
export interface WireAnswer {
  text: string;
  calls: TranscriptCall[];
  reasoning: JsonValue[];
  finishReason: string;
  model: string | null;
  tokens: ModelUsage;
  usage: JsonValue | null;
}

/**
 * Gathers the chunks of one streamed chat completion. It is our own because the stream helper of `openai` keeps only the last piece of
 * `reasoning_details`. A whole, unstreamed completion is taken like one chunk.
 */
export class Accumulator {
  /** The generation id in the chunks so far, if they hold what looks like one. */
  generationId: string | null = null;
  private text = '';
  private textSizeBytes = 0;
  private finishReason: string | null = null;
  private usage: JsonValue | null = null;
  private model: string | null = null;
  private provider: string | undefined;
  private isDone = false;
  private readonly calls = new CallSlots();
  private readonly reasoning = new ReasoningDetails();
  private readonly textJoiner = new PairJoiner();
  private readonly reasoningJoiner = new PairJoiner();

  /**
   * Whether nothing that matters can be missing: a finish reason, and the usage or `[DONE]` after it. Some providers send tool calls
   * without a finish reason; then usage and `[DONE]` both stand for it.
   */
  get isComplete(): boolean {
    if (this.finishReason !== null) return this.isDone || this.usage !== null;
    return this.calls.count > 0 && this.isDone && this.usage !== null;
  }

  /** Notes that the stream said `[DONE]`. */
  done(): void {
    this.isDone = true;
  }

  /** Takes one chunk. */
  add(chunk: JsonValue): ChunkNews {
    this.noteEnvelope(chunk);
    const choice = listAt(chunk, 'choices').find((entry) => (at(entry, 'index') ?? 0) === 0);
    const failure = this.failureIn(chunk, choice);
    if (failure !== undefined) return { text: '', reasoning: '', calls: [], isProgress: true, failure };
    const news = this.addDelta(at(choice, 'delta') ?? at(choice, 'message'));
    const finishReason = textAt(choice, 'finish_reason');
    // The usage chunk that follows carries a null here, which takes nothing back.
    if (finishReason !== undefined) this.finishReason = finishReason;
    const isProgress = news.isProgress || finishReason !== undefined;
    return this.overflow(isProgress) ?? { ...news, isProgress };
  }

  /** The answer; meaningful once {@link isComplete}. Call ids that are missing or `taken` are made from `idPrefix`. */
  answer(idPrefix: string, taken: Iterable<string> = []): WireAnswer {
    return {
      text: wellFormed(this.text),
      calls: this.calls.list(idPrefix, taken),
      reasoning: this.reasoning.list(),
      finishReason: this.finishReason ?? 'tool_calls',
      model: this.model,
      tokens: {
        promptTokens: countAt(this.usage ?? undefined, 'prompt_tokens'),
        completionTokens: countAt(this.usage ?? undefined, 'completion_tokens'),
        cachedTokens: countAt(this.usage ?? undefined, 'prompt_tokens_details', 'cached_tokens'),
      },
      usage: this.usage,
    };
  }

  /** Says what an incomplete answer lacks. */
  truncation(): Failure {
    const missing = this.finishReason === null ? 'finish_reason' : 'usage and [DONE]';
    return { kind: 'truncated', message: `the stream ended without ${missing}`, provider: this.provider };
  }

  private noteEnvelope(chunk: JsonValue): void {
    const id = textAt(chunk, 'id');
    if (id?.startsWith('gen-')) this.generationId = id;
    this.model = textAt(chunk, 'model') ?? this.model;
    this.provider = textAt(chunk, 'provider') ?? this.provider;
    const usage = at(chunk, 'usage');
    if (isObject(usage)) this.usage = usage;
  }

  private failureIn(chunk: JsonValue, choice: JsonValue | undefined): Failure | undefined {
    const error = at(chunk, 'error') ?? at(choice, 'error') ?? undefined;
    const isFailed = textAt(choice, 'finish_reason') === 'error';
    if (error === undefined && !isFailed) return undefined;
    return readFailure(error, {
      kind: 'body',
      provider: this.provider,
      message: 'the provider failed while answering',
    });
  }

  private addDelta(delta: JsonValue | undefined): ChunkNews {
    const content = textAt(delta, 'content') ?? textAt(delta, 'refusal') ?? '';
    this.text += content;
    this.textSizeBytes += Buffer.byteLength(content);
    const details = listAt(delta, 'reasoning_details');
    this.reasoning.add(details);
    const reasoning = visibleReasoning(delta);
    const calls = listAt(delta, 'tool_calls').map((fragment) => this.calls.add(fragment));
    return {
      text: this.textJoiner.push(content),
      reasoning: this.reasoningJoiner.push(reasoning),
      calls,
      isProgress: content !== '' || reasoning !== '' || details.length > 0 || calls.length > 0,
    };
  }

  private overflow(isProgress: boolean): ChunkNews | undefined {
    const what =
      this.textSizeBytes > MAX_TEXT_BYTES ? `text is longer than ${MAX_TEXT_BYTES} bytes` : undefined;
    const why =
      what ??
      (this.calls.tooLarge ? `arguments of a call are longer than ${MAX_CALL_ARGS_BYTES} bytes` : undefined);
    if (why === undefined) return undefined;
    const failure: Failure = {
      kind: 'too_large',
      message: `the ${why}; ask for less at a time`,
      provider: this.provider,
    };
    return { text: '', reasoning: '', calls: [], isProgress, failure };
  }
}
