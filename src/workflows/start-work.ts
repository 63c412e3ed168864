import { ParentClosePolicy, proxyActivities, startChild, type ActivityOptions } from '@temporalio/workflow';
import type { AgentActivities } from '../contract/activities.js';
import { isMetered } from '../core/metered.js';
import type { RunInput } from '../core/run-input.js';
import type { RunResult } from '../core/progress.js';
import type { RunState } from '../core/state.js';
import type { Plan } from '../core/work.js';
import { AGENT_RUN } from '../contract/names.js';

const activities = proxyActivities<AgentActivities>({ startToCloseTimeout: '1 minute' });

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

/** A sub-agent may be about to start when it is first told something. */
const RELAY_RETRY = { maximumAttempts: 12, initialInterval: '200ms', maximumInterval: '10s' } as const;

/** Whoever delegated hears of a sub-agent's end even when no worker is there for hours. */
const REPORT_RETRY = { maximumAttempts: 200, initialInterval: '200ms', maximumInterval: '60s' } as const;

/** A webhook that is down for some minutes is waited for, but not by a run that is about to close. */
const NOTIFY_RETRY = { maximumAttempts: 12, initialInterval: '1s', maximumInterval: '2 minutes' } as const;
const LAST_NOTIFY_RETRY = { ...NOTIFY_RETRY, maximumAttempts: 5 } as const;

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
      return activities.prepareRun.executeWithOptions(options, []);
    case 'model':
      return activities.callModel.executeWithOptions(options, [item.input]);
    case 'tool':
      return activities.runTool.executeWithOptions(options, [item.input]);
    case 'verify':
      return activities.verifyCall.executeWithOptions(options, [item.input]);
    case 'check':
      return activities.checkArgs.executeWithOptions(options, [item.input]);
    case 'judge':
      return activities.checkDecision.executeWithOptions(options, [item.input]);
    case 'reconcile':
      return activities.reconcileCost.executeWithOptions(options, [item.input]);
    case 'draw':
      return activities.drawBudget.executeWithOptions(options, [item.input]);
    case 'relay':
      return activities.relay.executeWithOptions(options, [item.input]);
    case 'report':
      return activities.report.executeWithOptions(options, [item.input]);
    case 'notify':
      return activities.notify.executeWithOptions(options, [item.input]);
    case 'child':
      return startAgent(item);
  }
}

/** A sub-agent is a run like any other, that ends when the one which has delegated is gone. */
async function startAgent({
  runId,
  input,
  summary,
}: Extract<Startable, { kind: 'child' }>): Promise<RunResult> {
  const child = await startChild<(input: RunInput) => Promise<RunResult>>(AGENT_RUN, {
    workflowId: runId,
    args: [input],
    // It settles its costs and says how it ended, whatever became of this run.
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    staticSummary: summary,
  });
  return child.result();
}

/** Whether a person waits for what becomes of a control. */
function isWaitedFor(name: string): boolean {
  return name === 'decide' || name === 'answer';
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
        retry: item.once
          ? { maximumAttempts: 1 }
          : { ...TOOL_RETRY, ...(item.attempts !== undefined && { maximumAttempts: item.attempts }) },
      };
    case 'verify':
      return {
        heartbeatTimeout,
        startToCloseTimeout: item.timeoutMs + TOOL_GRACE_MS,
        retry: TOOL_RETRY,
      };
    case 'check':
    case 'judge':
      return { retry: { maximumAttempts: 10 } };
    case 'relay':
      // Who decides hears of a failure and may try again; a sub-agent that never heard `resume` would wait for ever.
      return { retry: isWaitedFor(item.input.name) ? RELAY_RETRY : REPORT_RETRY };
    case 'report':
      return { retry: REPORT_RETRY };
    case 'notify':
      return { retry: item.isLast ? LAST_NOTIFY_RETRY : NOTIFY_RETRY };
    case 'child':
      return {};
    case 'reconcile':
      return { heartbeatTimeout, retry: { maximumAttempts: 3 } };
    case 'draw':
      return { retry: DRAW_RETRY };
  }
}
