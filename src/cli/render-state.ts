import type { RunListItem } from '../client/run-client.js';
import type { PendingItem, Progress } from '../core/progress.js';
import type { TranscriptItem } from '../core/transcript.js';
import {
  formatCount,
  formatDuration,
  formatLimits,
  formatTable,
  formatUsd,
  indented,
  oneLine,
  plural,
  printable,
} from './format.js';
import { howToSettle, renderPending } from './render-pending.js';
import { renderResult } from './render-result.js';
import { costOf, spendLines } from './render-spend.js';
import type { Style } from './style.js';

/** How a run stands. */
export function renderProgress(progress: Progress, style: Style): string[] {
  const { spend, limits, result, pending, runId } = progress;
  const limitWords = formatLimits(limits);
  const rows: [string, string][] = [
    ['status', statusOf(progress)],
    ['goal', oneLine(progress.goal, 300)],
    ['model', printable(progress.model)],
    ['step', String(progress.step)],
    ['cost', costOf(spend, limits.maxCostUsd)],
    // Of a run that has ended the last lines say it.
    ...(result === null ? spendLines(spend).map((line): [string, string] => ['', line]) : []),
    [
      'tokens',
      `${formatCount(spend.promptTokens)} in · ${formatCount(spend.completionTokens)} out · ${plural(spend.modelCalls, 'model call')}`,
    ],
    ['limits', limitWords.length === 0 ? 'none' : limitWords.join(', ')],
    ...(progress.budget === null ? [] : [['budget', budgetOf(progress.budget)] satisfies [string, string]]),
    [
      'started',
      `${progress.startedAt}${progress.closedAt === null ? '' : `, took ${formatDuration(Date.parse(progress.closedAt) - Date.parse(progress.startedAt))}`}`,
    ],
  ];
  if (progress.queuedMessages > 0) rows.push(['messages', `${progress.queuedMessages} not read yet`]);
  const lines = [
    style.bold(runId),
    ...rows.map(([name, value]) => `  ${style.dim(name.padEnd(9))} ${value}`),
  ];
  for (const item of pending) lines.push('', ...renderPendingItem({ runId, ...item }, style));
  if (result === null) return lines;
  return [
    ...lines,
    '',
    ...(result.answer.trim() === '' ? [] : [...indented(result.answer.trim(), '  '), '']),
    ...renderResult(result, style, limits.maxCostUsd),
  ];
}

function statusOf({ status, settling, result }: Progress): string {
  if (result !== null) return `closed: ${outcomeOf(result)}`;
  return settling ? `${status}: settling costs` : status;
}

function outcomeOf({ outcome, limit }: { outcome: string; limit: string | null }): string {
  return limit === null ? outcome : `${outcome} (${limit})`;
}

function budgetOf(name: string): string {
  return `${printable(name)}, shared with other runs: longhaul budget show ${printable(name)}`;
}

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

function renderPendingItem(item: { runId: string } & PendingItem, style: Style): string[] {
  return [
    ...renderPending(item, style),
    ...howToSettle(item, item.runId).map((line) => style.dim(`      ${line}`)),
  ];
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
