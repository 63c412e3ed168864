import { Context } from '@temporalio/activity';

/** What the heartbeat of a streaming activity shows: the newest piece of what it makes. */
export interface Tail {
  attempt: number;
  /** The request to the model may have gone out. */
  sent?: true;
  /** The server's id of the model call under way. */
  generationId?: string;
  /** Characters before `text`. */
  offset?: number;
  text?: string;
  reasoningOffset?: number;
  reasoning?: string;
  /** Of a tool that may run only once: whether it may have begun. */
  acting?: boolean;
  /** A line of a tool for watchers. */
  progress?: string;
}

/** Characters of text in one heartbeat. Details live in the server's mutable state, so they stay small. */
export const TAIL_CHARS = 2_000;

/** Fastest and, by design §9, the share of the time-out that is the slowest pace. */
const FASTEST_MS = 200;
const SLOWEST_SHARE = 0.4;

/** With nothing new to say: the answer to a heartbeat is how a call learns that it was called off, and a model may be silent for minutes. */
const QUIET_MS = 600;

/** A worker sends about a hundred heartbeats a second at most; each costs the server. */
const MS_PER_LIVE_ACTIVITY = 10;

/** Paces the heartbeats of one worker by the number of activities that are alive. */
export class HeartbeatPacer {
  private live = 0;

  /**
   * Runs `work` with heartbeats under way. `details` is read at each beat; an unchanged one is sent less often, to stay alive and to
   * hear of a cancellation: within 0.6 s on a worker with up to sixty live activities.
   * `work` may call for a beat when something cannot wait.
   * @param isTold the server has the first details already.
   */
  async during<T>(
    details: () => Tail,
    work: (beat: () => void) => Promise<T>,
    { isTold = false }: { isTold?: boolean } = {},
  ): Promise<T> {
    const context = Context.current();
    const slowestMs = SLOWEST_SHARE * (context.info.heartbeatTimeoutMs ?? 8_000);
    const paceMs = (leastMs: number) =>
      Math.min(Math.max(this.live * MS_PER_LIVE_ACTIVITY, leastMs), slowestMs);
    let sent = isTold ? JSON.stringify(details()) : '';
    let sentAtMs = isTold ? Date.now() : 0;
    const beat = () => {
      const value = details();
      const text = JSON.stringify(value);
      // Timers may fire a little early, and a beat that is left out then comes a whole interval late.
      if (text === sent && Date.now() - sentAtMs < paceMs(QUIET_MS) - FASTEST_MS / 2) return;
      sent = text;
      sentAtMs = Date.now();
      context.heartbeat(value);
    };
    let timer: NodeJS.Timeout | undefined;
    const schedule = () => {
      timer = setTimeout(() => {
        beat();
        schedule();
      }, paceMs(FASTEST_MS));
    };
    this.live += 1;
    beat();
    schedule();
    try {
      return await work(beat);
    } finally {
      this.live -= 1;
      clearTimeout(timer);
    }
  }
}
