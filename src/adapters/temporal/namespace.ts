import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { ensureSearchAttributes } from './search-attributes.js';

/** What a dev server gives a namespace. */
const DEV_RETENTION_SECONDS = 24 * 60 * 60;
/** History is the only record of a run, and a closed run shall be there to look at for longer than a day. */
const RETENTION_SECONDS = 30 * DEV_RETENTION_SECONDS;

/**
 * Makes a namespace of an embedded server ready for runs: search attributes, and 30 days of retention in place of the dev server's one
 * (a retention that somebody chose stays).
 * @throws gRPC errors while the server is not up
 */
export async function prepareNamespace(connection: Connection, namespace: string): Promise<void> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  if (Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) === DEV_RETENTION_SECONDS) {
    await connection.workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: msToTs(RETENTION_SECONDS * 1000) },
    });
  }
  await ensureSearchAttributes(connection, namespace);
}
