import { WorkflowExecutionAlreadyStartedError, type LoadedDataConverter } from '@temporalio/common';
import {
  decodeArrayFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import { toOutcome } from '../contract/failure.js';
import type { Input } from '../core/inputs.js';
import type { Outcome } from '../core/outcomes.js';
import type { HistoryEvent } from './history.js';

/** How a sub-agent ended, as the history of the run says that has delegated. */
export interface ChildEnd {
  initiatedEventId: unknown;
  outcome: () => Promise<Outcome<unknown>>;
}

/** The end of a sub-agent in an event, or `null`. */
export function childEnd(event: HistoryEvent, converter: LoadedDataConverter): ChildEnd | null {
  const {
    childWorkflowExecutionCompletedEventAttributes: completed,
    childWorkflowExecutionFailedEventAttributes: failed,
    childWorkflowExecutionCanceledEventAttributes: canceled,
    startChildWorkflowExecutionFailedEventAttributes: refused,
  } = event;
  const lost =
    event.childWorkflowExecutionTimedOutEventAttributes ??
    event.childWorkflowExecutionTerminatedEventAttributes;
  const end = (attributes: { initiatedEventId?: unknown }, outcome: ChildEnd['outcome']): ChildEnd => ({
    initiatedEventId: attributes.initiatedEventId,
    outcome,
  });
  if (completed)
    return end(completed, async () => {
      const [value] = await decodeArrayFromPayloads(converter, completed.result?.payloads);
      return { kind: 'ok', value };
    });
  if (failed)
    return end(failed, async () =>
      toOutcome(await decodeOptionalFailureToOptionalError(converter, failed.failure)),
    );
  if (canceled) return end(canceled, async () => ({ kind: 'cancelled' }));
  if (lost) return end(lost, async () => ({ kind: 'timed_out' }));
  if (refused)
    return end(refused, async () => toOutcome(new WorkflowExecutionAlreadyStartedError('', '', '')));
  return null;
}

/** Stands where the name of an activity would. */
export const CHILD = 'child workflow';

/** The input for an outcome; history types it by the activity that was scheduled. */
export function toInput(
  { key, activity }: { key: string; activity: string },
  atMs: number,
  outcome: Outcome<unknown>,
): Input | null {
  // The activity contract says what each activity returns; history keeps only its name.
  const typed = outcome as Outcome<never>;
  switch (activity) {
    case 'prepareRun':
      return { type: 'prepared', atMs, outcome: typed };
    case 'callModel':
      return { type: 'model_settled', atMs, key, outcome: typed };
    case 'runTool':
      return { type: 'tool_settled', atMs, key, outcome: typed };
    case 'checkArgs':
      return { type: 'args_checked', atMs, key, outcome: typed };
    case 'reconcileCost':
      return { type: 'cost_reported', atMs, key, outcome: typed };
    case 'drawBudget':
      return { type: 'drawn', atMs, key, outcome: typed };
    case 'verifyCall':
      return { type: 'verified', atMs, key, outcome: typed };
    case 'checkDecision':
      return { type: 'decision_checked', atMs, key, outcome: typed };
    case 'relay':
      return { type: 'relayed', atMs, key, outcome: typed };
    case 'report':
      return { type: 'reported', atMs, key, outcome: typed };
    case 'notify':
      return { type: 'notified', atMs, key, outcome: typed };
    case CHILD:
      return { type: 'child_settled', atMs, key, outcome: typed };
    default:
      return null;
  }
}
