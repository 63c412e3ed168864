import type { Client } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import {
  decodeArrayFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import { toOutcome } from '../../../src/contract/failure.js';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { readRunHistory } from '../../../src/testing/history.js';
import type { LedgerEntry } from '../../../src/testing/stand-in/ledger.js';
import type { StandIn } from '../../../src/testing/stand-in/stand-in.js';

/** The bills of a run: what the model server was paid in truth. */
export function billsOf(standIn: StandIn, runId: string): LedgerEntry[] {
  return standIn.ledger.filter(({ metadata }) => metadata['longhaul_run'] === runId);
}

/** Their sum. */
export function billedNanoUsd(standIn: StandIn, runId: string): number {
  return billsOf(standIn, runId).reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
}

/** An attempt that may have cost something which nobody can be asked about: how it ended. */
export type Doubt = 'failed' | 'timed_out' | 'cancelled';

/** Attempts at model calls that sent a request and left no generation id behind, as history tells it. */
export async function doubtsOf(client: Client, runId: string): Promise<Doubt[]> {
  const converter = client.options.loadedDataConverter;
  const doubts: Doubt[] = [];
  for (const { events } of await readRunHistory(client, runId)) {
    const modelCalls = new Set(
      (events ?? [])
        .filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'callModel')
        .map(({ eventId }) => String(eventId)),
    );
    for (const event of events ?? []) {
      const canceled = event.activityTaskCanceledEventAttributes;
      const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
      const ended = canceled ?? failed;
      if (!ended || !modelCalls.has(String(ended.scheduledEventId))) continue;
      const cause = canceled
        ? new CancelledFailure('', await decodeArrayFromPayloads(converter, canceled.details?.payloads))
        : await decodeOptionalFailureToOptionalError(converter, failed?.failure);
      const { kind, details = {} } = toOutcome(cause);
      if (details['sent'] === true && details['unbilled'] !== true && details['generationId'] === undefined)
        doubts.push(kind);
    }
  }
  return doubts;
}

/** How long a run that has ended waited for its last costs to be confirmed, after the last call of a model or tool was over. */
export async function settlingMs(client: Client, runId: string): Promise<number> {
  const events = (await readRunHistory(client, runId)).flatMap((history) => history.events ?? []);
  const asking = new Set<string>();
  let lastMs = 0;
  for (const event of events) {
    const { activityType } = event.activityTaskScheduledEventAttributes ?? {};
    if (activityType?.name === 'reconcileCost') asking.add(String(event.eventId));
    if (event.workflowExecutionStartedEventAttributes) asking.clear();
    const ended =
      event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes;
    if (ended && !asking.has(String(ended.scheduledEventId))) lastMs = tsToMs(event.eventTime);
  }
  return tsToMs(events.at(-1)?.eventTime) - lastMs;
}

/** The history of a run in a few words an event, for who has to find out what went wrong. */
export async function storyOf(client: Client, runId: string): Promise<string> {
  const lines: string[] = [];
  for (const history of await readRunHistory(client, runId)) {
    const { events } = Object(JSON.parse(historyToJSON(history)));
    const keys = new Map<string, string>();
    for (const { eventId, eventTime, eventType, ...rest } of Array.isArray(events) ? events : []) {
      const [, attributes] = Object.entries(rest).find(([name]) => name.endsWith('Attributes')) ?? [];
      const { activityId, scheduledEventId, failure, signalName } = Object(attributes);
      if (activityId) keys.set(String(eventId), String(activityId));
      const name = activityId ?? keys.get(String(scheduledEventId)) ?? signalName ?? '';
      const why = failure ? (failure.message ?? '').slice(0, 100) : '';
      const told = `${eventTime} ${String(eventType).replace('EVENT_TYPE_', '')} ${name} ${why}`;
      if (!told.includes('WORKFLOW_TASK')) lines.push(told.trim());
    }
  }
  return lines.join('\n');
}
