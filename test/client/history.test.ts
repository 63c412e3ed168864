import type { Client } from '@temporalio/client';
import { isOutdated, readHistory } from '../../src/client/history.js';

interface Page {
  ids: number[];
  next?: string;
}

const OUTDATED = Object.assign(new Error('3 INVALID_ARGUMENT'), {
  code: 3,
  details: "Current and request branch tokens, or current and request versioned transitions, don't match.",
});

/** A server that answers by page token; '' is the first page. */
function serverOf(answer: (token: string) => Page): Client {
  const getWorkflowExecutionHistory = async ({ nextPageToken }: { nextPageToken?: Uint8Array }) => {
    const { ids, next } = answer(nextPageToken ? Buffer.from(nextPageToken).toString() : '');
    return {
      history: { events: ids.map((eventId) => ({ eventId })) },
      nextPageToken: next === undefined ? null : Buffer.from(next),
    };
  };
  // The rest of a client is not used.
  return { options: { namespace: 'default' }, workflowService: { getWorkflowExecutionHistory } } as never;
}

async function idsOf(client: Client): Promise<number[]> {
  const ids: number[] = [];
  for await (const { events } of readHistory(client, { workflowId: 'a', follow: false }))
    ids.push(...events.map(({ eventId }) => Number(eventId)));
  return ids;
}

describe('the history of a run', () => {
  it('is known to be outdated when the server has written its end anew', async () => {
    const client = serverOf((token) => {
      if (token === 'old') throw OUTDATED;
      return { ids: [1, 2], next: 'old' };
    });
    const error: unknown = await idsOf(client).catch((caught: unknown) => caught);
    expect(isOutdated(error)).toBe(true);
    expect(isOutdated(new Error('no'))).toBe(false);
  });

  it('ends with any other refusal', async () => {
    const client = serverOf((token) => {
      if (token === '') return { ids: [1], next: 'next' };
      throw Object.assign(new Error('no'), { code: 3, details: 'Invalid token.' });
    });
    await expect(idsOf(client)).rejects.toThrow('no');
  });

  it('ends with a refusal of the very first page', async () => {
    await expect(
      idsOf(
        serverOf(() => {
          throw OUTDATED;
        }),
      ),
    ).rejects.toThrow('INVALID_ARGUMENT');
  });
});
