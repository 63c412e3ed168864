import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';

/** One event of a workflow's history as the server sends it. */
export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** Some events of one execution of a chain, in order. A page never splits what one workflow task wrote. */
export interface HistoryPage {
  temporalRunId: string;
  events: HistoryEvent[];
}

/** Which history to read. */
export interface HistoryQuery {
  workflowId: string;
  /** Where to begin; the newest execution when absent. */
  temporalRunId?: string;
  /** Waits for what is yet to come, until the chain ends or `signal` says stop. */
  follow: boolean;
  signal?: AbortSignal;
}

/** gRPC's code for a request that cannot be right. */
const INVALID_ARGUMENT = 3;

/** Reads the history of a run, over continue-as-new, from one execution of its chain on. */
export async function* readHistory(client: Client, query: HistoryQuery): AsyncGenerator<HistoryPage> {
  let temporalRunId = query.temporalRunId ?? '';
  for (;;) {
    const successor = yield* readExecution(client, { ...query, temporalRunId });
    if (successor === null) return;
    temporalRunId = successor;
  }
}

async function* readExecution(
  client: Client,
  query: HistoryQuery & { temporalRunId: string },
): AsyncGenerator<HistoryPage, string | null> {
  let nextPageToken: Uint8Array | undefined;
  let successor: string | null = null;
  do {
    const response = await requestPage(client, query, nextPageToken);
    const events = response.history?.events ?? [];
    const last = events.at(-1);
    successor = last ? (successorOf(last) ?? successor) : successor;
    if (events.length > 0) yield { temporalRunId: query.temporalRunId, events };
    nextPageToken = response.nextPageToken?.length ? response.nextPageToken : undefined;
  } while (nextPageToken && !query.signal?.aborted);
  return query.signal?.aborted ? null : successor;
}

/**
 * Whether reading has failed because the server has written the end of the history anew since the page before, as it may after it was
 * killed in the middle of a task. Then the history is to be read from its beginning.
 */
export function isOutdated(error: unknown): boolean {
  const { code, details } = Object(error);
  return code === INVALID_ARGUMENT && /branch token|versioned transition/.test(String(details));
}

async function requestPage(
  client: Client,
  query: HistoryQuery & { temporalRunId: string },
  nextPageToken: Uint8Array | undefined,
) {
  const request = {
    namespace: client.options.namespace,
    execution: { workflowId: query.workflowId, runId: query.temporalRunId },
    waitNewEvent: query.follow,
    ...(nextPageToken && { nextPageToken }),
  };
  const send = () => client.workflowService.getWorkflowExecutionHistory(request);
  if (!query.follow || !query.signal) return send();
  // One signal for each request: the client leaves its listeners on it, and a run is followed over thousands of requests.
  const { signal } = query;
  const asking = new AbortController();
  const stop = () => asking.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await client.connection.withAbortSignal(asking.signal, send);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The execution that goes on after this event, if the chain goes on. */
function successorOf(event: HistoryEvent): string | null {
  return (
    event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ||
    event.workflowExecutionFailedEventAttributes?.newExecutionRunId ||
    event.workflowExecutionTimedOutEventAttributes?.newExecutionRunId ||
    null
  );
}

/**
 * The first execution of the newest chain under a workflow id.
 * @throws what the server throws, `NOT_FOUND` among it.
 */
export async function firstRunId(client: Client, workflowId: string): Promise<string> {
  const response = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId },
    maximumPageSize: 1,
  });
  return response.history?.events?.[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? '';
}
