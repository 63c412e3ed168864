import type { PendingItem, Progress } from '../core/progress.js';
import { code, literal, signalCommand, sizeOf } from './details-text.js';

/** Requests shown with their command; more are counted. */
const MAX_SHOWN = 3;

/** Most of a request's arguments, and least before fewer requests are shown. */
const TEXT_BYTES = { most: 900, least: 150 } as const;

const WANTED = {
  decision: 'a decision',
  question: 'an answer',
  unknown_outcome: 'a word on an unknown outcome',
};

const REASONS = {
  taint: 'Asked because text from outside was read before.',
  changed: 'Asked because its server has changed what it says of the tool.',
  loop: 'Asked because the run goes in circles: it has made this very call again and again.',
  review: 'Asked because the reviewer is not content with the answer.',
};

/** What waits for a human, each with the commands that settle it, in at most `maxBytes`. */
export function pendingLines(pending: readonly PendingItem[], maxBytes: number): string[] {
  if (pending.length === 0) return [];
  for (let count = Math.min(MAX_SHOWN, pending.length); count > 0; count -= 1) {
    const items = pending.slice(0, count);
    const frameBytes = sizeOf(blocks(items, pending.length, 0).join('\n'));
    // The empty lines in place of the texts.
    const textBytes = Math.floor((maxBytes - frameBytes) / count) - 2;
    if (textBytes >= TEXT_BYTES.least)
      return blocks(items, pending.length, Math.min(textBytes, TEXT_BYTES.most));
  }
  return ['', `**Calls that wait for you:** ${pending.length}`];
}

function blocks(items: readonly PendingItem[], total: number, textBytes: number): string[] {
  const shown = items.flatMap((item) => [
    '',
    `**Needs ${WANTED[item.kind]}:** ${code(item.callId)} ${code(item.tool)}${until(item)}`,
    '',
    ...literal(textOf(item), textBytes),
    '',
    ...whyLines(item),
    ...commandsFor(item),
  ]);
  const more = total - items.length;
  return more > 0 ? [...shown, '', `… and ${more} more.`] : shown;
}

function until({ expiresAt }: PendingItem): string {
  return expiresAt === null ? '' : ` until ${expiresAt}`;
}

function textOf({ kind, args, summary }: PendingItem): string {
  return kind === 'question' ? summary : JSON.stringify(args, null, 1);
}

function whyLines({ reason, approvals }: PendingItem): string[] {
  const lines = reason ? [REASONS[reason], ''] : [];
  if (!approvals) return lines;
  const { by, needed } = approvals;
  const names = by.length === 0 ? '' : `, by ${code(by.join(', '))}`;
  return [...lines, `${by.length} of ${needed} approvals${names}.`, ''];
}

function commandsFor(item: PendingItem): string[] {
  // Where it matters who approves, it is asked.
  const approve = command('approve', item, item.approvals || item.separate ? { by: 'YOUR NAME' } : {});
  const answer = command('answer', item, { text: '…' });
  if (item.kind === 'question') return answer;
  const reject = command('reject', item, { note: '…' });
  return item.kind === 'decision'
    ? [...approve, ...titled('To reject, with a reason that the model reads:', reject)]
    : [
        ...titled('To run it again:', approve),
        ...titled('To tell what came of it:', answer),
        ...titled('To leave it unknown:', reject),
      ];
}

function titled(title: string, lines: string[]): string[] {
  return ['', title, '', ...lines];
}

function command(name: string, { callId }: PendingItem, words: Record<string, string>): string[] {
  return signalCommand(name, JSON.stringify({ callId, ...words }));
}

/** How to go on with a session that waits. */
export function idleLines(idle: Progress['idle']): string[] {
  if (!idle) return [];
  return [
    '',
    `**Waits for the next message** until ${idle.until}`,
    '',
    ...signalCommand('say', JSON.stringify({ text: '…' })),
  ];
}
