import { Context } from '@temporalio/activity';
import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/common';
import { isErrorCode } from '../core/errors.js';
import type { Relayed, RelayInput } from '../core/human/relays.js';
import type { ReportInput } from '../core/errand-work.js';
import { reporting } from './activity-run.js';

/** How long one attempt waits for the other run's answer. Below the minute that the activity has. */
const ANSWER_TIMEOUT_MS = 45_000;

/** Makes the activity that hands a control to a sub-agent. A refusal is its answer, not an error. */
export function createRelay(): (input: RelayInput) => Promise<Relayed> {
  return ({ runId, id, name, payload }) =>
    reporting(async () => {
      const { client } = Context.current();
      try {
        await client.withDeadline(Date.now() + ANSWER_TIMEOUT_MS, () =>
          // By its id the run takes the update once, however often this is tried.
          client.workflow.getHandle(runId).executeUpdate(name, { args: [payload], updateId: id }),
        );
        return {};
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal) return { refusal };
        if (error instanceof WorkflowNotFoundError && (await hasEnded(client, runId)))
          return { refusal: { code: 'RUN_CLOSED', message: 'The sub-agent has ended.' } };
        throw error;
      }
    });
}

/** The server says the same of a run that has ended and of one that it is only about to start. */
async function hasEnded(client: Context['client'], runId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(runId).describe();
    return status.name !== 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

function refusalOf(error: unknown): Relayed['refusal'] | null {
  const { cause } = Object(error);
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type))
    return { code: cause.type, message: cause.message };
  return null;
}

/** Makes the activity that reports to the run which has delegated. One that is not there any more needs no report. */
export function createReport(): (input: ReportInput) => Promise<void> {
  return ({ runId, payload }) =>
    reporting(async () => {
      try {
        await Context.current().client.workflow.getHandle(runId).signal('report', payload);
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    });
}
