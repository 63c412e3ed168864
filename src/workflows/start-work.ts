import { proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { AgentActivities } from '../contract/activities.js';
import { isMetered } from '../core/metered.js';
import type { RunState } from '../core/state.js';
import type { Plan } from '../core/work.js';

const { prepareRun, callModel, runTool, checkArgs, reconcileCost, drawBudget } =
  proxyActivities<AgentActivities>({
    startToCloseTimeout: '1 minute',
  });

/** Attempts of one model call and the waits between them, before behaviour 2. Contract §11. */
const MODEL_RETRY = {
  maximumAttempts: 6,
  initialInterval: '1s',
  backoffCoefficient: 2,
  maximumInterval: '60s',
} as const;

/** A tool that may run again: five attempts survive a worker that is killed a few times in a row. */
const TOOL_RETRY = {
  maximumAttempts: 5,
  initialInterval: '500ms',
  backoffCoefficient: 2,
  maximumInterval: '30s',
} as const;

/** A model server that is away is waited for as long as in the middle of a run, about a day. Bad input fails at once. */
const PREPARE_RETRY = { maximumAttempts: 1_500, maximumInterval: '60s' } as const;

/** A budget is a workflow on the same server; one that does not answer for minutes has no worker. */
const DRAW_RETRY = { maximumAttempts: 20, maximumInterval: '10s' } as const;

/** A hand-over between the tool's own time limit, which tells what happened, and Temporal's, which cannot. */
const TOOL_GRACE_MS = 10_000;

/** Said, because what is left out becomes TRY_CANCEL on the wire, which leaves no trace of the end in history. */
const cancellationType = 'WAIT_CANCELLATION_COMPLETED' as const;

type Startable = Plan['start'][number];

/** Starts the activity that does a piece of work. Its id is the key of the work, by which history is read again. */
export function startWork(item: Startable, state: RunState): Promise<unknown> {
  const options: ActivityOptions = {
    activityId: item.key,
    cancellationType,
    summary: item.kind === 'prepare' ? 'check the input' : item.summary,
    ...boundsOf(item, state),
  };
  switch (item.kind) {
    case 'prepare':
      return prepareRun.executeWithOptions(options, []);
    case 'model':
      return callModel.executeWithOptions(options, [item.input]);
    case 'tool':
      return runTool.executeWithOptions(options, [item.input]);
    case 'check':
      return checkArgs.executeWithOptions(options, [item.input]);
    case 'reconcile':
      return reconcileCost.executeWithOptions(options, [item.input]);
    case 'draw':
      return drawBudget.executeWithOptions(options, [item.input]);
  }
}

/** How long a piece of work may take and how often it is tried. */
function boundsOf(item: Startable, state: RunState): Partial<ActivityOptions> {
  const heartbeatTimeout = state.prepared?.heartbeatTimeoutMs ?? 8_000;
  switch (item.kind) {
    case 'prepare':
      return { retry: PREPARE_RETRY };
    case 'model':
      // Each attempt is reserved for and booked by the run, so it is the run that decides on another.
      return {
        heartbeatTimeout,
        startToCloseTimeout: '1 hour',
        ...(isMetered(state)
          ? { retry: { maximumAttempts: 1 } }
          : { scheduleToCloseTimeout: '4 hours', retry: MODEL_RETRY }),
      };
    case 'tool':
      return {
        heartbeatTimeout,
        startToCloseTimeout: item.timeoutMs + TOOL_GRACE_MS,
        retry: item.once ? { maximumAttempts: 1 } : TOOL_RETRY,
      };
    case 'check':
      return { retry: { maximumAttempts: 10 } };
    case 'reconcile':
      return { heartbeatTimeout, retry: { maximumAttempts: 3 } };
    case 'draw':
      return { retry: DRAW_RETRY };
  }
}
