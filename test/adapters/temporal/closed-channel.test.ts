import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Connection } from '@temporalio/client';
import { connectionInterceptors } from '../../../src/adapters/temporal/closed-channel.js';

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo; // It listens on a port.
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a connection that is closed', () => {
  it('ends a call that waits for its next attempt, and nothing else', async () => {
    const uncaught: unknown[] = [];
    const note = (error: unknown): unknown => uncaught.push(error);
    process.on('uncaughtException', note);
    try {
      const connection = Connection.lazy({
        address: `127.0.0.1:${await closedPort()}`,
        interceptors: connectionInterceptors(),
      });
      const asked = connection.workflowService.getSystemInfo({});
      const ended = expect(asked).rejects.toMatchObject({ code: 1, message: /shut down/ });
      // The first attempt has failed by then, and the second has not begun.
      setTimeout(() => void connection.close(), 60);
      await ended;
      expect(uncaught).toEqual([]);
    } finally {
      process.off('uncaughtException', note);
    }
  });
});
