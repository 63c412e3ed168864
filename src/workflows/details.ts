import type { PendingItem, Progress } from '../core/progress.js';

/** Temporal's Web UI sends the text in a URL, so it is kept far below 4 KB. */
const MAX_CHARS = 3_500;

/** Longest line of code that the UI shows whole, at a window of usual width. */
const LINE_CHARS = 64;

/** Decisions shown with their command; more are counted. */
const MAX_PENDING = 3;

/**
 * The run as Temporal's Web UI shows it: markdown of labels and lists, since the UI draws tables without cell padding. No dollar signs:
 * between two of them the UI sets a formula.
 */
export function renderDetails(progress: Progress): string {
  const { spend, limits, result } = progress;
  const lines = [
    `**${progress.status}**${result ? ` · ${result.outcome}${result.limit ? ` (${result.limit})` : ''}` : ''} · ${progress.model || 'no model yet'}`,
    '',
    `- **Step:** ${progress.step}${ofLimit(limits.maxSteps)}`,
    `- **Cost:** ${usd(spend.costNanoUsd)}${limits.maxCostUsd === null ? '' : ` of ${limits.maxCostUsd}`} USD${estimates(spend)}`,
    `- **Tokens:** ${spend.promptTokens} in, ${spend.completionTokens} out, ${spend.modelCalls} model calls`,
    ...(progress.queuedMessages > 0 ? [`- **Messages waiting:** ${progress.queuedMessages}`] : []),
    ...pendingLines(progress.pending),
    ...(result ? ['', '**Answer**', '', ...literal(result.answer, 1_500)] : []),
    '',
    '**Goal**',
    '',
    ...literal(progress.goal, 600),
  ];
  return shorten(lines.join('\n'), MAX_CHARS);
}

function pendingLines(pending: PendingItem[]): string[] {
  if (pending.length === 0) return [];
  const shown = pending
    .slice(0, MAX_PENDING)
    .flatMap((item) => [
      '',
      `**Needs ${wordFor(item)}:** \`${item.callId}\` ${item.tool}`,
      '',
      ...literal(textOf(item), 600),
      '',
      ...commandFor(item),
    ]);
  const more = pending.length - MAX_PENDING;
  return more > 0 ? [...shown, '', `… and ${more} more.`] : shown;
}

function wordFor(item: PendingItem): string {
  return item.kind === 'question'
    ? 'an answer'
    : item.kind === 'unknown_outcome'
      ? 'a word on an unknown outcome'
      : 'a decision';
}

function textOf({ kind, args, summary }: PendingItem): string {
  return kind === 'question' ? summary : JSON.stringify(args, null, 1);
}

/**
 * Text of models and people as it stands. As markdown it could hide what is asked for, or load something from elsewhere. Broken into
 * lines, because the UI clips long ones of code.
 */
function literal(text: string, maxChars: number): string[] {
  const shown = shorten(text, maxChars);
  const longestRun = Math.max(2, ...(shown.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longestRun + 1);
  const lines = shown
    .split('\n')
    .flatMap(
      (line) => line.match(new RegExp(`.{1,${LINE_CHARS}}(?=\\s|$)|.{1,${LINE_CHARS}}`, 'gu')) ?? [''],
    );
  return [fence, ...lines.map((line) => line.trimEnd()), fence];
}

/** Broken with backslashes, because the UI clips long lines of code. */
function commandFor(item: PendingItem): string[] {
  const [name, input] =
    item.kind === 'question'
      ? ['answer', `{"callId":"${item.callId}","text":"…"}`]
      : ['approve', `{"callId":"${item.callId}"}`];
  return [
    ...signal(name, input),
    ...(item.kind === 'question'
      ? []
      : [
          '',
          'To reject, with a reason that the model reads:',
          '',
          ...signal('reject', `{"callId":"${item.callId}","note":"…"}`),
        ]),
  ];
}

function signal(name: string, input: string): string[] {
  return [
    '```',
    'temporal workflow signal \\',
    '  --workflow-id {workflowId} \\',
    `  --name ${name} \\`,
    `  --input '${input}'`,
    '```',
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
  return (nanoUsd / 1e9).toFixed(6);
}

function shorten(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1)}…`;
}
