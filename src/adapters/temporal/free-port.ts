import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { systemErrorCode } from '../system-error.js';

/** A TCP port that was free a moment ago. */
export function findFreePort(ip: string): Promise<number> {
  return tryPort(ip, 0);
}

/** Whether a TCP port can be listened on. */
export async function isPortFree(ip: string, port: number): Promise<boolean> {
  try {
    await tryPort(ip, port);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EADDRINUSE') return false;
    throw error;
  }
}

function tryPort(ip: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: ip, port, exclusive: true }, () => {
      // A TCP server that listens has an AddressInfo, never a pipe's name.
      const { port: bound } = server.address() as AddressInfo;
      server.close(() => resolve(bound));
    });
  });
}
