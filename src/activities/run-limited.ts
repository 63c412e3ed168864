/** How a piece of work of a tool ended: by itself, at its time limit, or because it was told to. */
export type Ended =
  | { kind: 'returned'; value: unknown }
  | { kind: 'threw'; error: unknown }
  | { kind: 'timed_out' }
  | { kind: 'aborted' };

/** How long a tool that was told to end may take to do so before it is left behind. */
const ABORT_GRACE_MS = 3_000;

/** Runs `work` within its time limit; what does not end when told to is left behind. */
export async function runLimited(
  work: (signal: AbortSignal) => Promise<unknown>,
  { signal: outer, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
): Promise<Ended> {
  const limit = new AbortController();
  const signal = AbortSignal.any([outer, limit.signal]);
  const timer = setTimeout(() => limit.abort(), timeoutMs);
  const returned = Promise.resolve()
    .then(() => work(signal))
    .then(
      (value): Ended => ({ kind: 'returned', value }),
      (error: unknown): Ended => ({ kind: 'threw', error }),
    );
  try {
    const ended = await Promise.race([returned, abandoned()]);
    if (ended.kind !== 'threw' || !signal.aborted) return ended;
    return { kind: limit.signal.aborted ? 'timed_out' : 'aborted' };
  } finally {
    clearTimeout(timer);
  }

  async function abandoned(): Promise<Ended> {
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await new Promise((resolve) => setTimeout(resolve, ABORT_GRACE_MS).unref());
    return { kind: limit.signal.aborted ? 'timed_out' : 'aborted' };
  }
}
