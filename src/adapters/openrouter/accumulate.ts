import type { JsonValue } from '../../core/json.js';
import { AnswerParts, failed } from './answer-parts.js';
import type { CallFragment } from './call-slots.js';
import type { Failure } from './classify.js';
import { readFailure } from './failures.js';
import { at, countAt, isObject, listAt, textAt } from './json-read.js';
import { ReasoningDetails, visibleReasoning } from './reasoning.js';
import type { AnswerAccumulator, ChunkNews, WireAnswer } from './wire-format.js';

/**
 * Gathers the chunks of one streamed chat completion. It is our own because the stream helper of `openai` keeps only the last piece of
 * `reasoning_details`. A whole, unstreamed completion is taken like one chunk.
 */
export class Accumulator implements AnswerAccumulator {
  generationId: string | null = null;
  private finishReason: string | null = null;
  private usage: JsonValue | null = null;
  private model: string | null = null;
  private isDone = false;
  private isDocument = false;
  private hasMessage = false;
  private readonly parts = new AnswerParts();
  private readonly reasoning = new ReasoningDetails();
  private hasReasoningList = false;

  /**
   * Whether nothing that matters can be missing: a message, a finish reason, and the usage or `[DONE]` after it. Some providers send
   * tool calls without a finish reason; then usage and `[DONE]` both stand for it.
   */
  get isComplete(): boolean {
    if (!this.hasMessage || this.isDocument) return this.hasMessage;
    if (this.finishReason !== null) return this.isDone || this.usage !== null;
    return this.parts.calls.count > 0 && this.isDone && this.usage !== null;
  }

  done(): void {
    this.isDone = true;
  }

  whole(): void {
    this.isDocument = true;
  }

  add(chunk: JsonValue): ChunkNews {
    this.noteEnvelope(chunk);
    const choice = listAt(chunk, 'choices').find((entry) => (at(entry, 'index') ?? 0) === 0);
    const failure = this.failureIn(chunk, choice);
    if (failure !== undefined) return failed(failure);
    const delta = at(choice, 'delta') ?? at(choice, 'message');
    this.hasMessage ||= isObject(delta);
    const news = this.addDelta(delta);
    const finishReason = textAt(choice, 'finish_reason');
    // The usage chunk that follows carries a null here, which takes nothing back.
    if (finishReason !== undefined) this.finishReason = finishReason;
    return this.parts.bounded({ ...news, isProgress: news.isProgress || finishReason !== undefined });
  }

  answer(idPrefix: string, taken: Iterable<string> = []): WireAnswer {
    const reasoning = this.reasoning.list();
    return {
      text: this.parts.text,
      calls: this.parts.calls.list(idPrefix, taken),
      reasoning,
      ...(this.hasReasoningList && reasoning.length === 0 && { emptyReasoning: true }),
      finishReason: this.finishReason ?? (this.parts.calls.count > 0 ? 'tool_calls' : 'stop'),
      model: this.model,
      tokens: {
        promptTokens: countAt(this.usage ?? undefined, 'prompt_tokens'),
        completionTokens: countAt(this.usage ?? undefined, 'completion_tokens'),
        cachedTokens: countAt(this.usage ?? undefined, 'prompt_tokens_details', 'cached_tokens'),
      },
      usage: this.usage,
    };
  }

  truncation(): Failure {
    const end = this.finishReason === null ? 'finish_reason' : 'usage and [DONE]';
    return {
      kind: 'truncated',
      message: `the answer ended without ${this.hasMessage ? end : 'a message'}`,
      provider: this.parts.provider,
    };
  }

  private noteEnvelope(chunk: JsonValue): void {
    const id = textAt(chunk, 'id');
    if (id?.startsWith('gen-')) this.generationId = id;
    this.model = textAt(chunk, 'model') ?? this.model;
    this.parts.provider = textAt(chunk, 'provider') ?? this.parts.provider;
    const usage = at(chunk, 'usage');
    if (isObject(usage)) this.usage = usage;
  }

  private failureIn(chunk: JsonValue, choice: JsonValue | undefined): Failure | undefined {
    const error = at(chunk, 'error') ?? at(choice, 'error') ?? undefined;
    const isFailed = textAt(choice, 'finish_reason') === 'error';
    if (error === undefined && !isFailed) return undefined;
    return readFailure(error, {
      kind: 'body',
      provider: this.parts.provider,
      message: 'the provider failed while answering',
    });
  }

  private addDelta(delta: JsonValue | undefined): ChunkNews {
    const content = textAt(delta, 'content') ?? textAt(delta, 'refusal') ?? '';
    const details = listAt(delta, 'reasoning_details');
    this.reasoning.add(details);
    this.parts.keptReasoningBytes = this.reasoning.sizeBytes;
    this.hasReasoningList ||= Array.isArray(at(delta, 'reasoning_details'));
    const reasoning = visibleReasoning(delta);
    const calls = listAt(delta, 'tool_calls').map((entry) => this.parts.calls.add(fragmentOf(entry)));
    return {
      text: this.parts.addText(content),
      reasoning: this.parts.addReasoning(reasoning),
      calls,
      isProgress: content !== '' || reasoning !== '' || details.length > 0 || calls.length > 0,
    };
  }
}

/** Reads one entry of `delta.tool_calls`. */
function fragmentOf(entry: JsonValue): CallFragment {
  const index = at(entry, 'index');
  return {
    index: typeof index === 'number' ? index : undefined,
    id: textAt(entry, 'id') ?? '',
    name: textAt(entry, 'function', 'name') ?? '',
    text: argumentsText(at(entry, 'function', 'arguments')),
  };
}

// A few servers send the arguments as an object instead of its text.
function argumentsText(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
