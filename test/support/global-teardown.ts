import { once } from 'node:events';
import type { SharedServerBroker } from './global-setup.js';

/** Ends the shared Temporal server of the run, if a test asked for one. */
// Jest calls the default export.
export default async function globalTeardown(): Promise<void> {
  // Put there by the global setup, in the same process.
  const { broker, serverProcess } = (globalThis as unknown as { sharedServerBroker: SharedServerBroker })
    .sharedServerBroker;
  broker.close();
  const child = serverProcess();
  if (child === null || child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.stdin?.end();
  await ended;
}
