import type { Client } from '@temporalio/client';
import { RunClient } from '../../src/client/run-client.js';

/** A run as the server lists it. */
const listed = (statusName: string, memo?: Record<string, unknown>) => ({
  workflowId: 'r',
  runId: 't',
  status: { name: statusName },
  searchAttributes: {},
  startTime: new Date(0),
  ...(statusName === 'RUNNING' ? {} : { closeTime: new Date(1) }),
  memo,
});

/** A client whose server lists one run. */
function clientListing(info: ReturnType<typeof listed>): RunClient {
  async function* list() {
    yield info;
  }
  // Nothing else of the client is used by a list.
  const client = { workflow: { list } } as unknown as Client;
  return new RunClient({ client, taskQueue: 'q', checkInput: () => ({ goal: 'g' }) });
}

describe('a listed run', () => {
  test.each([
    ['COMPLETED', { outcome: 'done', events: 7 }, 'done', null],
    ['COMPLETED', { outcome: 'limit', limit: 'cost' }, 'limit', 'cost'],
    ['COMPLETED', { outcome: 'surprise', limit: 5 }, null, null],
    ['COMPLETED', undefined, null, null],
    ['FAILED', undefined, 'failed', null],
    ['TIMED_OUT', undefined, 'failed', null],
    ['CANCELLED', { outcome: 'cancelled' }, 'cancelled', null],
    ['TERMINATED', undefined, 'cancelled', null],
    ['RUNNING', { events: 7 }, null, null],
  ])(
    'that the server calls %s and has the memo %j ended %s, at limit %s',
    async (name, memo, outcome, limit) => {
      const [item] = await clientListing(listed(name, memo)).list();
      expect(item).toMatchObject({ outcome, limit, status: name === 'RUNNING' ? 'running' : 'closed' });
    },
  );
});
