import type { Client } from '@temporalio/client';
import { readHistory } from '../../src/client/history.js';

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
  it('is read anew when the server has written it anew, and nothing is told twice', async () => {
    let refusals = 0;
    const client = serverOf((token) => {
      if (token === 'old') {
        refusals += 1;
        throw OUTDATED;
      }
      if (token === 'new') return { ids: [4, 5] };
      return refusals === 0 ? { ids: [1, 2], next: 'old' } : { ids: [1, 2, 3], next: 'new' };
    });
    expect(await idsOf(client)).toEqual([1, 2, 3, 4, 5]);
    expect(refusals).toBe(1);
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
