import type { BudgetView } from '../core/money/budget.js';
import { formatCount, formatTable, formatUsd, printable } from './format.js';
import type { Style } from './style.js';

/** How a budget stands, and who holds what of it. */
export function renderBudget(budget: BudgetView, style: Style): string[] {
  const { name, periodStart, periodEnd, openRuns, grants } = budget;
  const rows: [string, string][] = [
    ['limit', limitOf(budget)],
    ['used', `${formatUsd(budget.usedUsd)}, ${formatUsd(budget.leftUsd)} left`],
    ...(periodStart === null || periodEnd === null
      ? []
      : [['period', `${minuteOf(periodStart)} to ${minuteOf(periodEnd)} UTC`] satisfies [string, string]]),
    ['open runs', String(openRuns)],
  ];
  const more = openRuns - grants.length;
  return [
    style.bold(name),
    ...rows.map(([label, value]) => `  ${style.dim(label.padEnd(9))} ${value}`),
    ...formatTable(
      grants.map(({ runId, grantedNanoUsd, since }) => [
        `    ${printable(runId)}`,
        formatUsd(grantedNanoUsd / 1e9),
        `since ${minuteOf(since)}`,
      ]),
    ),
    ...(more > 0 ? [`    and ${formatCount(more)} more`] : []),
    ...(openRuns > 0
      ? [
          style.dim(
            `  A run that was terminated keeps what it holds until: longhaul budget release ${name} RUN`,
          ),
        ]
      : []),
  ];
}

/** Budgets as a table. */
export function renderBudgets(budgets: readonly BudgetView[], style: Style): string[] {
  if (budgets.length === 0) return ['No budgets. Set one: longhaul budget set NAME 50/day'];
  const [head = '', ...lines] = formatTable([
    ['BUDGET', 'LIMIT', 'USED', 'LEFT', 'OPEN RUNS'],
    ...budgets.map((budget) => [
      budget.name,
      limitOf(budget),
      formatUsd(budget.usedUsd),
      formatUsd(budget.leftUsd),
      String(budget.openRuns),
    ]),
  ]);
  return [style.dim(head), ...lines];
}

function limitOf({ limitUsd, period }: BudgetView): string {
  return `${formatUsd(limitUsd)} ${period === 'total' ? 'in all' : `a ${period}`}`;
}

/** `2026-01-01 00:00`. */
function minuteOf(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}
