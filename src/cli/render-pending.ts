import type { PendingItem } from '../core/progress.js';
import { settleCommands } from '../core/human/settle-commands.js';
import { argLines, oneLine, printable } from './format.js';
import type { Style } from './style.js';

const TITLES = {
  decision: 'waits for a decision',
  question: 'asks',
  unknown_outcome: 'may or may not have run: nobody knows',
};

const REASONS = {
  taint: 'text from outside was read before',
  changed: 'its server has changed what it says of the tool',
  loop: 'the run goes in circles: it has made this very call again and again',
  review: 'the reviewer is not content with the answer',
};

/** What waits for a human, in full: nobody should decide on less. */
export function renderPending(item: PendingItem, style: Style): string[] {
  return [
    `${style.yellow(`  ? ${nameOf(item)} ${TITLES[item.kind]}`)}${until(item, style)}`,
    ...whyLines(item).map((line) => style.yellow(`      ${line}`)),
    ...argLines(item.args, '      '),
  ];
}

/** That somebody still has to decide; what on was shown before. */
export function renderReminder(item: PendingItem, style: Style): string {
  const still = { decision: 'still waits for a decision', question: 'still waits for an answer' };
  const title =
    item.kind === 'unknown_outcome' ? 'still waits for a word on its unknown outcome' : still[item.kind];
  return `${style.yellow(`  ? ${nameOf(item)} ${title}`)}${until(item, style)}`;
}

/** `s0.c0 pay`; what a sub-agent asks for is said to be. */
function nameOf({ callId, tool }: PendingItem): string {
  return `${printable(callId)} ${printable(tool)}${callId.includes('/') ? ' (of a sub-agent)' : ''}`;
}

function until({ expiresAt }: PendingItem, { dim }: Style): string {
  return expiresAt === null ? '' : dim(`  until ${expiresAt}`);
}

/** Why it is asked for, and how many have said yes. */
function whyLines(item: PendingItem): string[] {
  const why = noteIn(item) ?? (item.reason && REASONS[item.reason]);
  const { by = [], needed = 1 } = item.approvals ?? {};
  const have =
    by.length === 0 ? '' : `, ${by.length} so far: ${by.map((name) => oneLine(name, 60)).join(', ')}`;
  return [
    ...(why === undefined ? [] : [`asked because ${why}`]),
    ...(needed > 1 ? [`needs ${needed} approvals${have}`] : []),
  ];
}

/** The reason in words, which the summary of a decision begins with. */
function noteIn({ kind, summary, tool }: PendingItem): string | undefined {
  const end = summary.indexOf(`] ${tool} `);
  if (kind !== 'decision' || !summary.startsWith('[') || end < 0) return undefined;
  return oneLine(summary.slice(1, end), 300);
}

const MEANINGS = {
  unknown: ['(runs it again)', '(what came of it)', '(stays unknown)'],
  review: ['(the answer stands as it is)', '(it is mended once more)'],
};

/** The commands that settle a pending item. */
export function howToSettle(item: Pick<PendingItem, 'kind' | 'callId' | 'reason'>, runId: string): string[] {
  const ours = settleCommands(item, runId).filter((line) => line.startsWith('longhaul '));
  const meanings =
    item.kind === 'unknown_outcome' ? MEANINGS.unknown : item.reason === 'review' ? MEANINGS.review : null;
  return meanings ? ours.map((line, index) => `${line}   ${meanings[index] ?? ''}`) : ours;
}

/** {@link renderPending} with {@link howToSettle}. */
export function renderPendingItem(item: { runId: string } & PendingItem, style: Style): string[] {
  return [
    ...renderPending(item, style),
    ...howToSettle(item, item.runId).map((line) => style.dim(`      ${line}`)),
  ];
}
