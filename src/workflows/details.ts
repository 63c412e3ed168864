import type { PendingItem, Progress } from '../core/progress.js';

/** Temporal's Web UI sends the text in a URL, so it is kept below 4 KB. In UTF-8, of which a character may take four. */
const MAX_BYTES = 3_900;

/** Longest line of code that the UI shows whole, at a window of usual width. */
const LINE_CHARS = 64;

/** Decisions shown with their command; more are counted. */
const MAX_PENDING = 3;

/** Purposes or models shown; more are counted. */
const MAX_ACCOUNTS = 4;

/** Bytes of texts by models and people. What waits for a human shares its part. */
const MAX_TEXT = { pending: 900, answer: 1_500, goal: 600 } as const;

/**
 * The run as Temporal's Web UI shows it: markdown of labels and lists, since the UI draws tables without cell padding. No dollar signs:
 * between two of them the UI sets a formula.
 */
export function renderDetails(progress: Progress): string {
  const { spend, limits, result } = progress;
  const lines = [
    `${statusOf(progress)} · ${code(progress.model || 'no model yet')}`,
    '',
    `- **Step:** ${progress.step}${ofLimit(limits.maxSteps)}`,
    ...spendLines(progress),
    `- **Tokens:** ${spend.promptTokens + spend.completionTokens}${ofLimit(limits.maxTokens)} (${spend.promptTokens} in, ${spend.completionTokens} out), ${spend.modelCalls} model calls`,
    ...(result && result.limitsReached.length > 1
      ? [`- **Limits reached:** ${result.limitsReached.join(', ')}`]
      : []),
    ...(progress.queuedMessages > 0 ? [`- **Messages waiting:** ${progress.queuedMessages}`] : []),
    ...pendingLines(progress.pending),
    ...(result ? ['', '**Answer**', '', ...literal(result.answer, MAX_TEXT.answer)] : []),
    '',
    '**Goal**',
    '',
  ];
  const leftBytes = MAX_BYTES - sizeOf(lines.join('\n'));
  // Fences and line breaks take their part.
  const goal = literal(progress.goal, Math.min(MAX_TEXT.goal, Math.max(0, leftBytes - 50)));
  return shorten([...lines, ...goal].join('\n'), MAX_BYTES);
}

function statusOf({ status, settling, result }: Progress): string {
  if (settling) return `**${status}** · settling costs`;
  return `**${status}**${result ? ` · ${result.outcome}${result.limit ? ` (${result.limit})` : ''}` : ''}`;
}

/** What was charged, how sure that is, and where it went. */
function spendLines({ spend, limits, budget }: Progress): string[] {
  const chargedNanoUsd = spend.costNanoUsd + spend.estimatedNanoUsd;
  const cost =
    limits.maxCostUsd === null
      ? `${usd(chargedNanoUsd)} USD`
      : `${usd(chargedNanoUsd)} of ${limits.maxCostUsd} USD (${Math.floor(chargedNanoUsd / limits.maxCostUsd / 1e7)} %)`;
  const notes = [
    ...(spend.estimatedNanoUsd > 0 ? [`${usd(spend.estimatedNanoUsd)} not confirmed`] : []),
    ...(spend.inheritedNanoUsd > 0 ? [`${usd(spend.inheritedNanoUsd)} by the run that it goes on from`] : []),
  ];
  const lost = `${spend.lostModelCalls}, charged ${usd(spend.lostNanoUsd)} USD of the cost`;
  return [
    `- **Cost:** ${cost}${notes.length === 0 ? '' : `, of it ${notes.join(', ')}`}`,
    ...(spend.reservedNanoUsd > 0
      ? [`- **Held for what is under way:** ${usd(spend.reservedNanoUsd)} USD`]
      : []),
    ...(spend.lostModelCalls > 0 ? [`- **Attempts without an answer:** ${lost}`] : []),
    ...(spend.unknownCostCalls > 0 ? [`- **Calls of unknown cost:** ${spend.unknownCostCalls}`] : []),
    ...accountLines('purpose', spend.byPurpose),
    ...accountLines('model', spend.byModel),
    ...(budget === null ? [] : [`- **Shared budget:** ${code(budget)}`]),
  ];
}

function accountLines(name: string, accounts: Progress['spend']['byModel']): string[] {
  const sums = Object.entries(accounts)
    .map(([key, { calls, costNanoUsd, estimatedNanoUsd }]) => ({
      key,
      calls,
      nanoUsd: costNanoUsd + estimatedNanoUsd,
    }))
    .sort((one, other) => other.nanoUsd - one.nanoUsd);
  if (sums.length < 2) return [];
  const shown = sums
    .slice(0, MAX_ACCOUNTS)
    .map(({ key, calls, nanoUsd }) => `${code(key)} ${usd(nanoUsd)} (${calls})`);
  const more = sums.length - shown.length;
  return [`- **Cost and calls by ${name}:** ${shown.join(', ')}${more > 0 ? `, and ${more} more` : ''}`];
}

function pendingLines(pending: PendingItem[]): string[] {
  if (pending.length === 0) return [];
  const items = pending.slice(0, MAX_PENDING);
  const shown = items.flatMap((item) => [
    '',
    `**Needs ${wordFor(item)}:** \`${item.callId}\` ${code(item.tool)}`,
    '',
    ...literal(textOf(item), Math.floor(MAX_TEXT.pending / items.length)),
    '',
    ...commandFor(item),
  ]);
  const more = pending.length - items.length;
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
function literal(text: string, maxBytes: number): string[] {
  const lines = shorten(text, maxBytes)
    .split('\n')
    .flatMap((line) => line.match(new RegExp(`.{1,${LINE_CHARS}}(?=\\s|$)|.{1,${LINE_CHARS}}`, 'gu')) ?? [''])
    .map((line) => line.trimEnd());
  const longestRun = Math.max(
    2,
    ...lines.flatMap((line) => line.match(/`+/g) ?? []).map((run) => run.length),
  );
  const fence = '`'.repeat(longestRun + 1);
  return [fence, ...lines, fence];
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

/** A name, which as markdown could mean something. */
function code(name: string): string {
  return `\`${shorten(name.replace(/[`\s]+/g, ' '), 80)}\``;
}

function usd(nanoUsd: number): string {
  return (nanoUsd / 1e9).toFixed(6);
}

function shorten(text: string, maxBytes: number): string {
  if (sizeOf(text) <= maxBytes) return text;
  let shown = '';
  let bytes = sizeOf('…');
  for (const char of text) {
    bytes += sizeOf(char);
    if (bytes > maxBytes) break;
    shown += char;
  }
  return `${shown}…`;
}

/** Bytes in UTF-8. Without a library: what workflows may use has none. */
function sizeOf(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const point = char.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}
