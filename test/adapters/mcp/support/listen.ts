import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Opens a server on a port of this machine only, a free one if none is named. */
export async function listen(
  server: Server,
  wanted = 0,
): Promise<{ url: string; close: () => Promise<void> }> {
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // A server on a port has one.
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
