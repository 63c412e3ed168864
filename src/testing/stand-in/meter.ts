import type { Answer } from './answer.js';
import type { LedgerEntry } from './ledger.js';
import { isCancellable, promptPriceOf } from './models.js';

/** Keeps the bill of one generation true while it goes out. How it ends decides what is paid (OpenRouter's streaming and zero-completion-insurance pages). */
export class Meter {
  #sentChars = 0;

  constructor(
    readonly entry: LedgerEntry,
    readonly answer: Answer,
    readonly onComplete: () => void = () => undefined,
  ) {}

  /** Some more of the answer went out. */
  sent(chars: number): void {
    this.#sentChars += chars;
    this.#charge(this.#sentShare());
  }

  /** All of it went out. */
  complete(): void {
    this.#close({ share: 1, completed: true, finishReason: this.answer.finishReason });
    this.onComplete();
  }

  /** Whether the last token went out, if not yet the end of the body. */
  get sentAll(): boolean {
    return this.#sentShare() === 1;
  }

  /** It broke off on the way: what was written is paid. */
  brokenOff(): void {
    this.#close({ share: this.#sentShare() });
  }

  /** The client hung up. Providers that cannot be stopped write to the end, and are paid for it. */
  left(): void {
    const goesOn = !this.entry.streamed || !isCancellable(this.answer.model);
    this.#close({ share: goesOn ? 1 : this.#sentShare(), cancelled: true });
  }

  /** It ended in an error: nothing is paid. */
  failed(): void {
    this.#close({ share: 0, finishReason: 'error' });
    this.entry.costNanoUsd = 0;
  }

  #sentShare(): number {
    const { text, reasoning, calls } = this.answer;
    const total = calls.reduce(
      (sum, call) => sum + call.name.length + (call.args?.length ?? 0),
      text.length + reasoning.length,
    );
    return total === 0 ? 0 : Math.min(1, this.#sentChars / total);
  }

  #charge(share: number): void {
    if (this.entry.cached) return;
    const { tokens, costNanoUsd } = this.answer;
    const promptNanoUsd = Math.min(costNanoUsd, promptPriceOf(this.answer.model, tokens));
    this.entry.completionTokens = Math.ceil(tokens.completionTokens * share);
    const writtenShare =
      tokens.completionTokens === 0 ? share : this.entry.completionTokens / tokens.completionTokens;
    this.entry.costNanoUsd = promptNanoUsd + Math.ceil((costNanoUsd - promptNanoUsd) * writtenShare);
  }

  #close(end: {
    share: number;
    completed?: boolean;
    cancelled?: boolean;
    finishReason?: string | null;
  }): void {
    if (!this.entry.open) return;
    this.#charge(end.share);
    this.entry.open = false;
    this.entry.completed = end.completed ?? false;
    this.entry.cancelled = end.cancelled ?? false;
    this.entry.finishReason = end.finishReason ?? null;
  }
}
