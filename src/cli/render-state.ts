import type { RunListItem } from '../client/run-client.js';
import type { PendingItem } from '../core/progress.js';
import type { TranscriptItem } from '../core/transcript.js';
import { formatTable, formatUsd, indented, printable } from './format.js';
import { renderPendingItem } from './render-pending.js';
import { outcomeOf } from './render-progress.js';
import type { Style } from './style.js';

/** Runs as a table. */
export function renderList(items: readonly RunListItem[], style: Style): string[] {
  if (items.length === 0) return ['No runs. Start one: longhaul start "GOAL"'];
  const rows = items.map((item) => [
    item.runId,
    `${item.outcome === null ? item.status : outcomeOf({ ...item, outcome: item.outcome })}${item.needsDecision && item.closedAt === null ? ' (needs you)' : ''}`,
    item.steps === null ? '-' : String(item.steps),
    item.costUsd === null ? '-' : formatUsd(item.costUsd),
    item.startedAt.slice(0, 19).replace('T', ' '),
    printable(item.model ?? '-'),
  ]);
  const [head = '', ...lines] = formatTable([
    ['RUN', 'STATUS', 'STEPS', 'COST', 'STARTED (UTC)', 'MODEL'],
    ...rows,
  ]);
  return [style.dim(head), ...lines];
}

/** What waits for humans, each with the commands that settle it. */
export function renderPendingItems(
  items: readonly ({ runId: string } & PendingItem)[],
  style: Style,
): string[] {
  if (items.length === 0) return ['Nothing waits for you.'];
  return items.flatMap((item, index) => [
    ...(index === 0 ? [] : ['']),
    style.bold(item.runId),
    ...renderPendingItem(item, style),
  ]);
}

/** The messages that the model sees. */
export function renderTranscript(items: readonly TranscriptItem[], style: Style): string[] {
  const tools = new Map(
    items.flatMap((item) =>
      (item.role === 'assistant' ? (item.calls ?? []) : []).map(({ id, name }) => [id, name]),
    ),
  );
  return items.flatMap((item, index) => {
    const title =
      item.role === 'tool'
        ? `tool ${printable(tools.get(item.callId) ?? '')}  ${printable(item.callId)}`
        : item.role;
    const calls = item.role === 'assistant' ? (item.calls ?? []) : [];
    return [
      ...(index === 0 ? [] : ['']),
      style.cyan(title),
      ...(item.content.trim() === '' ? [] : indented(item.content.trimEnd(), '  ')),
      ...calls.map(
        ({ id, name, args }) => `  → ${printable(name)} ${printable(args)}  ${style.dim(printable(id))}`,
      ),
    ];
  });
}
