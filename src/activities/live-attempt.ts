import { CancelledFailure, Context } from '@temporalio/activity';
import { AgentError, type ErrorCode } from '../core/errors.js';
import type { Tail } from './heartbeat.js';

/** Share of the heartbeat time-out after which a quiet attempt says that it is alive. */
const QUIET_SHARE = 0.3;

/** Share of it after which the SDK is told too, which gives up an attempt of which it has not heard itself for as long. */
const SDK_SHARE = 0.4;

/** And the longest such pause, because only with a heartbeat does it hear that it is called off. */
const LONGEST_QUIET_MS = 600;

/**
 * An attempt that is going to spend money, or to do what must be done only once. What it tells the server is on record when the promise
 * resolves, and in the order in which it was told; heartbeats of the SDK are neither. So when an attempt dies, its last word says whether
 * it can have spent or done anything; and one whose place was taken, because its worker was thought dead, learns of it before it does.
 */
export class LiveAttempt {
  private last: Promise<unknown> = Promise.resolve();
  private readonly context = Context.current();
  private failures = 0;

  /** @param code of the error when another attempt has taken the place of this one */
  constructor(private readonly code: ErrorCode = 'MODEL_UNAVAILABLE') {}

  /** Whether every word so far was taken in. One that was not may still be on its way. */
  get isHeard(): boolean {
    return this.failures === 0;
  }

  /**
   * Puts details on record.
   * @throws CancelledFailure when the run has called the attempt off
   * @throws AgentError with the code of this attempt, retryable, when another attempt has taken its place
   */
  async tell(details: Tail): Promise<void> {
    const { client, info } = this.context;
    const told = this.last.then(() => client.activity.heartbeat(info.taskToken, details));
    this.last = told.catch(() => undefined);
    try {
      await told;
    } catch (error) {
      this.failures += 1;
      // By name: activities know Temporal's client only as what their context hands them.
      const { name } = Object(error);
      if (name === 'ActivityCancelledError') return calledOff(this.context, details);
      if (name !== 'ActivityNotFoundError') throw error;
      throw new AgentError(this.code, 'Another attempt has taken the place of this one.', {
        retryable: true,
      });
    }
  }

  /**
   * Does `work` that neither spends nor does anything of the kind, and stays alive meanwhile.
   * @param said `details` go on record; `worst` may be there now and then, as what the SDK is told may come late, in the place of a
   * later word: it has to say what is true of the attempt at the worst.
   */
  async during<T>({ details, worst }: { details: Tail; worst: Tail }, work: () => Promise<T>): Promise<T> {
    const timeoutMs = this.context.info.heartbeatTimeoutMs ?? 8_000;
    let sdkHeardAtMs = Date.now();
    const timer = setInterval(
      () => {
        // A refusal is heard again by the word that counts, right before the request goes out.
        void this.tell(details).catch(() => undefined);
        if (Date.now() - sdkHeardAtMs < timeoutMs * SDK_SHARE) return;
        sdkHeardAtMs = Date.now();
        this.context.heartbeat(worst);
      },
      Math.min(LONGEST_QUIET_MS, QUIET_SHARE * timeoutMs),
    );
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }
}

/** The SDK takes a cancellation as one only after it has heard of it itself, which a heartbeat of its own brings about. */
async function calledOff(context: Context, details: Tail): Promise<never> {
  context.heartbeat(details);
  await context.cancelled;
  throw new CancelledFailure('CANCELLED');
}
