import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
} from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  makeContinueAsNewFunc,
  setCurrentDetails,
  sleep,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import { toOutcome } from '../contract/failure.js';
import { toRunMemo } from '../contract/run-memo.js';
import { apply } from '../core/apply.js';
import type { ControlName } from '../core/human/controls.js';
import type { RunEvent } from '../core/events.js';
import type { Input } from '../core/inputs.js';
import { isMetered } from '../core/metered.js';
import type { Outcome } from '../core/outcomes.js';
import type { RunResult } from '../core/progress.js';
import type { RunInput } from '../core/run-input.js';
import { readSnapshot, takeSnapshot, type Snapshot } from '../core/snapshot.js';
import { startState } from '../core/start.js';
import type { RunState } from '../core/state.js';
import { view } from '../core/view.js';
import { plan, type Plan } from '../core/work.js';
import { renderDetails } from './details.js';
import { handleMessages } from './handlers.js';
import { createMetrics } from './metrics.js';
import { createSearchAttributes } from './search-attributes.js';
import { startWork } from './start-work.js';

/** What an agent run is started with: by people a run input, by continue-as-new a snapshot. */
export type AgentRunInput = RunInput | { snapshot: Snapshot };

/**
 * One agent run. All behaviour is in the core; this shell keeps `work(state)` true and feeds every outcome back.
 * @throws ApplicationFailure with the code of the error as `type` and the result as detail, when the run failed.
 */
export async function agentRun(input: AgentRunInput): Promise<RunResult> {
  const shell = new Shell(input);
  return CancellationScope.nonCancellable(() => shell.run());
}

type Startable = Plan['start'][number];

class Shell {
  private state: RunState;
  /** What was started and has not settled, by key. */
  private readonly underWay = new Map<string, { kind: Startable['kind']; scope: CancellationScope }>();
  /** Sub-agents that have ended, by key, until the run takes that in. */
  private readonly endedAgents = new Map<string, () => void>();
  private timer: { atMs: number; scope: CancellationScope } | null = null;
  private changed = false;
  /** History is long enough to continue as new. */
  private full = false;
  private readonly publishAttributes = createSearchAttributes();
  private readonly count = createMetrics();
  /** Length of the history at which the shell last wrote a command: it tells one workflow task from another. */
  private wroteAt = 0;

  constructor(input: unknown) {
    const { workflowId, firstExecutionRunId } = workflowInfo();
    const snapshot = readCarried(input);
    this.state =
      snapshot ?? startState(input, { runId: workflowId, firstRunId: firstExecutionRunId, atMs: Date.now() });
    handleMessages({
      state: () => this.state,
      control: (name: ControlName, payload: unknown) =>
        this.feed({ type: 'control', atMs: Date.now(), name, payload }),
    });
    CancellationScope.current().cancelRequested.catch(() =>
      this.feed({ type: 'cancel_requested', atMs: Date.now() }),
    );
  }

  async run(): Promise<RunResult> {
    for (;;) {
      this.changed = false;
      this.full ||= this.isFull();
      const next = this.follow();
      this.publish();
      if (next.close) break;
      this.leaveTrace();
      await condition(() => this.takeAgentsEnds() || this.changed || this.mayContinueAsNew());
      if (!this.changed) await this.continueAsNew();
    }
    await condition(allHandlersFinished);
    return this.end();
  }

  private feed(input: Input): RunEvent[] {
    const { state, events } = apply(this.state, input);
    this.state = state;
    this.changed = true;
    return events;
  }

  /**
   * Takes in the ends of sub-agents, by key, after everything else that a workflow task has brought: how soon their promises settle
   * depends on when they started. Conditions are asked once those of all others have settled.
   */
  private takeAgentsEnds(): boolean {
    for (const key of [...this.endedAgents.keys()].sort()) this.endedAgents.get(key)?.();
    this.endedAgents.clear();
    return this.changed;
  }

  /** Starts what is missing and cancels what is no longer wanted. */
  private follow(): Plan {
    for (;;) {
      const next = plan(this.state, new Set(this.underWay.keys()), Date.now());
      if (next.settled.length > 0) {
        for (const input of next.settled) this.feed(input);
        continue;
      }
      for (const item of next.start) if (this.mayStart(item)) this.start(item);
      for (const key of next.cancel) this.underWay.get(key)?.scope.cancel();
      this.setTimer(next.timerAtMs);
      return next;
    }
  }

  /**
   * Makes sure that every workflow task writes something. A worker that does not have the run in its cache takes a task
   * that wrote nothing and an update right after it as one, the update first; a later replay takes them as two, and
   * fails for good.
   */
  private leaveTrace(): void {
    if (this.wroteAt === workflowInfo().historyLength) return;
    upsertMemo({ events: this.state.seq });
    this.noteCommand();
  }

  private noteCommand(): void {
    this.wroteAt = workflowInfo().historyLength;
  }

  /**
   * Once the history is full, new work is held back; but an update waits for its check, and continue-as-new waits for the update. What runs
   * beside a sub-agent must not wait for its end, which may be hours away.
   */
  private mayStart(item: Startable): boolean {
    return !this.full || isAwaited(item) || [...this.underWay.values()].some(({ kind }) => kind === 'child');
  }

  private start(item: Startable): void {
    this.noteCommand();
    const scope = new CancellationScope({ cancellable: true });
    this.underWay.set(item.key, { kind: item.kind, scope });
    const { historyLength } = workflowInfo();
    const settle = (outcome: Outcome<never>) => {
      // What is called off in the very task that started it never reaches the server.
      const neverStarted = outcome.kind === 'cancelled' && workflowInfo().historyLength === historyLength;
      const take = () => {
        this.underWay.delete(item.key);
        this.feed(toInput(item, neverStarted ? { kind: 'cancelled', neverStarted } : outcome));
      };
      if (item.kind === 'child') this.endedAgents.set(item.key, take);
      else take();
    };
    scope
      .run(() => startWork(item, this.state))
      .then(
        // The activity contract types what each kind returns; the core reads it by kind.
        (value) => settle({ kind: 'ok', value: value as never }),
        (error: unknown) => settle(toOutcome(causeOf(error))),
      );
  }

  private setTimer(atMs: number | null): void {
    if ((this.timer?.atMs ?? null) === atMs) return;
    this.noteCommand();
    this.timer?.scope.cancel();
    this.timer = null;
    if (atMs === null) return;
    const scope = new CancellationScope({ cancellable: true });
    const timer = { atMs, scope };
    this.timer = timer;
    scope
      .run(() => sleep(Math.max(1, atMs - Date.now()), { summary: `until ${new Date(atMs).toISOString()}` }))
      .then(
        () => {
          if (this.timer === timer) this.timer = null;
          // The clock of a task that only replays for a query may lag behind the timer.
          this.feed({ type: 'tick', atMs: Math.max(Date.now(), atMs) });
        },
        () => undefined,
      );
  }

  /**
   * Continue-as-new drops whatever is under way, so new work is held back until it may come. Asked once for each change:
   * the length of history also grows by tasks that leave no trace, such as a refused update, which no replay will see.
   */
  private isFull(): boolean {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    const atEvents = this.state.prepared?.continueAsNewEvents;
    return atEvents !== undefined && (continueAsNewSuggested || historyLength >= atEvents);
  }

  /** A webhook that is down is tried for minutes, so its notices go on in the next execution, by the same ids. */
  private mayContinueAsNew(): boolean {
    const isFree = [...this.underWay.values()].every(({ kind }) => kind === 'notify');
    return this.full && isFree && allHandlersFinished();
  }

  private continueAsNew(): Promise<never> {
    const again = makeContinueAsNewFunc<typeof agentRun>();
    return again({ snapshot: takeSnapshot(this.state) });
  }

  private publish(): void {
    const progress = view(this.state);
    setCurrentDetails(renderDetails(progress));
    this.count(progress);
    if (progress.result && isMetered(this.state)) upsertMemo(toRunMemo(progress.result));
    if (this.state.prepared?.searchAttributes && this.publishAttributes(progress)) this.noteCommand();
  }

  private end(): RunResult {
    const { result } = this.state;
    if (!result) throw new Error('A closed run has a result.');
    if (result.outcome === 'cancelled') throw new CancelledFailure('The run was cancelled.');
    if (result.outcome === 'failed') {
      const { code, message } = result.error ?? { code: 'Error', message: result.answer };
      throw ApplicationFailure.create({ type: code, message, nonRetryable: true, details: [result] });
    }
    return result;
  }
}

/** Whether an update may wait for a piece of work; continue-as-new waits for the update, so such work is never held back. */
function isAwaited({ kind }: Startable): boolean {
  return kind === 'check' || kind === 'judge' || kind === 'relay';
}

function causeOf(error: unknown): unknown {
  return error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? error.cause : error;
}

/** The state that continue-as-new carried over, or `null` for a fresh start. */
function readCarried(input: unknown): RunState | null {
  const { snapshot, fork } = Object(input);
  // Without the state of the run that it goes on from, a fork would not know what is spent already.
  if (fork !== undefined && !readSnapshot(Object(fork).snapshot)) throw unreadable(Object(fork).snapshot);
  if (snapshot === undefined) return null;
  const state = readSnapshot(snapshot);
  if (!state) throw unreadable(snapshot);
  return state;
}

function unreadable(snapshot: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'INPUT_INVALID',
    message:
      typeof Object(snapshot).version === 'number'
        ? 'The snapshot is of a version that this worker does not know. Start the worker version that wrote it.'
        : 'Only longhaul itself writes a snapshot. Leave the field out.',
    nonRetryable: true,
  });
}

function toInput(item: Startable, outcome: Outcome<never>): Input {
  const atMs = Date.now();
  switch (item.kind) {
    case 'prepare':
      return { type: 'prepared', atMs, outcome };
    case 'model':
      return { type: 'model_settled', atMs, key: item.key, outcome };
    case 'tool':
      return { type: 'tool_settled', atMs, key: item.key, outcome };
    case 'check':
      return { type: 'args_checked', atMs, key: item.key, outcome };
    case 'reconcile':
      return { type: 'cost_reported', atMs, key: item.key, outcome };
    case 'draw':
      return { type: 'drawn', atMs, key: item.key, outcome };
    case 'verify':
      return { type: 'verified', atMs, key: item.key, outcome };
    case 'judge':
      return { type: 'decision_checked', atMs, key: item.key, outcome };
    case 'relay':
      return { type: 'relayed', atMs, key: item.key, outcome };
    case 'report':
      return { type: 'reported', atMs, key: item.key, outcome };
    case 'notify':
      return { type: 'notified', atMs, key: item.key, outcome };
    case 'child':
      return { type: 'child_settled', atMs, key: item.key, outcome };
  }
}
