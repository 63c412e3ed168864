import type { Connection } from '@temporalio/client';
// The package is CommonJS without names that Node can see, so its default is the only way in.
import proto from '@temporalio/proto';
import { AGENT_SEARCH_ATTRIBUTES } from './search-attributes.js';

const { TaskQueueType } = proto.temporal.api.enums.v1;

/** What a server says about itself and a task queue. Changes nothing. */
export interface ServerHealth {
  version: string;
  /** Search attributes of runs that it lacks. */
  missingAttributes: string[];
  /** Identities of the workers that have asked for work in the last minutes. */
  workers: string[];
}

/** Asks a server. @throws gRPC errors, such as that of a namespace that is not there. */
export async function askServer(
  connection: Connection,
  { namespace, taskQueue }: { namespace: string; taskQueue: string },
): Promise<ServerHealth> {
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  return {
    version: serverVersion,
    missingAttributes: Object.keys(AGENT_SEARCH_ATTRIBUTES).filter(
      (name) => customAttributes[name] === undefined,
    ),
    workers: pollers.flatMap(({ identity }) => identity || []),
  };
}
