import type { PendingItem, Progress } from '../core/progress.js';

/** Temporal's Web UI sends the text in a URL, so it is kept far below 4 KB. */
const MAX_CHARS = 3_500;

/** Decisions shown with their command; more are counted. */
const MAX_PENDING = 3;

/** The run as Temporal's Web UI shows it: markdown of labels and lists, since the UI draws tables without cell padding. */
export function renderDetails(progress: Progress): string {
  const { spend, limits, result } = progress;
  const lines = [
    `**${progress.status}**${result ? ` · ${result.outcome}${result.limit ? ` (${result.limit})` : ''}` : ''} · ${progress.model || 'no model yet'}`,
    '',
    `- **Goal:** ${shorten(progress.goal, 300)}`,
    `- **Step:** ${progress.step}${ofLimit(limits.maxSteps)}`,
    `- **Cost:** ${usd(spend.costNanoUsd)}${limits.maxCostUsd === null ? '' : ` of $${limits.maxCostUsd}`}${estimates(spend)}`,
    `- **Tokens:** ${spend.promptTokens} in, ${spend.completionTokens} out, ${spend.modelCalls} model calls`,
    ...(progress.queuedMessages > 0 ? [`- **Messages waiting:** ${progress.queuedMessages}`] : []),
    ...pendingLines(progress.pending),
    ...(result ? ['', '**Answer**', '', shorten(result.answer, 1_500)] : []),
  ];
  return shorten(lines.join('\n'), MAX_CHARS);
}

function pendingLines(pending: PendingItem[]): string[] {
  if (pending.length === 0) return [];
  const shown = pending.slice(0, MAX_PENDING).flatMap((item) => ['', `**Needs ${wordFor(item)}:** \`${item.callId}\` ${shorten(item.summary, 300)}`, '', ...commandFor(item)]);
  const more = pending.length - MAX_PENDING;
  return more > 0 ? [...shown, '', `… and ${more} more.`] : shown;
}

function wordFor(item: PendingItem): string {
  return item.kind === 'question' ? 'an answer' : item.kind === 'unknown_outcome' ? 'a word on an unknown outcome' : 'a decision';
}

/** Broken with backslashes, because the UI clips long lines of code. */
function commandFor(item: PendingItem): string[] {
  const [name, input] =
    item.kind === 'question' ? ['answer', `{"callId":"${item.callId}","text":"…"}`] : ['approve', `{"callId":"${item.callId}"}`];
  return [
    '```',
    `temporal workflow signal \\`,
    `  --workflow-id {workflowId} \\`,
    `  --name ${name} \\`,
    `  --input '${input}'`,
    '```',
    ...(item.kind === 'question' ? [] : ['or `--name reject` with a `"note"`.']),
  ];
}

function ofLimit(limit: number | null): string {
  return limit === null ? '' : ` of ${limit}`;
}

function estimates(spend: Progress['spend']): string {
  const parts = [
    ...(spend.estimatedNanoUsd > 0 ? [`${usd(spend.estimatedNanoUsd)} estimated`] : []),
    ...(spend.unknownCostCalls > 0 ? [`${spend.unknownCostCalls} calls of unknown cost`] : []),
  ];
  return parts.length === 0 ? '' : ` (+ ${parts.join(', ')})`;
}

function usd(nanoUsd: number): string {
  return `$${(nanoUsd / 1e9).toFixed(6)}`;
}

function shorten(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1)}…`;
}
