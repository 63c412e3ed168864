import { WithStartWorkflowOperation, type Client } from '@temporalio/client';
import {
  GOVERNOR_REPORT,
  governorId,
  MODEL_GOVERNOR,
  type GovernorInput,
  type GovernorReply,
  type GovernorReport,
} from '../../contract/governor.js';

/** A governor that takes longer is not there. Where its last worker was killed, finding another one takes two seconds. */
const REPORT_TIMEOUT_MS = 5_000;

/** Makes the way to the governor of a model, which is started where it does not run. */
export function createExchange(options: {
  client: Client;
  taskQueue: string;
  fingerprint: string;
  model: string;
  input: GovernorInput;
}): (report: GovernorReport) => Promise<GovernorReply> {
  const { client, taskQueue, fingerprint, model, input } = options;
  const workflowId = governorId(fingerprint, model);
  return (report) => {
    const startWorkflowOperation = new WithStartWorkflowOperation<(input: GovernorInput) => Promise<void>>(
      MODEL_GOVERNOR,
      { workflowId, taskQueue, args: [input], workflowIdConflictPolicy: 'USE_EXISTING' },
    );
    return client.withDeadline(Date.now() + REPORT_TIMEOUT_MS, () =>
      client.workflow.executeUpdateWithStart<
        (input: GovernorInput) => Promise<void>,
        GovernorReply,
        [GovernorReport]
      >(GOVERNOR_REPORT, { args: [report], startWorkflowOperation }),
    );
  };
}
