import { createHash } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { ControlName, SayMode } from '../core/human/controls.js';
import { AgentError } from '../core/errors.js';
import type { RunEvent } from '../core/events.js';
import type { JsonObject } from '../core/json.js';
import type { PendingItem, Progress, RunResult } from '../core/progress.js';
import { limitsOf } from '../core/money/limits.js';
import type { ControlReceipt } from '../core/human/receipt.js';
import type { LimitsInput, RunInput } from '../core/run-input.js';
import { takeSnapshot } from '../core/snapshot.js';
import type { TranscriptItem } from '../core/transcript.js';
import { view } from '../core/view.js';
import type { DecisionOptions } from './decision-options.js';
import { DeltaReader, type Delta } from './deltas.js';
import { toAgentError } from './errors.js';
import type { RunFold } from './fold.js';
import { forkId } from './fork-id.js';
import type { ForkOptions } from './fork-options.js';
import { RunHistory } from './run-history.js';
import type { RunRecord } from './run-record.js';
import { sleep } from './sleep.js';
import { unpolledQueue } from './unpolled-queue.js';

/** A durable event as watchers get it; `model_completed` carries the hash of its whole text. */
export type WatchedEvent = RunEvent & { textHash?: string };

/** How long an update waits for a worker. */
const UPDATE_TIMEOUT_MS = 15_000;

/** How often heartbeats are read while watching. The server answers in about 5 ms. */
const DELTA_INTERVAL_MS = 200;

/** What a run says of a message that it has taken. */
export interface SayReceipt {
  /** Chosen by the run where the sender has chosen none. */
  messageId: string;
  /** How many messages wait before it. `null`: one with this id was taken before, and has reached the model. */
  position: number | null;
  /** It was taken before, and counts once. */
  repeated?: true;
}

/** A run that has just been started. */
export type StartedRun = RunHandle & { temporalRunId: string };

/** One run, on the server. Everything that reads works from history alone, with no worker alive. */
export class RunHandle {
  private readonly history: RunHistory;

  constructor(
    private readonly client: Client,
    /** The workflow id. */
    readonly runId: string,
    private readonly startRun: (input: RunInput, options: { id?: string }) => Promise<StartedRun>,
  ) {
    this.history = new RunHistory(client, runId);
  }

  /**
   * Starts a new run that goes on from this one, running or ended. What this run has spent up to there counts against the new one's
   * ceiling; what either spends from then on does not count for the other.
   * @throws AgentError `RUN_NOT_FOUND`, `INPUT_INVALID` when there is no such step, `RUN_EXISTS` when it was taken up again before,
   * `TEMPORAL_UNREACHABLE`
   */
  async fork(options: ForkOptions = {}): Promise<StartedRun> {
    const { id, step, model, say, limits, requestedBy } = options;
    const state = step === undefined ? await this.history.state() : await this.history.stateAfter(step);
    const snapshot = takeSnapshot(state);
    // Nobody has delegated to the new run.
    const { parent: _, ...given } = state.input;
    const input: RunInput = {
      ...given,
      ...(model !== undefined && { model }),
      ...(requestedBy !== undefined && { requestedBy }),
      limits: { ...limitsOf(state), ...limits },
      fork: { of: this.runId, snapshot, ...(say !== undefined && { say }) },
    };
    return this.startRun(input, { id: id ?? forkId(this.runId, step) });
  }

  /**
   * The durable events, then those to come, until the run has ended.
   * @param options.fromSeq first event, inclusive. Default 0.
   * @param options.follow Default true; false ends with what is there.
   * @throws AgentError `RUN_NOT_FOUND`, `TEMPORAL_UNREACHABLE`
   */
  async *events(
    options: { fromSeq?: number; follow?: boolean; signal?: AbortSignal } = {},
  ): AsyncGenerator<WatchedEvent> {
    const { fromSeq = 0, follow = true, signal } = options;
    for await (const { events } of this.history.pages({ follow, ...(signal && { signal }) })) {
      for (const event of events) if (event.seq >= fromSeq) yield withTextHash(event);
    }
  }

  /** What the model writes and tools report, as heartbeats show it, until `signal` says stop. */
  async *deltas(signal: AbortSignal): AsyncGenerator<Delta> {
    const reader = new DeltaReader(this.runId);
    while (!signal.aborted) {
      for (const { key, attempt, details } of await this.pendingActivities())
        yield* reader.read(key, attempt, details);
      await sleep(DELTA_INTERVAL_MS, signal);
    }
  }

  /**
   * The run as it stands. Contract §6.
   * @throws AgentError `RUN_NOT_FOUND`, `TEMPORAL_UNREACHABLE`
   */
  async progress(): Promise<Progress> {
    return view(await this.history.state());
  }

  /**
   * The messages that the model sees.
   * @param options.full the whole conversation: also what was taken out of it or shortened to keep it within what the model takes, each
   * message once and as it was, with the note that took their place behind them. Of a fork, what it took over is as the fork saw it.
   * @throws AgentError `RUN_NOT_FOUND`, `TEMPORAL_UNREACHABLE`
   */
  async transcript({ full = false }: { full?: boolean } = {}): Promise<TranscriptItem[]> {
    return full ? this.history.fullTranscript() : (await this.history.state()).transcript;
  }

  /**
   * All that history tells of the run, read in one go: one moment of it, also while it runs.
   * @throws AgentError `RUN_NOT_FOUND`, `TEMPORAL_UNREACHABLE`
   */
  record(): Promise<RunRecord> {
    return this.history.record();
  }

  /**
   * Of a run that has told no event yet: the name of its task queue if no worker polls it, else `null`.
   * @throws AgentError `RUN_NOT_FOUND`, `TEMPORAL_UNREACHABLE`
   */
  unpolledQueue(): Promise<string | null> {
    return this.reporting(() => unpolledQueue(this.client, this.runId));
  }

  /** What waits for a human. */
  async pending(): Promise<PendingItem[]> {
    return (await this.progress()).pending;
  }

  /** Waits for the end and returns how it came about, whatever it was. */
  async result(options: { signal?: AbortSignal } = {}): Promise<RunResult> {
    let fold: RunFold | null = null;
    for await (const page of this.history.pages({ follow: true, ...options })) fold = page.fold;
    const result = fold?.current()?.result;
    if (!result)
      throw new AgentError(
        'TEMPORAL_UNREACHABLE',
        `The run ${this.runId} goes on; nobody waits for it any more.`,
      );
    return result;
  }

  /**
   * Says yes to a pending call, as it is or with other arguments.
   * @param options.scope `run`: yes to every call of this tool from now on. @param options.signature see `signDecision`.
   * @throws AgentError see contract §11.
   */
  approve(
    callId?: string,
    options: DecisionOptions & { args?: JsonObject; scope?: 'run' } = {},
  ): Promise<void> {
    return this.control('decide', {
      ...(callId !== undefined && { callId }),
      decision: 'approve',
      ...options,
    });
  }

  /** Says no to a pending call; the note reaches the model. @throws AgentError see contract §11. */
  reject(callId?: string, options: DecisionOptions = {}): Promise<void> {
    return this.control('decide', {
      ...(callId !== undefined && { callId }),
      decision: 'reject',
      ...options,
    });
  }

  /** Answers a question, or tells what became of a call. */
  answer(
    callId: string | undefined,
    text: string,
    options: Pick<DecisionOptions, 'by' | 'signature'> = {},
  ): Promise<void> {
    return this.control('answer', { ...(callId !== undefined && { callId }), text, ...options });
  }

  /**
   * Says something to the agent; to a session that has answered, the next message of the conversation.
   * @param options.mode default `steer`. @param options.messageId a message with an id that was taken before counts once.
   * @throws AgentError see contract §11.
   */
  async say(
    text: string,
    options: { mode?: SayMode; messageId?: string; by?: string } = {},
  ): Promise<SayReceipt> {
    const {
      messageId = options.messageId ?? '',
      position = 0,
      repeated,
    } = await this.send('say', {
      text,
      ...options,
    });
    return { messageId, position, ...(repeated && { repeated }) };
  }

  /** Holds back new work. */
  pause(options: { by?: string; note?: string } = {}): Promise<void> {
    return this.control('pause', options);
  }

  /** Lets new work start again. */
  resume(options: { by?: string } = {}): Promise<void> {
    return this.control('resume', options);
  }

  /** Ends gracefully, with an answer. */
  stop(options: { by?: string; note?: string } = {}): Promise<void> {
    return this.control('stop', options);
  }

  /** Changes ceilings; what is left out stays, `null` takes one away. */
  setLimits(limits: LimitsInput, options: { by?: string } = {}): Promise<void> {
    return this.control('setLimits', { ...limits, ...options });
  }

  /** Ends at once. @throws AgentError `RUN_NOT_FOUND`, `RUN_CLOSED`, `TEMPORAL_UNREACHABLE` */
  async cancel(): Promise<void> {
    await this.reporting(async () => {
      const handle = this.client.workflow.getHandle(this.runId);
      // The server takes this for a closed run too, and does nothing.
      const { closeTime } = await handle.describe();
      if (closeTime)
        throw new AgentError(
          'RUN_CLOSED',
          `The run ${this.runId} has ended. See how: longhaul show ${this.runId}`,
        );
      await handle.cancel();
    });
  }

  private async control(name: ControlName, payload: object): Promise<void> {
    await this.send(name, payload);
  }

  private send(name: ControlName, payload: object): Promise<ControlReceipt> {
    return this.reporting(() =>
      this.client.connection.withDeadline(Date.now() + UPDATE_TIMEOUT_MS, () =>
        this.client.workflow
          .getHandle(this.runId)
          .executeUpdate<ControlReceipt, [object]>(name, { args: [payload] }),
      ),
    );
  }

  private async pendingActivities(): Promise<{ key: string; attempt: number; details: unknown }[]> {
    const description = await this.reporting(() => this.client.workflow.getHandle(this.runId).describe());
    const pending = description.raw.pendingActivities ?? [];
    return Promise.all(
      pending.map(async ({ activityId, attempt, heartbeatDetails }) => {
        const [details] = await decodeArrayFromPayloads(
          this.client.options.loadedDataConverter,
          heartbeatDetails?.payloads,
        );
        return { key: activityId ?? '', attempt: attempt ?? 1, details };
      }),
    );
  }

  private async reporting<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw toAgentError(error, this.runId);
    }
  }
}

function withTextHash(event: RunEvent): WatchedEvent {
  if (event.type !== 'model_completed') return event;
  return { ...event, textHash: `sha256:${createHash('sha256').update(event.text).digest('hex')}` };
}
