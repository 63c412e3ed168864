import type { Client } from '@temporalio/client';
import type { HistoryEvent } from '../../../src/client/history.js';
import { readChain } from '../../support/fold-equality.js';

/** One time that a call was started, and what the server has on record of how it ended. */
export interface ToolWork {
  /** Id of the activity. */
  key: string;
  callId: string;
  end:
    | 'ok'
    | 'failed'
    /** Its last word was that it had not begun. */
    | 'not begun'
    /** By its own word, or because nothing else was heard. */
    | 'unknown'
    | 'open';
}

/** All tool activities of a run, from history alone, read without any code of ours. In order. */
export async function readToolWorks(client: Client, runId: string): Promise<ToolWork[]> {
  const works: ToolWork[] = [];
  const open = new Map<string, ToolWork>();
  for (const { temporalRunId, events } of await readChain(client, runId)) {
    for (const event of events) {
      const scheduled = event.activityTaskScheduledEventAttributes;
      if (scheduled?.activityType?.name === 'runTool') {
        const key = scheduled.activityId ?? '';
        const work: ToolWork = { key, callId: key.replace(/\.r\d+$/, ''), end: 'open' };
        works.push(work);
        open.set(`${temporalRunId}/${String(event.eventId)}`, work);
        continue;
      }
      const ended = endOf(event);
      const work = ended && open.get(`${temporalRunId}/${String(ended.scheduledEventId)}`);
      if (work) work.end = ended.end;
    }
  }
  return works;
}

function endOf(event: HistoryEvent): { scheduledEventId: unknown; end: ToolWork['end'] } | null {
  const {
    activityTaskCompletedEventAttributes: completed,
    activityTaskFailedEventAttributes: failed,
    activityTaskTimedOutEventAttributes: timedOut,
    activityTaskCanceledEventAttributes: canceled,
  } = event;
  if (completed) {
    const { status } = firstOf(completed.result);
    const end = status === undefined ? 'ok' : status === 'unknown_outcome' ? 'unknown' : 'failed';
    return { scheduledEventId: completed.scheduledEventId, end };
  }
  if (failed) {
    const { acting } = firstOf(failed.failure?.applicationFailureInfo?.details);
    return { scheduledEventId: failed.scheduledEventId, end: acting === false ? 'not begun' : 'failed' };
  }
  const lost = timedOut ?? canceled;
  if (!lost) return null;
  const details = timedOut ? timedOut.failure?.timeoutFailureInfo?.lastHeartbeatDetails : canceled?.details;
  const { acting } = firstOf(details);
  return { scheduledEventId: lost.scheduledEventId, end: acting === false ? 'not begun' : 'unknown' };
}

function firstOf(payloads: { payloads?: { data?: Uint8Array | null }[] | null } | null | undefined): {
  status?: unknown;
  acting?: unknown;
} {
  const data = payloads?.payloads?.[0]?.data;
  return Object(data ? JSON.parse(Buffer.from(data).toString()) : null);
}
