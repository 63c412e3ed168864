import type { ChildReport } from './agents/child-run.js';
import type { NotifyInput } from './human/notices.js';
import type { RelayInput } from './human/relays.js';
import { signedWork, type SignedWork } from './human/signed-work.js';
import type { Relay, RunState } from './state.js';

/** What the activity that reports to the run which has delegated is told. */
export interface ReportInput {
  runId: string;
  payload: ChildReport;
}

/** Work beside the run's own steps. */
export type ErrandWork =
  | SignedWork
  | { kind: 'relay'; key: string; input: RelayInput; summary: string }
  | { kind: 'report'; key: string; input: ReportInput; summary: string }
  /** `isLast`: the run closes when it is done. */
  | { kind: 'notify'; key: string; input: NotifyInput; summary: string; isLast: boolean };

/** One sub-agent hears one thing after the other: what overtakes another would turn its meaning around. */
function isNext({ childId }: Relay, index: number, relays: readonly Relay[]): boolean {
  return relays.findIndex((one) => one.childId === childId) === index;
}

/** What goes to and fro between this run, its sub-agents, the run that has delegated, and the webhook. */
export function errandWork(state: RunState): ErrandWork[] {
  const { relays, reporting, parent, notices, runId } = state;
  const items: ErrandWork[] = [...signedWork(state)];
  for (const { key, childId, name, payload } of relays.filter(isNext))
    items.push({
      kind: 'relay',
      key,
      input: { runId: childId, id: `${runId}.${key}`, name, payload },
      summary: `${name} to ${childId}`,
    });
  if (parent && reporting.call) {
    const { key, payload } = reporting.call;
    items.push({
      kind: 'report',
      key,
      input: { runId: parent.runId, payload },
      summary: `report to ${parent.runId}`,
    });
  }
  for (const notice of notices) {
    const isLast = notice.type === 'run_completed';
    items.push({ kind: 'notify', key: notice.id, input: notice, summary: `webhook: ${notice.type}`, isLast });
  }
  return items;
}
