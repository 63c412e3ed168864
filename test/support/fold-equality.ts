import type { Client } from '@temporalio/client';
import { RunFold } from '../../src/client/fold.js';
import { firstRunId, readHistory, type HistoryPage } from '../../src/client/history.js';
import { QUERIES } from '../../src/contract/names.js';
import type { RunEvent } from '../../src/core/events.js';
import type { Progress } from '../../src/core/progress.js';
import { view } from '../../src/core/view.js';

/** A run that moves on while it is looked at is looked at again, this many times. */
const LOOKS = 40;

/** What a fold makes of a history. */
export interface Folded {
  progress: Progress | null;
  events: RunEvent[];
  /** The executions of the chain. */
  temporalRunIds: string[];
}

/**
 * Holds what is read out of history equal to what the workflow itself says, from each execution of the chain on, and the events to be
 * numbered without gaps. For runs that move as for runs that have ended; not for terminated ones, of which the workflow knows nothing.
 */
export async function expectFoldEqualsProgress(client: Client, runId: string): Promise<Folded> {
  for (let look = 0; look < LOOKS; look += 1) {
    const folded = await lookOnce(client, runId);
    if (folded) return folded;
  }
  throw new Error(`The run ${runId} did not stand still for one look of ${LOOKS}.`);
}

/** {@link expectFoldEqualsProgress} at this very moment; `null` when the run moved on meanwhile, which proves nothing. */
export async function lookOnce(client: Client, runId: string): Promise<Folded | null> {
  const before = await readChain(client, runId);
  // The newest execution may be another one by the time the query arrives, so it is named.
  const newest = before.at(-1)?.temporalRunId ?? '';
  const asked = await client.workflow.getHandle(runId, newest).query<Progress>(QUERIES.progress);
  if (lengthOf(await readChain(client, runId)) !== lengthOf(before)) return null;
  return compare(client, before, { runId, asked });
}

async function compare(
  client: Client,
  pages: HistoryPage[],
  { runId, asked }: { runId: string; asked: Progress },
): Promise<Folded> {
  const temporalRunIds = [...new Set(pages.map((page) => page.temporalRunId))];
  const folds = await Promise.all(
    temporalRunIds.map((_, index) =>
      foldPages(
        client,
        runId,
        pages.filter((page) => temporalRunIds.indexOf(page.temporalRunId) >= index),
      ),
    ),
  );
  for (const folded of folds) expect(folded.progress).toEqual(asked);
  const [whole = { progress: null, events: [], temporalRunIds }, ...later] = folds;
  expect(whole.events.map((event) => event.seq)).toEqual(whole.events.map((_, index) => index));
  for (const { events } of later)
    expect(events).toEqual(events.length === 0 ? [] : whole.events.slice(-events.length));
  return { ...whole, temporalRunIds };
}

/** Folds pages that begin with the first event of an execution. */
export async function foldPages(
  client: Client,
  runId: string,
  pages: readonly HistoryPage[],
): Promise<Folded> {
  const fold = new RunFold(runId, client.options.loadedDataConverter);
  const events: RunEvent[] = [];
  for (const page of pages) events.push(...(await fold.take(page)));
  const state = fold.current();
  return {
    progress: state && view(state),
    events,
    temporalRunIds: [...new Set(pages.map((page) => page.temporalRunId))],
  };
}

/** The whole history of a run, as it is now. */
export async function readChain(client: Client, runId: string): Promise<HistoryPage[]> {
  const temporalRunId = await firstRunId(client, runId);
  const pages: HistoryPage[] = [];
  for await (const page of readHistory(client, { workflowId: runId, temporalRunId, follow: false }))
    pages.push(page);
  return pages;
}

function lengthOf(pages: readonly HistoryPage[]): number {
  return pages.reduce((sum, page) => sum + page.events.length, 0);
}
