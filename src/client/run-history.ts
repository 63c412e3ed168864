import type { Client } from '@temporalio/client';
import { AgentError } from '../core/errors.js';
import type { RunEvent } from '../core/events.js';
import type { RunState } from '../core/state.js';
import type { TranscriptItem } from '../core/transcript.js';
import { toAgentError } from './errors.js';
import { RunFold } from './fold.js';
import { FullTranscript } from './full-transcript.js';
import { firstRunId, isOutdated, readHistory } from './history.js';
import { toRecord, type RunRecord } from './run-record.js';

/** How much of a history is read. */
interface PageOptions {
  /** Waits for what is yet to come, until the run ends or `signal` says stop. */
  follow: boolean;
  signal?: AbortSignal;
  /** Picks a state to keep, see `RunFold.sought`. */
  wanted?: (state: RunState) => boolean;
  /** Is told of each message. */
  full?: FullTranscript;
}

/** How often a history is read from its beginning because its end was written anew. */
const MAX_READINGS = 10;

/** What the history of one run tells of it, from its start on. */
export class RunHistory {
  constructor(
    private readonly client: Client,
    private readonly runId: string,
  ) {}

  /**
   * The events of each page, and the run as it stood after it.
   * @throws AgentError `RUN_NOT_FOUND`, `TEMPORAL_UNREACHABLE`
   */
  async *pages(options: PageOptions): AsyncGenerator<{ events: RunEvent[]; fold: RunFold }> {
    let nextSeq = 0;
    for (let readings = 1; ; readings += 1)
      try {
        for await (const page of this.readOnce(options)) {
          const events = page.events.filter(({ seq }) => seq >= nextSeq);
          nextSeq = (events.at(-1)?.seq ?? nextSeq - 1) + 1;
          yield { ...page, events };
        }
        return;
      } catch (error) {
        if (options.signal?.aborted) return;
        // What was told before is the same, so reading begins anew and leaves out what is known.
        if (!isOutdated(error) || options.full || readings >= MAX_READINGS)
          throw toAgentError(error, this.runId);
      }
  }

  private async *readOnce(options: PageOptions): AsyncGenerator<{ events: RunEvent[]; fold: RunFold }> {
    const fold = new RunFold(this.runId, this.client.options.loadedDataConverter, options);
    const temporalRunId = await firstRunId(this.client, this.runId);
    const query = { workflowId: this.runId, temporalRunId, ...options };
    for await (const page of readHistory(this.client, query)) yield { events: await fold.take(page), fold };
  }

  /** The state as it is now. */
  async state(): Promise<RunState> {
    let fold: RunFold | null = null;
    for await (const page of this.pages({ follow: false })) fold = page.fold;
    return this.found(fold);
  }

  /** The state when the step's calls had all ended. @throws AgentError `INPUT_INVALID` when it has not come to that */
  async stateAfter(step: number): Promise<RunState> {
    let fold: RunFold | null = null;
    const wanted = (state: RunState) => state.stepsCompleted > step && state.step > step;
    for await (const page of this.pages({ follow: false, wanted })) fold = page.fold;
    const last = fold?.current();
    // An answer ends a run within its step.
    const state = fold?.sought() ?? (last?.result && last.stepsCompleted === step + 1 ? last : null);
    if (state) return state;
    throw new AgentError(
      'INPUT_INVALID',
      `The run ${this.runId} has not ended its step ${step}; it has completed ${last?.stepsCompleted ?? 0}.`,
    );
  }

  /** The whole conversation, also what the model does not see any more. */
  async fullTranscript(): Promise<TranscriptItem[]> {
    const full = new FullTranscript();
    let fold: RunFold | null = null;
    for await (const page of this.pages({ follow: false, full })) fold = page.fold;
    // Before a worker has taken the run up, nothing was told.
    full.follow(this.found(fold).transcript);
    return full.list();
  }

  /** All that history tells, read in one go. */
  async record(): Promise<RunRecord> {
    const events: RunEvent[] = [];
    let last: RunFold | null = null;
    for await (const page of this.pages({ follow: false })) {
      events.push(...page.events);
      last = page.fold;
    }
    return toRecord(this.found(last), events);
  }

  private found(fold: RunFold | null): RunState {
    const state = fold?.current();
    if (!state)
      throw new AgentError(
        'RUN_NOT_FOUND',
        `The run ${this.runId} has no history. See which there are: longhaul list`,
      );
    return state;
  }
}
