import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

// Jest loads this file without its module mapper, so it imports nothing of `src` or `test`.

/** What the global teardown has to end. */
export interface SharedServerBroker {
  broker: Server;
  serverProcess(): ChildProcess | null;
}

/**
 * Starts no Temporal server, only something to ask for one: whoever connects is told the address of a server that all test files
 * share, and the first to ask gets it started. Runs of unit tests alone never pay for it.
 */
// Jest calls the default export.
export default async function globalSetup(): Promise<void> {
  let child: ChildProcess | null = null;
  let address: Promise<string> | null = null;
  const broker = createServer((socket) => {
    socket.on('error', () => undefined);
    child ??= spawn(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL('./shared-server.ts', import.meta.url))],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    address ??= firstLine(child);
    void address.then((line) => socket.end(line));
  });
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
  // A server that listens on TCP has an AddressInfo.
  process.env['LONGHAUL_TEST_BROKER_PORT'] = String((broker.address() as AddressInfo).port);
  Object.assign(globalThis, {
    sharedServerBroker: { broker, serverProcess: () => child } satisfies SharedServerBroker,
  });
}

/** The first line of standard output, or an empty text when there is none. */
async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) return '';
  for await (const line of createInterface({ input: child.stdout })) return line;
  return '';
}
