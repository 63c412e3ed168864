import type { PendingItem } from '../progress.js';

/** Lines for a shell, any one of which settles a pending call: first those of longhaul, then those of Temporal's own CLI. */
export function settleCommands(
  { kind, callId, approvals, separate }: Pick<PendingItem, 'kind' | 'callId' | 'approvals' | 'separate'>,
  runId: string,
): string[] {
  const target = `${shellWord(runId)} ${shellWord(callId)}`;
  const signal = (name: string, words: object): string =>
    `temporal workflow signal --workflow-id ${shellWord(runId)} --name ${name} --input ${shellWord(JSON.stringify({ callId, ...words }))}`;
  const approve = [
    `longhaul approve ${target}`,
    signal('approve', approvals || separate ? { by: 'YOUR NAME' } : {}),
  ] as const;
  const reject = [`longhaul reject ${target} --note "WHY"`, signal('reject', { note: 'WHY' })] as const;
  const answer = [`longhaul answer ${target} "TEXT"`, signal('answer', { text: 'TEXT' })] as const;
  const ways = {
    decision: [approve, reject],
    question: [answer],
    unknown_outcome: [approve, answer, reject],
  }[kind];
  return [...ways.map(([ours]) => ours), ...ways.map(([, raw]) => raw)];
}

/** Whoever starts a run chooses its id, so a line that is pasted into a shell must not be more than it seems. */
function shellWord(text: string): string {
  return /^[\w.:@/+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
