import {
  defaultFailureConverter,
  defaultPayloadConverter,
  type LoadedDataConverter,
} from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import { RunFold } from '../../../src/client/fold.js';
import { FullTranscript } from '../../../src/client/full-transcript.js';
import type { HistoryEvent } from '../../../src/client/history.js';
import type { RunEvent } from '../../../src/core/events.js';
import type { JsonValue } from '../../../src/core/json.js';
import type { ModelResult, PlannedCall } from '../../../src/core/outcomes.js';
import { NO_LIMITS, type Prepared } from '../../../src/core/run-input.js';
import type { RunState } from '../../../src/core/state.js';
import type { TranscriptItem } from '../../../src/core/transcript.js';

const CONVERTER: LoadedDataConverter = {
  payloadConverter: defaultPayloadConverter,
  failureConverter: defaultFailureConverter,
  payloadCodecs: [],
};

const PREPARED: Prepared = {
  behaviour: 1,
  model: 'maker/first',
  models: [],
  tools: ['act'],
  limits: NO_LIMITS,
  searchAttributes: false,
  heartbeatTimeoutMs: 8_000,
  continueAsNewEvents: 2_000,
  warnings: [],
};

type Attributes = Omit<HistoryEvent, 'eventId' | 'eventTime'>;

/** A history as a server would write it, event by event. Each workflow task is a second later than the one before. */
export class HandMadeHistory {
  readonly events: HistoryEvent[] = [];
  private readonly scheduledIds = new Map<string, number>();
  private seconds = 0;

  constructor(input: JsonValue = { goal: 'Tidy up.' }) {
    this.add({
      workflowExecutionStartedEventAttributes: { input: payloads(input), firstExecutionRunId: 'first' },
    });
  }

  add(attributes: Attributes): this {
    const eventTime = msToTs(this.seconds * 1_000);
    // Ids are Longs on the wire; only their text counts.
    this.events.push({ ...attributes, eventId: (this.events.length + 1) as never, eventTime });
    return this;
  }

  /** A workflow task begins. What comes before its end belongs to the next one. */
  taskStarts(): this {
    this.seconds += 1;
    return this.add({ workflowTaskScheduledEventAttributes: {} }).add({
      workflowTaskStartedEventAttributes: {},
    });
  }

  taskEnds(...commands: Attributes[]): this {
    this.add({ workflowTaskCompletedEventAttributes: {} });
    for (const command of commands) this.addCommand(command);
    return this;
  }

  task(...commands: Attributes[]): this {
    return this.taskStarts().taskEnds(...commands);
  }

  signal(name: string, payload?: JsonValue): this {
    const input = payload === undefined ? {} : payloads(payload);
    return this.add({ workflowExecutionSignaledEventAttributes: { signalName: name, input } });
  }

  completes(key: string, value: object): this {
    const scheduledEventId = this.scheduledIds.get(key) ?? 0;
    // Ids are Longs on the wire; only their text counts.
    return this.add({
      activityTaskCompletedEventAttributes: {
        scheduledEventId: scheduledEventId as never,
        result: payloads(value),
      },
    });
  }

  /** The run is prepared and its first model call under way. */
  running(prepared: Partial<Prepared> = {}): this {
    return this.task(scheduled('prepare', 'prepareRun'))
      .completes('prepare', { ...PREPARED, ...prepared })
      .task(scheduled('s0.m0', 'callModel'));
  }

  answers(key: string, text: string, calls: PlannedCall[] = []): this {
    const result: ModelResult = {
      text,
      ...(calls.length > 0 && { calls }),
      model: 'maker/first',
      finish: 'stop',
      promptTokens: 10,
      completionTokens: 5,
      costNanoUsd: 1_000,
    };
    return this.completes(key, result);
  }

  /** Folds it in one page, or in pages that begin with these events. */
  async fold(...cuts: number[]): Promise<{ state: RunState; events: RunEvent[] }> {
    const fold = new RunFold('run-1', CONVERTER);
    const events = await this.turnPages(fold, cuts);
    return { state: stateOf(fold), events };
  }

  /** The whole conversation that it tells of, beside what the model sees at its end. */
  async transcripts(...cuts: number[]): Promise<{ full: TranscriptItem[]; seen: TranscriptItem[] }> {
    const full = new FullTranscript();
    const fold = new RunFold('run-1', CONVERTER, { full });
    await this.turnPages(fold, cuts);
    return { full: full.list(), seen: stateOf(fold).transcript };
  }

  private async turnPages(fold: RunFold, cuts: readonly number[]): Promise<RunEvent[]> {
    const events: RunEvent[] = [];
    const starts = [0, ...cuts];
    for (const [index, start] of starts.entries()) {
      const page = this.events.slice(start, starts[index + 1]);
      events.push(...(await fold.take({ temporalRunId: 'first', events: page })));
    }
    return events;
  }

  private addCommand(command: Attributes): void {
    this.add(command);
    const key = command.activityTaskScheduledEventAttributes?.activityId;
    if (key) this.scheduledIds.set(key, this.events.length);
  }
}

function stateOf(fold: RunFold): RunState {
  const state = fold.current();
  if (!state) throw new Error('A history begins with the start of the run.');
  return state;
}

export function scheduled(key: string, activity: string): Attributes {
  return { activityTaskScheduledEventAttributes: { activityId: key, activityType: { name: activity } } };
}

export function updateAccepted(name: string, payload: JsonValue): Attributes {
  return {
    workflowExecutionUpdateAcceptedEventAttributes: {
      acceptedRequest: { input: { name, args: payloads(payload) } },
    },
  };
}

function payloads(value: unknown) {
  return { payloads: [defaultPayloadConverter.toPayload(value)] };
}
