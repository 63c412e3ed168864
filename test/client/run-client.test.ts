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

/** A client whose server lists these runs. */
function clientListing(...infos: ReturnType<typeof listed>[]): RunClient {
  async function* list() {
    yield* infos;
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

describe('a list', () => {
  const child = (workflowId: string, parentId: string) => ({
    ...listed('RUNNING'),
    workflowId,
    parentExecution: { workflowId: parentId, runId: 'p' },
  });
  const infos = [
    child('r/s0.c0', 'r'),
    child('r/s0.c0/s1.c0', 'r/s0.c0'),
    listed('RUNNING'),
    child('mine', 'a-workflow-of-the-user'),
    { ...listed('RUNNING'), workflowId: 'a/b' },
  ];

  it('leaves sub-agents out, but not the runs that a workflow of the user has started', async () => {
    const items = await clientListing(...infos).list();
    expect(items.map(({ runId, parentId }) => [runId, parentId])).toEqual([
      ['r', null],
      ['mine', 'a-workflow-of-the-user'],
      ['a/b', null],
    ]);
    expect(await clientListing(...infos).list({ limit: 2 })).toHaveLength(2);
  });

  it('has all of them when asked to', async () => {
    const items = await clientListing(...infos).list({ all: true });
    expect(items.map(({ runId, parentId }) => [runId, parentId]).slice(0, 2)).toEqual([
      ['r/s0.c0', 'r'],
      ['r/s0.c0/s1.c0', 'r/s0.c0'],
    ]);
    expect(items).toHaveLength(5);
  });

  it('has no parent where the server gives an empty one', async () => {
    expect(await clientListing(child('r', '')).list()).toMatchObject([{ parentId: null }]);
  });
});
