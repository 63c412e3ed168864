import type { Delta } from '../client/deltas.js';
import type { WatchedEvent } from '../client/run-handle.js';

/** After a longer wait nobody looks for deltas any more: each look costs the server. */
const LONGEST_LOOK_MS = 120_000;

/**
 * Puts deltas into their place among durable events. Both come over different ways: a delta may be seen before its step has started, or
 * after it has completed. The early ones are held, the late ones dropped.
 */
export class DeltaGate {
  /** The step whose model call is under way. */
  private openStep: number | null = null;
  private readonly startedSteps = new Set<number>();
  private readonly openCalls = new Set<string>();
  private readonly startedCalls = new Set<string>();
  private held: Delta[] = [];
  /** The step of which something was shown that is not revoked. */
  private shownStep: number | null = null;
  /** The next answer was seen to take the place of the last one, before the event that says so. */
  private isFresh = false;

  /** Takes note of an event. Returns the deltas that may pass, after it. */
  event(event: WatchedEvent): Delta[] {
    switch (event.type) {
      case 'step_started': {
        // Called off by a message or the end of the run: the new answer may be over before anybody looks for its deltas.
        const revoked = this.isFresh ? [] : this.revoke(event, 1);
        this.isFresh = false;
        this.openStep = event.step;
        this.startedSteps.add(event.step);
        return [...revoked, ...this.release()];
      }
      case 'model_failed':
        // The next attempt begins without a word; after a long wait the step is said to start again.
        if (!isRetriedSoon(event)) this.openStep = null;
        return this.revoke(event, event.attempt + 1);
      case 'model_completed':
        this.openStep = null;
        this.shownStep = null;
        this.isFresh = false;
        break;
      case 'tool_started':
        // A sub-agent shows its words in its own run.
        if (event.childRunId === undefined) this.openCalls.add(event.callId);
        this.startedCalls.add(event.callId);
        break;
      case 'tool_completed':
        this.openCalls.delete(event.callId);
        break;
      default:
        return [];
    }
    return this.release();
  }

  private release(): Delta[] {
    const waiting = this.held;
    this.held = [];
    return waiting.flatMap((delta) => this.delta(delta));
  }

  /** The next attempt may be over before anybody looks for its deltas, so what was shown is revoked as soon as it is known to be void. */
  private revoke(
    { at, runId, step }: Extract<WatchedEvent, { type: 'model_failed' | 'step_started' }>,
    attempt: number,
  ): Delta[] {
    if (this.shownStep !== step) return [];
    this.shownStep = null;
    return [{ type: 'step_reset', at, runId, step, attempt, n: 0 }];
  }

  /** Returns the delta when it may pass now. */
  delta(delta: Delta): Delta[] {
    const passed = this.pass(delta);
    if (passed.length === 0 || delta.type === 'tool_progress') return passed;
    if (delta.type === 'step_reset') this.isFresh = true;
    // What was revoked already need not be revoked again.
    if (delta.type === 'step_reset' && this.shownStep !== delta.step) return [];
    this.shownStep = delta.type === 'step_reset' ? null : delta.step;
    return passed;
  }

  private pass(delta: Delta): Delta[] {
    const isTool = delta.type === 'tool_progress';
    if (isTool ? this.openCalls.has(delta.callId) : this.openStep === delta.step) return [delta];
    const hasStarted = isTool ? this.startedCalls.has(delta.callId) : this.startedSteps.has(delta.step);
    if (!hasStarted) this.held.push(delta);
    return [];
  }

  /** Whether anything is under way that deltas could come from. */
  isBusy(): boolean {
    return this.openStep !== null || this.openCalls.size > 0;
  }
}

function isRetriedSoon({ at, retryAt }: Extract<WatchedEvent, { type: 'model_failed' }>): boolean {
  return retryAt !== null && Date.parse(retryAt) - Date.parse(at) <= LONGEST_LOOK_MS;
}
