/** How long an answer may keep silent. All in milliseconds. */
export interface Patience {
  /** From the request to the first content. */
  firstContentTimeoutMs: number;
  /** Between two pieces of content. */
  stallTimeoutMs: number;
}

// An answer that is complete waits this long for the end of the body, so that the connection can be used again: servers exist that
// keep it open after [DONE], and a last usage chunk may follow one that looked like the last.
const AFTER_DONE_MS = 100;
const AFTER_USAGE_MS = 1_000;

/**
 * Ends a call that its caller cancelled, that stopped flowing, or that is complete but not closed. Only content counts as life:
 * comments (`: OPENROUTER PROCESSING`) flow for ever from a provider that hangs.
 */
export class Watchdog {
  private readonly controller = new AbortController();
  private readonly onAbort = (): void => this.controller.abort();
  private timer: NodeJS.Timeout;
  private hasContent = false;
  private isComplete = false;
  /** How many milliseconds of silence ended the call, when that is what ended it. */
  stalledAfterMs: number | null = null;

  constructor(
    private readonly caller: AbortSignal,
    private readonly patience: Patience,
  ) {
    this.timer = this.start(patience.firstContentTimeoutMs);
    caller.addEventListener('abort', this.onAbort, { once: true });
    if (caller.aborted) this.onAbort();
  }

  /** Aborts with the call. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Content came. */
  progress(): void {
    if (this.isComplete) return;
    if (this.hasContent) {
      this.timer.refresh();
      return;
    }
    this.hasContent = true;
    this.restart(this.patience.stallTimeoutMs);
  }

  /** Nothing more is needed; the body may still end by itself for a moment. */
  complete({ sawDone }: { sawDone: boolean }): void {
    if (this.isComplete && !sawDone) return;
    this.isComplete = true;
    this.restart(sawDone ? AFTER_DONE_MS : AFTER_USAGE_MS);
  }

  /** Stops watching. */
  close(): void {
    clearTimeout(this.timer);
    this.caller.removeEventListener('abort', this.onAbort);
  }

  private restart(timeoutMs: number): void {
    clearTimeout(this.timer);
    this.timer = this.start(timeoutMs);
  }

  private start(timeoutMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      if (!this.isComplete) this.stalledAfterMs = timeoutMs;
      this.controller.abort();
    }, timeoutMs);
  }
}
