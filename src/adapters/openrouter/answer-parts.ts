import { CallSlots, MAX_CALL_ARGS_BYTES } from './call-slots.js';
import type { Failure } from './classify.js';
import { PairJoiner, wellFormed } from './well-formed.js';
import type { ChunkNews } from './wire-format.js';

/** The longest text of an answer, 8 MiB as UTF-8. */
export const MAX_TEXT_BYTES = 8_388_608;

/** The text and the calls of an answer that streams in, within their limits: the same for every wire. */
export class AnswerParts {
  readonly calls = new CallSlots();
  /** What servers behind the server call themselves, for errors. */
  provider: string | undefined;
  private written = '';
  private sizeBytes = 0;
  private readonly textJoiner = new PairJoiner();
  private readonly reasoningJoiner = new PairJoiner();

  /** All of the text so far. */
  get text(): string {
    return wellFormed(this.written);
  }

  /** Whether nothing was written yet. */
  get isEmpty(): boolean {
    return this.written === '' && this.calls.count === 0;
  }

  /** Takes a piece of text and gives back what can be shown by now. */
  addText(piece: string): string {
    this.written += piece;
    this.sizeBytes += Buffer.byteLength(piece);
    return this.textJoiner.push(piece);
  }

  /** Takes a piece of thought, which is shown and not kept. */
  addReasoning(piece: string): string {
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
    if (this.sizeBytes > MAX_TEXT_BYTES) return `text is longer than ${MAX_TEXT_BYTES} bytes`;
    return this.calls.tooLarge
      ? `arguments of a call are longer than ${MAX_CALL_ARGS_BYTES} bytes`
      : undefined;
  }
}

/** News of nothing but a failure. */
export function failed(failure: Failure): ChunkNews {
  return { text: '', reasoning: '', calls: [], isProgress: true, failure };
}
