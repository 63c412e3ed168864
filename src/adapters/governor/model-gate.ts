import {
  afterRefusal,
  afterSuccesses,
  newThrottle,
  openPart,
  opensAtMs,
  planComeback,
  type Comeback,
  type Throttle,
} from '../../core/model/throttle.js';
import type { Permit, PermitEnd } from '../../ports/governor.js';

/** A share of the fleet's limit. */
export interface Share {
  size: number;
  epoch: number;
  untilMs: number;
}

/** What happened at a gate since it was last asked. */
export interface Tally {
  inFlight: number;
  /** The most calls that were under way or waiting. */
  want: number;
  /** Of the share, `null` without one. */
  epoch: number | null;
  /** Calls of this epoch that went well. */
  ok: number;
  /** Whether a call of this epoch was refused. */
  limited: boolean;
  /** Until when a server asked to stay away; 0 when it did not. */
  retryAtMs: number;
}

/** What a gate works with. */
export interface GateOptions {
  /** A clock that only goes forward. */
  nowMs: () => number;
  /** From 0 to 1. */
  random: () => number;
  maxLimit: number;
  /** Called after each change. */
  onChange: () => void;
}

/** Calls that a worker may have under way while it has no share. It grows with success, as a fleet's limit does. */
export const LIMIT_WITHOUT_SHARE = 4;

/** Where the calls to one model pass, first come first served. Without a share it finds its own limit. */
export class ModelGate {
  private readonly waiting = new Set<() => void>();
  private inFlight = 0;
  private throttle: Throttle;
  private pause = { atMs: 0, untilMs: 0, lot: 0 };
  private comeback: Comeback = { fromMs: 0, easeMs: 0 };
  private share: Share | null = null;
  /** The share was halved for a refusal that the fleet may not know of yet. */
  private isHalved = false;
  private isOpen = false;
  private want = 0;
  private ok = 0;
  private limited = false;
  private retryAtMs = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: GateOptions) {
    this.throttle = newThrottle({ limit: LIMIT_WITHOUT_SHARE, maxLimit: options.maxLimit });
  }

  /** @throws the reason of `signal` when it aborts while waiting */
  admit(signal: AbortSignal): Promise<Permit> {
    return new Promise((resolve, reject) => {
      // Whoever aborts gets back what they gave, error or not.
      const abort = () => reject(signal.reason as Error);
      if (signal.aborted) return abort();
      const letThrough = () => {
        signal.removeEventListener('abort', onAbort);
        resolve(this.issue());
      };
      const onAbort = () => {
        this.waiting.delete(letThrough);
        abort();
        this.settle();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.waiting.add(letThrough);
      this.settle();
    });
  }

  /** Whether calls are under way or waiting. */
  get isBusy(): boolean {
    return this.inFlight > 0 || this.waiting.size > 0;
  }

  /** Whether calls wait for nothing but a larger share. */
  get isShort(): boolean {
    return (
      this.waiting.size > 0 && this.inFlight >= this.limit && this.options.nowMs() >= this.comeback.fromMs
    );
  }

  /** Whether there is a refusal that nobody was told of. */
  get wasRefused(): boolean {
    return this.limited || this.retryAtMs > 0;
  }

  /** Calls under way. */
  get load(): number {
    return this.inFlight;
  }

  /** Takes a share, or with `null` hands it back, and keeps the fleet's pause. */
  take(share: Share | null, pauseMs: number): void {
    if (share?.epoch !== this.share?.epoch) [this.ok, this.limited] = [0, false];
    if (share === null) {
      this.throttle = newThrottle({ limit: LIMIT_WITHOUT_SHARE, maxLimit: this.options.maxLimit });
    }
    this.share = share;
    this.isHalved = false;
    if (pauseMs > 0) this.pauseUntil(this.options.nowMs() + pauseMs);
    this.settle();
  }

  /** What happened since the last time. */
  takeTally(): Tally {
    const { inFlight, want, ok, limited, retryAtMs } = this;
    this.want = inFlight + this.waiting.size;
    this.ok = 0;
    this.limited = false;
    this.retryAtMs = 0;
    return { inFlight, want, epoch: this.currentShare()?.epoch ?? null, ok, limited, retryAtMs };
  }

  /** Puts back a tally that could not be told. */
  putBack(tally: Tally): void {
    this.want = Math.max(this.want, tally.want);
    this.retryAtMs = Math.max(this.retryAtMs, tally.retryAtMs);
    if (tally.epoch !== (this.currentShare()?.epoch ?? null)) return;
    this.ok += tally.ok;
    this.limited ||= tally.limited;
  }

  /** From now on everyone passes. */
  open(): void {
    this.isOpen = true;
    this.settle();
  }

  private get limit(): number {
    if (this.isOpen) return Infinity;
    return this.currentShare()?.size ?? this.throttle.limit;
  }

  private currentShare(): Share | null {
    return this.share !== null && this.options.nowMs() < this.share.untilMs ? this.share : null;
  }

  private settle(): void {
    this.want = Math.max(this.want, this.inFlight + this.waiting.size);
    const nowMs = this.options.nowMs();
    const open = this.isOpen ? Infinity : openPart(this.limit, this.comeback, nowMs);
    for (const letThrough of this.waiting) {
      if (this.inFlight >= open) break;
      this.waiting.delete(letThrough);
      letThrough();
    }
    this.setTimer(nowMs);
    this.options.onChange();
  }

  /** Wakes up when time alone changes something for those who wait. */
  private setTimer(nowMs: number): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.waiting.size === 0) return;
    const { comeback } = this;
    const opensMs = opensAtMs({ used: this.inFlight, limit: this.limit }, comeback, nowMs);
    const endsMs = comeback.fromMs > nowMs ? comeback.fromMs : Infinity;
    const atMs = Math.min(opensMs ?? Infinity, endsMs, this.currentShare()?.untilMs ?? Infinity);
    if (atMs < Infinity) this.timer = setTimeout(() => this.settle(), Math.max(1, Math.ceil(atMs - nowMs)));
  }

  private issue(): Permit {
    this.inFlight += 1;
    const passed = { epoch: this.currentShare()?.epoch ?? null, ownEpoch: this.throttle.epoch };
    let hasEnded = false;
    return {
      end: (how) => {
        if (hasEnded) return;
        hasEnded = true;
        this.learn(how, passed);
        this.inFlight -= 1;
        this.settle();
      },
    };
  }

  private learn(how: PermitEnd, passed: { epoch: number | null; ownEpoch: number }): void {
    const isCurrent = passed.epoch === (this.currentShare()?.epoch ?? null);
    const isOwn = passed.ownEpoch === this.throttle.epoch;
    if (how.kind === 'ok') {
      if (isCurrent) this.ok += 1;
      const { maxLimit } = this.options;
      const wanted = this.inFlight + this.waiting.size;
      if (isOwn) this.throttle = afterSuccesses(this.throttle, { count: 1, wanted, maxLimit });
    } else if (how.kind === 'limited') {
      this.refuse(how.retryAfterMs ?? null, { isCurrent, ownEpoch: passed.ownEpoch });
    }
  }

  private refuse(retryAfterMs: number | null, passed: { isCurrent: boolean; ownEpoch: number }): void {
    const atMs = this.options.nowMs();
    this.throttle = afterRefusal(this.throttle, { atMs, epoch: passed.ownEpoch, retryAfterMs });
    this.pauseUntil(this.throttle.notBeforeMs);
    if (retryAfterMs !== null && retryAfterMs > 0)
      this.retryAtMs = Math.max(this.retryAtMs, atMs + retryAfterMs);
    if (!passed.isCurrent) return;
    this.limited = true;
    if (this.share === null || this.isHalved) return;
    this.share = { ...this.share, size: Math.max(1, Math.floor(this.share.size / 2)) };
    this.isHalved = true;
  }

  private pauseUntil(untilMs: number): void {
    const atMs = this.options.nowMs();
    const { pause } = this;
    if (untilMs <= atMs || untilMs <= pause.untilMs) return;
    // A pause that grows stays the same pause: it does not draw its lot again.
    const isNew = atMs >= pause.untilMs;
    this.pause = isNew ? { atMs, untilMs, lot: this.options.random() } : { ...pause, untilMs };
    this.comeback = planComeback(this.pause, this.pause.lot);
  }
}
