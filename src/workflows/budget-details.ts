import type { BudgetView } from '../core/money/budget.js';

/** Temporal's Web UI sends the text in a URL, so only so many runs are listed. */
const MAX_RUNS = 10;
const MAX_ID_CHARS = 60;

/**
 * A budget as Temporal's Web UI shows it: markdown of labels and lists, since the UI draws tables without cell padding. No dollar signs:
 * between two of them the UI sets a formula.
 */
export function renderBudgetDetails(budget: BudgetView): string {
  const { period, periodStart, periodEnd, openRuns } = budget;
  const shown = budget.grants.slice(0, MAX_RUNS);
  const lines = [
    `**${usd(budget.usedNanoUsd)} of ${usd(budget.limitNanoUsd)} USD${period === 'total' ? '' : ` a ${period}`}**`,
    '',
    `- **Left:** ${usd(budget.leftNanoUsd)} USD`,
    ...(periodStart === null ? [] : [`- **Period:** ${periodStart} to ${periodEnd}, as of the last change`]),
    `- **Open runs:** ${openRuns}`,
    ...shown.map(
      ({ runId, grantedNanoUsd, since }) =>
        `  - \`${plain(runId)}\` holds ${usd(grantedNanoUsd)} USD, since ${since}`,
    ),
    ...(openRuns > shown.length ? [`  - and ${openRuns - shown.length} more`] : []),
    '',
    'To change it:',
    '',
    '```',
    'temporal workflow signal \\',
    '  --workflow-id {workflowId} \\',
    '  --name setBudget \\',
    `  --input '{"limitUsd":${budget.limitUsd},"period":"${period}"}'`,
    '```',
  ];
  return lines.join('\n');
}

function usd(nanoUsd: number): string {
  return (nanoUsd / 1e9).toFixed(6);
}

/** Ids that came from elsewhere may hold what markdown would act on. */
function plain(id: string): string {
  return id.replace(/[^A-Za-z0-9._:/-]/g, '·').slice(0, MAX_ID_CHARS);
}
