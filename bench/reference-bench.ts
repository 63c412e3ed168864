import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { measureChain, type Measured } from './measure.js';

/** Steps of a run that warms everything up. */
const WARM_UP_STEPS = 10;

/** What the same number of steps costs without an agent, on the same machine in the same minute: other figures are told as times this. */
export async function benchReference({
  address,
  steps,
}: {
  address: string;
  steps: number;
}): Promise<Measured> {
  const nativeConnection = await NativeConnection.connect({ address });
  const connection = await Connection.connect({ address });
  const taskQueue = randomUUID();
  const worker = await Worker.create({
    connection: nativeConnection,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('./reference-workflow.ts', import.meta.url)),
    activities: { nothing: async () => undefined },
  });
  const running = worker.run();
  const client = new Client({ connection });
  try {
    await client.workflow.execute('reference', {
      taskQueue,
      workflowId: randomUUID(),
      args: [WARM_UP_STEPS],
    });
    const handle = await client.workflow.start('reference', {
      taskQueue,
      workflowId: randomUUID(),
      args: [steps],
    });
    await handle.result();
    return await measureChain(client, handle.workflowId, handle.firstExecutionRunId);
  } finally {
    worker.shutdown();
    await running;
    await connection.close();
    await nativeConnection.close();
  }
}
