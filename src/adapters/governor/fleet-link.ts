import type { GovernorReply, GovernorReport } from '../../contract/governor.js';
import type { ModelGate } from './model-gate.js';

/** Brings a report to the governor of a model. It may fail; it must not hang. */
export type Exchange = (report: GovernorReport) => Promise<GovernorReply>;

/** What a link works with. */
export interface LinkOptions {
  /** Name of this worker. */
  worker: string;
  exchange: Exchange;
  nowMs: () => number;
  /** From 0 to 1. */
  random: () => number;
  /** Told once, until it works again. */
  onTrouble: (error: unknown) => void;
}

/**
 * Calls that come in the same moment are told of together, and what happens to all workers at once is told by one after the other: a
 * server refuses more than ten updates of a workflow at a time, and each refusal costs those that it took time.
 */
const GATHER_MS = 10;
const SPREAD_MS = 240;
const SPREAD_OF_RENEW = 0.2;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

/** Tells the fleet's governor how a gate does, as seldom as possible, and hands the gate its share. */
export class FleetLink {
  private timer: { dueAtMs: number; handle: NodeJS.Timeout } | null = null;
  private lease: { untilMs: number; renewAtMs: number; share: number; toldInFlight: number } | null = null;
  private notBeforeMs = 0;
  /** When to report what cannot wait; drawn once for each report. */
  private soonAtMs: number | null = null;
  private failures = 0;
  private sending: Promise<void> | null = null;
  private isClosed = false;

  constructor(
    private readonly gate: ModelGate,
    private readonly options: LinkOptions,
  ) {}

  /** To be called when something changed at the gate. */
  plan(): void {
    if (this.sending || this.isClosed) return;
    const dueAtMs = this.dueAtMs();
    if (dueAtMs === (this.timer?.dueAtMs ?? null)) return;
    if (this.timer) clearTimeout(this.timer.handle);
    this.timer = null;
    if (dueAtMs === null) return;
    const waitMs = Math.max(0, Math.ceil(dueAtMs - this.options.nowMs()));
    // A report is no reason for a process to stay.
    const handle = setTimeout(() => this.start(), waitMs).unref();
    this.timer = { dueAtMs, handle };
  }

  /** No more reports. Resolves when the last one is through, after which its connection may be closed. */
  async close(): Promise<void> {
    this.isClosed = true;
    if (this.timer) clearTimeout(this.timer.handle);
    this.timer = null;
    await this.sending;
  }

  /** When to report next; `null`: not before something changes. */
  private dueAtMs(): number | null {
    const { gate } = this;
    const nowMs = this.options.nowMs();
    const lease = this.lease !== null && nowMs < this.lease.untilMs ? this.lease : null;
    const hasSpare = lease !== null && lease.toldInFlight > lease.share && gate.load < lease.toldInFlight;
    const isUrgent = gate.wasRefused || gate.isShort || hasSpare || (lease === null && gate.isBusy);
    if (!isUrgent) return lease === null ? null : Math.max(this.notBeforeMs, lease.renewAtMs);
    this.soonAtMs ??= nowMs + GATHER_MS + SPREAD_MS * this.options.random();
    return Math.max(this.notBeforeMs, this.soonAtMs);
  }

  private start(): void {
    this.timer = null;
    this.soonAtMs = null;
    this.sending = this.send().finally(() => {
      this.sending = null;
      this.plan();
    });
  }

  private async send(): Promise<void> {
    const { gate } = this;
    const { nowMs, exchange, worker } = this.options;
    const sentAtMs = nowMs();
    const isIdle = !gate.isBusy;
    const tally = gate.takeTally();
    const { retryAtMs, ...counts } = tally;
    const retryAfterMs = retryAtMs > sentAtMs ? Math.ceil(retryAtMs - sentAtMs) : null;
    try {
      const reply = await exchange({ worker, ...counts, ...(isIdle && { want: 0 }), retryAfterMs });
      if (this.isClosed) return;
      this.failures = 0;
      this.take(reply, { sentAtMs, isIdle, inFlight: tally.inFlight });
    } catch (error) {
      this.failed(error);
      gate.putBack(tally);
    }
  }

  private take(
    reply: GovernorReply,
    { sentAtMs, isIdle, inFlight }: { sentAtMs: number; isIdle: boolean; inFlight: number },
  ): void {
    const { share, epoch, pauseMs } = reply;
    const renewMs = reply.renewMs * (1 - SPREAD_OF_RENEW * this.options.random());
    // Counted from before the governor counts, so that a share ends here first.
    const untilMs = sentAtMs + reply.leaseMs;
    this.notBeforeMs = sentAtMs + reply.gapMs;
    this.lease = isIdle ? null : { untilMs, renewAtMs: sentAtMs + renewMs, share, toldInFlight: inFlight };
    this.gate.take(isIdle ? null : { size: share, epoch, untilMs }, pauseMs);
  }

  private failed(error: unknown): void {
    const waitMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures);
    this.failures += 1;
    // One alone says little: a governor may end in the very moment in which it is asked.
    if (this.failures === 2 && !this.isClosed) this.options.onTrouble(error);
    this.notBeforeMs = this.options.nowMs() + waitMs * (0.5 + this.options.random() / 2);
  }
}
