import { CancelledFailure, type LoadedDataConverter } from '@temporalio/common';
import {
  decodeArrayFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import { tsToMs } from '@temporalio/common/lib/time.js';
import type { temporal } from '@temporalio/proto';
import { toOutcome } from '../contract/failure.js';
import { CONTROL_NAMES } from '../contract/names.js';
import { apply } from '../core/apply.js';
import type { ControlName } from '../core/human/controls.js';
import type { RunEvent } from '../core/events.js';
import type { Input } from '../core/inputs.js';
import type { Outcome } from '../core/outcomes.js';
import { readSnapshot } from '../core/snapshot.js';
import { startState } from '../core/start.js';
import type { RunState } from '../core/state.js';
import { plan } from '../core/work.js';
import { CHILD, childEnd, toInput, type ChildEnd } from './fold-outcome.js';
import { resultsFiled, type FullTranscript } from './full-transcript.js';
import type { HistoryEvent, HistoryPage } from './history.js';

type Failure = temporal.api.failure.v1.IFailure;

/** A fact that waits for the workflow task that brings it to the run. */
type Pending = {
  kind: 'signal' | 'cancel' | 'other' | 'child';
  /** Of the work that it settles, if it is a sub-agent's end. */
  key?: string;
  toInput(atMs: number): Promise<Input | null>;
};

/** A workflow task that has completed, with what its completion wrote. */
interface Task {
  atMs: number;
  pending: Pending[];
  updates: Pending[];
  scheduled: string[];
}

/**
 * Reads a run out of its history: turns events into the inputs that the workflow saw, in the order in which it saw
 * them, and applies them to the same core. So events, progress and transcript need no worker and no other store.
 *
 * Order, by workflow task: signals, then updates that its completion accepted, then a request to cancel, which the
 * workflow hears of sooner than of what activities and timers did, then these as history has them, then the ends of sub-agents
 * by key. What came before a task that failed or timed out is brought by the next one.
 */
export class RunFold {
  private state: RunState | null = null;
  private events: RunEvent[] = [];
  private run: { runId: string; firstRunId: string; input: unknown; atMs: number } | null = null;
  private pending: Pending[] = [];
  private started: { atMs: number; count: number } | null = null;
  private task: Task | null = null;
  /** Keys of what is under way, and the key of each scheduled event. */
  private readonly underWay = new Set<string>();
  private keys = new Map<string, { key: string; activity: string }>();
  /** The first state that fits `wanted`. */
  private found: RunState | null = null;

  /** @param watch.wanted picks a state to keep, see `sought`. @param watch.full is told of each message. */
  constructor(
    private readonly runId: string,
    private readonly converter: LoadedDataConverter,
    private readonly watch: { wanted?: (state: RunState) => boolean; full?: FullTranscript } = {},
  ) {}

  /** The first state that was wanted, or `null`. */
  sought(): RunState | null {
    return this.found;
  }

  /** The state so far; before a worker has taken the run up, the one that it is started with. `null` before the first event. */
  current(): RunState | null {
    return this.state ?? (this.run && startState(this.run.input, this.run));
  }

  /** Takes a page in and returns the durable events that it brought. */
  async take(page: HistoryPage): Promise<RunEvent[]> {
    for (const event of page.events) await this.takeEvent(event);
    await this.finishTask();
    const events = this.events;
    this.events = [];
    return events;
  }

  private async takeEvent(event: HistoryEvent): Promise<void> {
    if (event.workflowExecutionStartedEventAttributes) return this.begin(event);
    if (event.workflowTaskCompletedEventAttributes) return this.completeTask();
    if (event.workflowTaskStartedEventAttributes) {
      // Whatever the last task wrote stands before this event.
      await this.finishTask();
      this.started = { atMs: timeOf(event), count: this.pending.length };
      return;
    }
    this.takeCommand(event);
    const pending = this.toPending(event);
    if (pending) this.pending.push(pending);
    await this.endOutside(event);
  }

  private async begin(event: HistoryEvent): Promise<void> {
    const attributes = event.workflowExecutionStartedEventAttributes;
    const [input] = await decodeArrayFromPayloads(this.converter, attributes?.input?.payloads);
    this.run = {
      runId: this.runId,
      firstRunId: attributes?.firstExecutionRunId ?? '',
      input,
      atMs: timeOf(event),
    };
    this.pending = [];
    this.started = null;
    this.task = null;
    this.underWay.clear();
    this.keys = new Map();
    this.state = readSnapshot(Object(input).snapshot);
    if (this.state) this.watch.full?.adopt(this.state.transcript);
  }

  private completeTask(): void {
    if (!this.started) return;
    const { atMs, count } = this.started;
    this.task = { atMs, pending: this.pending.slice(0, count), updates: [], scheduled: [] };
    this.pending = this.pending.slice(count);
    this.started = null;
  }

  /** Notes what the completion of a workflow task started, and which updates it accepted. */
  private takeCommand(event: HistoryEvent): void {
    const {
      activityTaskScheduledEventAttributes: activity,
      startChildWorkflowExecutionInitiatedEventAttributes: child,
      workflowExecutionUpdateAcceptedEventAttributes: update,
    } = event;
    if (activity) {
      const key = activity.activityId ?? '';
      this.keys.set(String(event.eventId), { key, activity: activity.activityType?.name ?? '' });
      this.task?.scheduled.push(key);
    }
    if (child) {
      const key = this.childKey(child.workflowId ?? '');
      this.keys.set(String(event.eventId), { key, activity: CHILD });
      this.task?.scheduled.push(key);
    }
    if (update) {
      const { name, args } = update.acceptedRequest?.input ?? {};
      this.task?.updates.push(this.control(name, args?.payloads));
    }
  }

  private toPending(event: HistoryEvent): Pending | null {
    const signal = event.workflowExecutionSignaledEventAttributes;
    if (signal) return { ...this.control(signal.signalName, signal.input?.payloads), kind: 'signal' };
    if (event.workflowExecutionCancelRequestedEventAttributes)
      return { kind: 'cancel', toInput: async (atMs) => ({ type: 'cancel_requested', atMs }) };
    if (event.timerFiredEventAttributes) return other(async (atMs) => ({ type: 'tick', atMs }));
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed)
      return this.settled(completed.scheduledEventId, async () => {
        const [value] = await decodeArrayFromPayloads(this.converter, completed.result?.payloads);
        return { kind: 'ok', value };
      });
    const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
    if (failed) return this.settled(failed.scheduledEventId, () => this.failure(failed.failure));
    const child = childEnd(event, this.converter);
    if (child) return this.agentEnded(child);
    const canceled = event.activityTaskCanceledEventAttributes;
    if (canceled)
      return this.settled(canceled.scheduledEventId, async () => {
        const details = await decodeArrayFromPayloads(this.converter, canceled.details?.payloads);
        return toOutcome(new CancelledFailure('CANCELLED', details));
      });
    return null;
  }

  private agentEnded({ initiatedEventId, outcome }: ChildEnd): Pending | null {
    const { key = '' } = this.keys.get(String(initiatedEventId)) ?? {};
    const settled = this.settled(initiatedEventId, outcome);
    return settled && { ...settled, kind: 'child', key };
  }

  /** A sub-agent's run is called after this one and the key of its work. */
  private childKey(workflowId: string): string {
    return workflowId.slice(this.runId.length + 1);
  }

  private control(
    name: string | null | undefined,
    payloads: temporal.api.common.v1.IPayload[] | null | undefined,
  ): Pending {
    const known = CONTROL_NAMES.find((one) => one === name);
    return other(async (atMs) => {
      if (!known) return null;
      return {
        type: 'control',
        atMs,
        name: known satisfies ControlName,
        payload: await this.decodeControl(payloads),
      };
    });
  }

  /** A payload that cannot be read reaches the workflow as an error of its handler; it counts for nothing here either. */
  private async decodeControl(
    payloads: temporal.api.common.v1.IPayload[] | null | undefined,
  ): Promise<unknown> {
    const [payload] = await decodeArrayFromPayloads(this.converter, payloads);
    return payload;
  }

  private async failure(failure: Failure | null | undefined): Promise<Outcome<unknown>> {
    return toOutcome(await decodeOptionalFailureToOptionalError(this.converter, failure));
  }

  private settled(scheduledEventId: unknown, outcome: () => Promise<Outcome<unknown>>): Pending | null {
    const scheduled = this.keys.get(String(scheduledEventId));
    if (!scheduled) return null;
    return other(async (atMs) => {
      this.underWay.delete(scheduled.key);
      return toInput(scheduled, atMs, await outcome());
    });
  }

  /** Applies the last completed task, once everything that its completion wrote has been seen. */
  private async finishTask(): Promise<void> {
    const { task, run } = this;
    if (!task || !run) return;
    this.task = null;
    this.state ??= startState(run.input, { ...run, atMs: task.atMs });
    const inOrder = [
      ...task.pending.filter((one) => one.kind === 'signal'),
      ...task.updates,
      ...task.pending.filter((one) => one.kind === 'cancel'),
      ...task.pending.filter((one) => one.kind === 'other'),
      ...byKey(task.pending.filter((one) => one.kind === 'child')),
    ];
    for (const one of inOrder) {
      const input = await one.toInput(task.atMs);
      if (input) this.feed(input);
    }
    for (const key of task.scheduled) this.underWay.add(key);
    this.callOff(task.atMs);
  }

  /** What was called off before the server heard of it left no event. */
  private callOff(atMs: number): void {
    for (;;) {
      if (!this.state) return;
      const { settled } = plan(this.state, this.underWay, atMs);
      if (settled.length === 0) return;
      for (const input of settled) this.feed(input);
    }
  }

  private feed(input: Input): void {
    if (!this.state) return;
    const before = this.state;
    const { state, events } = apply(before, input);
    this.state = state;
    this.watch.full?.follow(state.transcript, resultsFiled({ before, input, after: state, events }));
    if (!this.found && this.watch.wanted?.(state)) this.found = state;
    this.events.push(...events);
  }

  private async endOutside(event: HistoryEvent): Promise<void> {
    const atMs = timeOf(event);
    const failed = event.workflowExecutionFailedEventAttributes;
    const how = event.workflowExecutionTerminatedEventAttributes
      ? 'terminated'
      : event.workflowExecutionTimedOutEventAttributes
        ? 'timed_out'
        : failed
          ? 'failed'
          : null;
    if (!how || !this.run) return;
    await this.finishTask();
    this.state ??= startState(this.run.input, { ...this.run, atMs });
    const message = failed?.failure?.message ?? `The server ended the run: ${how}.`;
    this.feed({ type: 'ended_outside', atMs, how, message });
  }
}

function other(toInput: Pending['toInput']): Pending {
  return { kind: 'other', toInput };
}

function byKey(pending: readonly Pending[]): Pending[] {
  return [...pending].sort(({ key: one = '' }, { key: other = '' }) => (one < other ? -1 : 1));
}

function timeOf(event: HistoryEvent): number {
  return tsToMs(event.eventTime);
}
