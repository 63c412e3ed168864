import type { Connection, WorkflowService } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
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

/** Where runs wait for workers. */
export interface TaskQueue {
  namespace: string;
  taskQueue: string;
}

/** A worker that asks for workflow tasks, or did until lately: the server forgets it minutes after it has ended. */
export interface Poller {
  identity: string;
  /** By the server's clock. */
  lastPollAtMs: number;
}

/** Who has asked a task queue for work in the last minutes. @throws gRPC errors */
export async function pollersOf(
  service: Pick<WorkflowService, 'describeTaskQueue'>,
  { namespace, taskQueue }: TaskQueue,
): Promise<Poller[]> {
  const { pollers } = await service.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  return pollers.map(({ identity, lastAccessTime }) => ({
    identity: identity ?? '',
    lastPollAtMs: optionalTsToMs(lastAccessTime) ?? 0,
  }));
}

/** Asks a server. @throws gRPC errors, such as that of a namespace that is not there. */
export async function askServer(
  connection: Connection,
  { namespace, taskQueue }: TaskQueue,
): Promise<ServerHealth> {
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const pollers = await pollersOf(connection.workflowService, { namespace, taskQueue });
  return {
    version: serverVersion,
    missingAttributes: Object.keys(AGENT_SEARCH_ATTRIBUTES).filter(
      (name) => customAttributes[name] === undefined,
    ),
    workers: pollers.flatMap(({ identity }) => identity || []),
  };
}
