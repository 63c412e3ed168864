import type { Client } from '@temporalio/client';
import { forkId } from '../../src/client/fork-id.js';
import { RunHandle } from '../../src/client/run-handle.js';

/** A run that answers each update with this. */
function runAnswering(answer: object): { run: RunHandle; sent: unknown[] } {
  const sent: unknown[] = [];
  const executeUpdate = async (...args: unknown[]) => {
    sent.push(args);
    return answer;
  };
  // Nothing else of the client is used by a control.
  const client = {
    connection: { withDeadline: (_at: number, send: () => unknown) => send() },
    workflow: { getHandle: () => ({ executeUpdate }) },
  } as unknown as Client;
  const startRun = async (): Promise<never> => {
    throw new Error('Nothing is started.');
  };
  return { run: new RunHandle(client, 'r', startRun), sent };
}

describe('say', () => {
  it.each([
    [{ accepted: true, messageId: 'm1', position: 2 }, {}, { messageId: 'm1', position: 2 }],
    [{ accepted: true, messageId: 'm1', position: null }, {}, { messageId: 'm1', position: null }],
    // A worker of an earlier version says nothing of the message.
    [{ accepted: true }, { messageId: 'mine' }, { messageId: 'mine', position: 0 }],
  ])('gives back what the run says of the message: %j', async (answer, options, receipt) => {
    const { run, sent } = runAnswering(answer);
    expect(await run.say('hi', options)).toEqual(receipt);
    expect(sent).toEqual([['say', { args: [{ text: 'hi', ...options }] }]]);
  });
});

it('other controls give back nothing', async () => {
  const { run } = runAnswering({ accepted: true });
  expect(await run.pause()).toBeUndefined();
});

describe('the default id of a fork', () => {
  it.each([
    ['r', 'r.2'],
    ['r.2', 'r.3'],
    ['r/s0.c0', 'r-s0.c0.2'],
    ['r/s0.c0.r1/s2.c0', 'r-s0.c0.r1-s2.c0.2'],
  ])('of %s is %s', (runId, expected) => {
    expect(forkId(runId, undefined)).toBe(expected);
  });

  it('is another one each time where a step is named', () => {
    const [one, other] = [forkId('r/s0.c0', 3), forkId('r/s0.c0', 3)];
    expect(one).toMatch(/^r-s0\.c0\.s3-[0-9a-f]{8}$/);
    expect(one).not.toBe(other);
  });
});
