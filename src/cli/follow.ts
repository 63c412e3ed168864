import { setTimeout as delay } from 'node:timers/promises';
import type { Delta } from '../client/deltas.js';
import type { WatchedEvent } from '../client/run-handle.js';
import { isAgentError } from '../core/errors.js';
import type { Run } from './context.js';
import { DeltaGate } from './delta-gate.js';
import { lookForWorker } from './missing-worker.js';

/** Who is told what happens, in order. */
export interface Listener {
  event(event: WatchedEvent): void;
  delta(delta: Delta): void;
}

/** How a run is followed. */
export interface FollowOptions {
  signal: AbortSignal;
  /** Whether deltas are wanted. */
  deltas: boolean;
  /** Hears once when the server is away. */
  onLost(text: string): void;
  /** Hears once when no worker is there to begin the run. */
  onNoWorker?(text: string): void;
}

/** How long a server that was there before may be away: time to restart it. */
const PATIENCE_MS = 120_000;
const RETRY_MS = 1_000;
/** Replay opens and closes steps faster than this; only what stays open is asked for deltas. */
const SETTLE_MS = 50;

/**
 * Tells the events of a run from the first one until it ends or `signal` says stop, and between them the deltas of what is under way.
 * A server that goes away is waited for.
 * @throws AgentError `RUN_NOT_FOUND`, `TEMPORAL_UNREACHABLE`
 */
export async function follow(run: Run, options: FollowOptions, listener: Listener): Promise<void> {
  const gate = new DeltaGate();
  const tail = new DeltaTail(run, (delta) => gate.delta(delta).forEach((one) => listener.delta(one)));
  const stopLooking = lookForWorker(run, (text) => options.onNoWorker?.(text));
  let nextSeq = 0;
  let lostAtMs: number | null = null;
  try {
    for (;;) {
      try {
        for await (const event of run.events({ fromSeq: nextSeq, signal: options.signal })) {
          stopLooking();
          lostAtMs = null;
          nextSeq = event.seq + 1;
          listener.event(event);
          for (const delta of gate.event(event)) listener.delta(delta);
          if (options.deltas) tail.set(gate.isBusy());
        }
        return;
      } catch (error) {
        const isAway = isAgentError(error) && error.code === 'TEMPORAL_UNREACHABLE';
        if (!isAway || nextSeq === 0 || (lostAtMs !== null && Date.now() - lostAtMs > PATIENCE_MS))
          throw error;
        if (lostAtMs === null) options.onLost('The Temporal server does not answer. Waiting for it.');
        lostAtMs ??= Date.now();
        await delay(RETRY_MS, undefined, { signal: options.signal }).catch(() => undefined);
      }
    }
  } finally {
    stopLooking();
    tail.set(false);
  }
}

/** Reads deltas while something is under way. A run may wait for a human for days, and each look costs the server. */
class DeltaTail {
  private reading: AbortController | null = null;

  constructor(
    private readonly run: Run,
    private readonly tell: (delta: Delta) => void,
  ) {}

  set(isWanted: boolean): void {
    if (!isWanted) {
      this.reading?.abort();
      this.reading = null;
    } else if (!this.reading) {
      this.reading = new AbortController();
      void this.read(this.reading.signal);
    }
  }

  private async read(signal: AbortSignal): Promise<void> {
    await delay(SETTLE_MS);
    while (!signal.aborted) {
      try {
        for await (const delta of this.run.deltas(signal)) if (!signal.aborted) this.tell(delta);
      } catch {
        // Deltas are an extra; a server that is away is noticed where events are read.
        await delay(RETRY_MS);
      }
    }
  }
}
