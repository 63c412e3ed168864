import { CallSlots } from './call-slots.js';
import type { Failure } from './classify.js';
import { PairJoiner, wellFormed } from './well-formed.js';
import type { ChunkNews } from './wire-format.js';

/** The longest text of an answer, 8 MiB as UTF-8. */
export const MAX_TEXT_BYTES = 8_388_608;
/** The longest thoughts of an answer, 8 MiB as UTF-8: of the text that is shown, and of what is kept to be sent back. */
export const MAX_REASONING_BYTES = 8_388_608;
/** The most calls of an answer. */
export const MAX_CALLS = 1_000;
// On the wire where an answer is a list of items: each call may have a thought and a word of its own.
const MAX_ITEMS = 3 * MAX_CALLS;
/** The longest arguments of all calls together, 32 MiB as UTF-8. Those of a call that is too long count, though they are not kept. */
export const MAX_ARGS_BYTES = 33_554_432;

/** The text and the calls of an answer that streams in, within their limits: the same for every wire. */
export class AnswerParts {
  readonly calls = new CallSlots();
  /** What servers behind the server call themselves, for errors. */
  provider: string | undefined;
  /** The size of the reasoning that is kept to be sent back. */
  keptReasoningBytes = 0;
  /** How many items the answer has, on a wire that has items. */
  itemCount = 0;
  private written = '';
  private textBytes = 0;
  private thoughtBytes = 0;
  private readonly textJoiner = new PairJoiner();
  private readonly reasoningJoiner = new PairJoiner();

  /** All of the text so far. */
  get text(): string {
    return wellFormed(this.written);
  }

  /** Whether nothing was written yet; thoughts aside. */
  get isEmpty(): boolean {
    return this.written === '' && this.calls.count === 0;
  }

  /** Whether nothing was thought yet that could be shown. */
  get isThoughtless(): boolean {
    return this.thoughtBytes === 0;
  }

  /** Takes a piece of text and gives back what can be shown by now. */
  addText(piece: string): string {
    this.written += piece;
    this.textBytes += Buffer.byteLength(piece);
    return this.textJoiner.push(piece);
  }

  /** Takes a piece of thought, which is shown and not kept. */
  addReasoning(piece: string): string {
    this.thoughtBytes += Buffer.byteLength(piece);
    return this.reasoningJoiner.push(piece);
  }

  /** The news as they are, or the failure that the answer is too long by now. */
  bounded(news: ChunkNews): ChunkNews {
    const what = this.excess();
    if (what === undefined) return news;
    return failed({
      kind: 'too_large',
      message: `the ${what}; ask for less at a time`,
      provider: this.provider,
    });
  }

  private excess(): string | undefined {
    const { calls, itemCount, textBytes, thoughtBytes, keptReasoningBytes } = this;
    if (textBytes > MAX_TEXT_BYTES) return `text is longer than ${MAX_TEXT_BYTES} bytes`;
    if (Math.max(thoughtBytes, keptReasoningBytes) > MAX_REASONING_BYTES)
      return `reasoning is longer than ${MAX_REASONING_BYTES} bytes`;
    if (calls.count > MAX_CALLS) return `answer has more than ${MAX_CALLS} calls`;
    if (itemCount > MAX_ITEMS) return `answer has more than ${MAX_ITEMS} items`;
    return calls.sizeBytes > MAX_ARGS_BYTES
      ? `arguments of all calls together are longer than ${MAX_ARGS_BYTES} bytes`
      : undefined;
  }
}

/** News of nothing but a failure. */
export function failed(failure: Failure): ChunkNews {
  return { text: '', reasoning: '', calls: [], isProgress: true, failure };
}
