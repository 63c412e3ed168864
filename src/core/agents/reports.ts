import { isPending, toPending } from '../calls/calls.js';
import { agentsPending } from './agents-pending.js';
import type { ChildReport } from './child-run.js';
import { patch, type Draft } from '../draft.js';
import type { RunEvent } from '../events.js';
import type { PendingItem } from '../progress.js';
import type { RunState } from '../state.js';
import { rollHash } from '../transcript.js';

/** Everything that waits for a human, in this run and in its sub-agents. A run that is being cancelled asks for nothing any more. */
export function pendingOf(state: RunState): PendingItem[] {
  if (state.cancelRequested) return [];
  return [...state.calls.filter(isPending).map(toPending), ...agentsPending(state)];
}

/** {@link pendingOf} as the run that has delegated sees it: a decision under check may be refused, which makes it no new request. */
function askedOf(state: RunState): PendingItem[] {
  if (state.cancelRequested) return [];
  const own = state.calls.filter((call) => isPending(call) || call.status === 'checking');
  return [...own.map(toPending), ...agentsPending(state)];
}

/** Tells the run that has delegated what waits for a human, what was decided and how it ended; one report after the other. */
export function report(draft: Draft): void {
  noteNews(draft);
  const { parent, reporting, farewell, phase } = draft.state;
  if (!parent || reporting.call || reporting.final || phase === 'closed') return;
  const pending = askedOf(draft.state);
  const told = rollHash('', JSON.stringify(pending));
  const { decided, reminded = [] } = reporting;
  if (told === reporting.told && decided.length + reminded.length === 0 && !farewell) return;
  const n = reporting.count + 1;
  const payload: ChildReport = {
    key: parent.key,
    n,
    pending,
    decided,
    ...(reminded.length > 0 && { reminded }),
    ...(farewell && { result: farewell }),
  };
  patch(draft, {
    reporting: { count: n, call: { key: `p${n}`, payload }, told, decided: [], final: farewell !== null },
  });
}

function noteNews(draft: Draft): void {
  const { parent, reporting } = draft.state;
  if (!parent) return;
  const decided = draft.events.flatMap((event) =>
    event.type === 'decision_made' ? [withoutFrame(event)] : [],
  );
  const reminded = draft.events.flatMap((event) => (event.type === 'decision_reminder' ? event.callId : []));
  if (decided.length > 0)
    patch(draft, { reporting: { ...reporting, decided: [...reporting.decided, ...decided] } });
  if (reminded.length > 0)
    patch(draft, {
      reporting: { ...draft.state.reporting, reminded: [...(reporting.reminded ?? []), ...reminded] },
    });
}

function withoutFrame(event: Extract<RunEvent, { type: 'decision_made' }>): ChildReport['decided'][number] {
  const { seq: _seq, at: _at, runId: _runId, type: _type, step: _step, ...decided } = event;
  return decided;
}

/** Takes in that a report has arrived, or never will. */
export function settleReport(draft: Draft, key: string): void {
  const { reporting } = draft.state;
  if (reporting.call?.key === key) patch(draft, { reporting: { ...reporting, call: null } });
}

/** Whether everybody who waits for the end of the run has been told. */
export function hasTakenLeave({ parent, reporting, notices }: RunState): boolean {
  const parentKnows = !parent || (reporting.final && !reporting.call);
  return parentKnows && notices.every(({ type }) => type !== 'run_completed');
}
