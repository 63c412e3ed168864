import type { JsonObject, JsonValue } from '../../../core/json.js';
import { AnswerParts, failed } from '../answer-parts.js';
import type { CallFragment } from '../call-slots.js';
import type { Failure } from '../classify.js';
import { readFailure } from '../failures.js';
import { at, countAt, isObject, listAt, textAt } from '../json-read.js';
import type { AnswerAccumulator, ChunkNews, WireAnswer } from '../wire-format.js';
import { OutputOrder } from './output-order.js';
import { StreamedParts } from './streamed-parts.js';

const NOTHING: ChunkNews = { text: '', reasoning: '', calls: [], isProgress: false };

/**
 * Gathers the events of one streamed response. What a server tells more than once (in deltas, at the end of a part, of an item, and of
 * the response) counts once; what it tells only once is taken from wherever that is. A whole, unstreamed response is taken like its
 * last event.
 */
export class ResponseAccumulator implements AnswerAccumulator {
  generationId: string | null = null;
  private finishReason: string | null = null;
  private usage: JsonObject | null = null;
  private model: string | null = null;
  private phase: string | undefined;
  private readonly parts = new AnswerParts();
  private readonly order = new OutputOrder();
  private readonly texts = new StreamedParts();
  private readonly thoughts = new StreamedParts();

  /**
   * Whether the response itself said that it has ended; its usage comes with that. One that had nothing to be cut, and yet tells of
   * nothing, is no answer.
   */
  get isComplete(): boolean {
    return this.finishReason !== null && !(this.finishReason === 'stop' && this.isNothing);
  }

  private get isNothing(): boolean {
    return this.order.count === 0 && this.parts.isEmpty && this.parts.isThoughtless;
  }

  done(): void {
    // [DONE] adds nothing here: a response that has not said how it ended is cut off.
  }

  whole(): void {
    // A whole response says itself how it ended.
  }

  add(event: JsonValue): ChunkNews {
    const failure = this.failureIn(event);
    if (failure !== undefined) return failed(failure);
    const news = this.read(event);
    this.parts.keptReasoningBytes = this.order.sizeBytes;
    this.parts.itemCount = this.order.count;
    return news.failure === undefined ? this.parts.bounded(news) : news;
  }

  answer(idPrefix: string, taken: Iterable<string> = []): WireAnswer {
    const calls = this.parts.calls.list(idPrefix, taken);
    const usage = this.usage ?? undefined;
    const [promptTokens, completionTokens] = [
      countAt(usage, 'input_tokens'),
      countAt(usage, 'output_tokens'),
    ];
    const isStop = this.finishReason === 'stop' || this.finishReason === null;
    return {
      text: this.parts.text,
      calls,
      reasoning: this.order.list(),
      ...(this.phase !== undefined && { phase: this.phase }),
      finishReason: isStop ? (calls.length > 0 ? 'tool_calls' : 'stop') : (this.finishReason ?? 'stop'),
      model: this.model,
      tokens: {
        promptTokens,
        completionTokens,
        cachedTokens: countAt(usage, 'input_tokens_details', 'cached_tokens'),
      },
      usage: this.usage && {
        ...this.usage,
        prompt_tokens: promptTokens,
        completion_tokens: completionTokens,
      },
    };
  }

  truncation(): Failure {
    const missing = this.finishReason === null ? 'response.completed' : 'any output';
    return { kind: 'truncated', message: `the answer ended without ${missing}` };
  }

  private read(event: JsonValue): ChunkNews {
    const index = (): number => this.order.placeOf(at(event, 'output_index'), textAt(event, 'item_id'));
    const key = (): { group: string; part: string } => ({
      group: String(index()),
      part: String(countAt(event, 'content_index')),
    });
    const thoughtKey = (kind: string): { group: string; part: string } => ({
      group: `${index()}${kind}${countAt(event, `${kind}_index`)}`,
      part: '',
    });
    switch (textAt(event, 'type')) {
      case 'response.created':
      case 'response.in_progress':
        this.noteResponse(at(event, 'response'));
        return NOTHING;
      case 'response.output_item.added':
        return this.readItem(at(event, 'item'), this.itemPlace(event), { isWhole: false });
      case 'response.output_item.done':
        return this.readItem(at(event, 'item'), this.itemPlace(event), { isWhole: true });
      case 'response.output_text.delta':
      case 'response.refusal.delta':
      case 'response.content_part.delta':
        return this.said(this.texts.push(key(), textAt(event, 'delta') ?? ''));
      case 'response.output_text.done':
        return this.said(this.texts.settle(key(), textAt(event, 'text') ?? ''));
      case 'response.refusal.done':
        return this.said(this.texts.settle(key(), textAt(event, 'refusal') ?? ''));
      case 'response.reasoning.delta':
      case 'response.reasoning_text.delta':
        return this.thought(this.thoughts.push(thoughtKey('content'), textAt(event, 'delta') ?? ''));
      case 'response.reasoning_summary_text.delta':
        return this.thought(this.thoughts.push(thoughtKey('summary'), textAt(event, 'delta') ?? ''));
      case 'response.function_call_arguments.delta':
        return this.called('add', fragmentOf(event, index(), 'delta'));
      case 'response.function_call_arguments.done':
        return this.called('settle', fragmentOf(event, index(), 'arguments'));
      case 'response.incomplete':
        return this.end(at(event, 'response'), 'incomplete');
      case 'response.completed':
      case 'response.done':
        return this.end(at(event, 'response'), 'completed');
      default:
        return isWholeResponse(event) ? this.end(event, 'completed') : NOTHING;
    }
  }

  private itemPlace(event: JsonValue): number {
    return this.order.placeOf(at(event, 'output_index'), textAt(event, 'item', 'id'));
  }

  private said(text: string): ChunkNews {
    return { ...NOTHING, text: this.parts.addText(text), isProgress: text !== '' };
  }

  private thought(text: string): ChunkNews {
    const shown = text.trim() === '[REDACTED]' ? '' : text;
    return { ...NOTHING, reasoning: this.parts.addReasoning(shown), isProgress: text !== '' };
  }

  private called(how: 'add' | 'settle', fragment: CallFragment): ChunkNews {
    return { ...NOTHING, calls: [this.parts.calls[how](fragment)], isProgress: true };
  }

  private readItem(item: JsonValue | undefined, place: number, { isWhole }: { isWhole: boolean }): ChunkNews {
    if (!isObject(item)) return NOTHING;
    this.order.note(place, item);
    const group = String(place);
    switch (item['type']) {
      case 'function_call':
        return this.called('settle', fragmentOf(item, place, 'arguments'));
      case 'message': {
        const phase = textAt(item, 'phase');
        // Several messages go back as one, which is then the last word if any of them was.
        if (phase !== undefined && this.phase !== 'final_answer') this.phase = phase;
        const wholes = listAt(item, 'content').map((part) => textAt(part, 'text') ?? textAt(part, 'refusal'));
        const rests = wholes.map((whole, part) =>
          this.texts.settle({ group, part: String(part) }, whole ?? ''),
        );
        return this.said(rests.join(''));
      }
      case 'reasoning':
        if (!isWhole) return NOTHING;
        this.order.keep(place, item);
        return { ...this.thought(this.restOfThought(item, group)), isProgress: true };
      default:
        return { ...NOTHING, isProgress: isWhole };
    }
  }

  private restOfThought(item: JsonObject, group: string): string {
    const restOf = (kind: string, parts: JsonValue[]): string =>
      parts
        .map((part, i) =>
          this.thoughts.settle({ group: `${group}${kind}${i}`, part: '' }, textAt(part, 'text') ?? ''),
        )
        .join('');
    return restOf('summary', listAt(item, 'summary')) + restOf('content', listAt(item, 'content'));
  }

  private noteResponse(response: JsonValue | undefined): void {
    const id = textAt(response, 'id');
    if (id?.startsWith('gen-')) this.generationId = id;
    this.model = textAt(response, 'model') ?? this.model;
    const usage = at(response, 'usage');
    if (isObject(usage)) this.usage = usage;
  }

  private end(response: JsonValue | undefined, status: string): ChunkNews {
    this.noteResponse(response);
    const news = listAt(response, 'output').map((item, position) =>
      this.readItem(item, this.order.placeInList(item, position), { isWhole: true }),
    );
    const finishReason = finishReasonOf(response, status);
    if (
      finishReason === 'length' &&
      this.parts.isEmpty &&
      countAt(this.usage ?? undefined, 'output_tokens') === 0
    )
      return failed(noRoom(response));
    this.finishReason = finishReason;
    return {
      text: news.map(({ text }) => text).join(''),
      reasoning: news.map(({ reasoning }) => reasoning).join(''),
      calls: news.flatMap(({ calls }) => calls.filter(({ name, text }) => name !== null || text !== '')),
      isProgress: true,
    };
  }

  private failureIn(event: JsonValue): Failure | undefined {
    const type = textAt(event, 'type');
    const response =
      type?.startsWith('response.') === true && type !== 'response.error' ? at(event, 'response') : event;
    const said = at(response, 'error') ?? (type === 'error' || type === 'response.error' ? event : undefined);
    const status = textAt(response, 'status');
    const isOver = type === 'response.failed' || status === 'failed' || status === 'cancelled';
    if (said === undefined && !isOver) return undefined;
    this.noteResponse(response);
    return failureOf(said, {
      errorType: textAt(response, 'error_type'),
      message: status === 'cancelled' ? 'the response was cancelled' : 'the provider failed while answering',
    });
  }
}

function fragmentOf(source: JsonValue, index: number, argsField: string): CallFragment {
  const args = at(source, argsField) ?? '';
  return {
    index,
    id: textAt(source, 'call_id') ?? '',
    name: textAt(source, 'name') ?? '',
    text: typeof args === 'string' ? args : JSON.stringify(args),
  };
}

function isWholeResponse(document: JsonValue): boolean {
  return at(document, 'type') === undefined && Array.isArray(at(document, 'output'));
}

/** How a response ended, in the words of chat completions; `null` when it has not. `status` is what its event says, should itself not. */
function finishReasonOf(response: JsonValue | undefined, status: string): string | null {
  const reason = textAt(response, 'incomplete_details', 'reason');
  switch (textAt(response, 'status') ?? status) {
    case 'incomplete':
      return reason === 'content_filter' ? reason : 'length';
    case 'in_progress':
    case 'queued':
      return null;
    default:
      return 'stop';
  }
}

/** The words of an error, with the stable type that stands beside it on this wire. */
function failureOf(
  error: JsonValue | undefined,
  { errorType, message }: { errorType: string | undefined; message: string },
): Failure {
  const failure = readFailure(error, { kind: 'body', message });
  return { ...failure, errorType: failure.errorType ?? errorType };
}

/**
 * OpenRouter tells a request that is too long as an answer that ended for its length (docs, "Error code transformations"). An answer
 * that was cut has a token at least; so this is one that had no room, and who asked must hear that.
 */
function noRoom(response: JsonValue | undefined): Failure {
  return failureOf(undefined, {
    errorType: textAt(response, 'error_type') ?? 'context_length_exceeded',
    message: 'the input leaves no room for an answer within the context length; shorten it',
  });
}
