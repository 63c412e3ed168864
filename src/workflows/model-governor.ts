import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  defineQuery,
  defineUpdate,
  makeContinueAsNewFunc,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import {
  GOVERNOR_DEFAULTS,
  GOVERNOR_REPORT,
  GOVERNOR_STATE,
  type FleetState,
  type GovernorInput,
  type GovernorReply,
  type GovernorReport,
} from '../contract/governor.js';
import { isGovernorReport, newFleet, takeReport } from '../core/model/governor.js';

/**
 * Shares the calls of one key to one model among the workers. It is soft state: it ends when nobody has reported for a while, and
 * the next report starts it again. Every task of it writes something, see `leaveTrace` of the agent run: an update, a timer or a memo.
 */
export async function modelGovernor(input: GovernorInput = {}): Promise<void> {
  const { idleMs, continueAsNewEvents, carried, ...settings } = { ...GOVERNOR_DEFAULTS, ...input };
  // What an unknown version left is forgotten; the worst that follows is a few refusals.
  let state = carried?.version === 1 ? carried.state : newFleet(settings);
  let reportedAtMs = Date.now();
  let isFull = false;
  setHandler(
    defineUpdate<GovernorReply, [GovernorReport]>(GOVERNOR_REPORT),
    (report) => {
      reportedAtMs = Date.now();
      const taken = takeReport(state, report, { atMs: reportedAtMs, settings });
      state = taken.state;
      isFull ||= historyIsFull(continueAsNewEvents);
      setCurrentDetails(render(state, reportedAtMs));
      return taken.reply;
    },
    {
      validator: checkReport,
      description: 'For workers: tells how calls went, and gets a share of the limit.',
    },
  );
  setHandler(defineQuery<FleetState>(GOVERNOR_STATE), () => state, {
    description: 'Limit, pause and shares.',
  });
  setDefaultSignalHandler((name) => upsertMemo({ ignored: name.slice(0, 100) }));
  while (!isFull) {
    const restMs = reportedAtMs + idleMs - Date.now();
    if (restMs <= 0) return;
    await condition(() => isFull, restMs);
  }
  await condition(allHandlersFinished);
  await makeContinueAsNewFunc<typeof modelGovernor>()({ ...input, carried: { version: 1, state } });
}

function historyIsFull(atEvents: number): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || historyLength >= atEvents;
}

function checkReport(report: unknown): void {
  if (isGovernorReport(report)) return;
  throw ApplicationFailure.nonRetryable(
    'Only workers report here, in the shape of their version.',
    'INPUT_INVALID',
  );
}

/** Temporal's Web UI shows this as markdown. */
function render({ throttle, leases }: FleetState, atMs: number): string {
  const pauseMs = throttle.notBeforeMs - atMs;
  return [
    `**At most ${throttle.limit} calls at once**`,
    '',
    `- **Cuts after refusals:** ${throttle.epoch}`,
    ...(pauseMs > 0 ? [`- **Paused until:** ${new Date(throttle.notBeforeMs).toISOString()}`] : []),
    `- **Workers:** ${Object.keys(leases).length}`,
  ].join('\n');
}
