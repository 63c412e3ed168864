import type { AccountSpend, Spend } from '../core/progress.js';
import { formatCount, formatTable, formatUsd, plural, printable } from './format.js';

/** What was charged in dollars: confirmed by the server, or not. It counts against the ceiling. */
function chargedUsd({ costNanoUsd, estimatedNanoUsd }: AccountSpend | Spend): number {
  return (costNanoUsd + estimatedNanoUsd) / 1e9;
}

/** What was charged, of how much, and how sure that is: `$0.4141 of $2.50 (16 %), $0.0021 of it not confirmed`. */
export function costOf(spend: Spend, maxCostUsd: number | null = null): string {
  const { estimatedNanoUsd, unknownCostCalls } = spend;
  const unsure = estimatedNanoUsd === 0 ? '' : `, ${formatUsd(estimatedNanoUsd / 1e9)} of it not confirmed`;
  const unknown =
    unknownCostCalls === 0 ? '' : ` + ${plural(unknownCostCalls, 'call')} of which nobody knows the cost`;
  return `${ofCeiling(chargedUsd(spend), maxCostUsd)}${unsure}${unknown}`;
}

/** `$0.4141 of $2.50 (16 %)`, or the amount alone when there is no ceiling. */
export function ofCeiling(usd: number, maxCostUsd: number | null): string {
  if (maxCostUsd === null) return formatUsd(usd);
  return `${formatUsd(usd)} of ${formatUsd(maxCostUsd)} (${formatShare(usd, maxCostUsd)})`;
}

/** `83 %`, rounded down: a ceiling is not reached before it is. */
export function formatShare(used: number, ceiling: number): string {
  const percent = (used / ceiling) * 100;
  if (percent > 0 && percent < 1) return '< 1 %';
  return `${formatCount(Math.floor(percent))} %`;
}

/** What else is to be said of the money, a line each; none when there is nothing. Purposes and models only where there are several. */
export function spendLines(spend: Spend): string[] {
  const { reservedNanoUsd, lostNanoUsd, lostModelCalls, inheritedNanoUsd } = spend;
  const lines: string[] = [];
  if (reservedNanoUsd > 0) lines.push(`${formatUsd(reservedNanoUsd / 1e9)} more held for what is under way`);
  if (lostModelCalls > 0)
    lines.push(
      `${formatUsd(lostNanoUsd / 1e9)} of it for ${plural(lostModelCalls, 'attempt')} without an answer`,
    );
  if (inheritedNanoUsd > 0)
    lines.push(`${formatUsd(inheritedNanoUsd / 1e9)} of it spent by the run that this one goes on from`);
  return [
    ...lines,
    ...accountLines('by purpose', spend.byPurpose),
    ...accountLines('by model', spend.byModel),
  ];
}

function accountLines(title: string, accounts: Readonly<Record<string, AccountSpend>>): string[] {
  const rows = Object.entries(accounts).sort(([, a], [, b]) => chargedUsd(b) - chargedUsd(a));
  if (rows.length < 2) return [];
  const table = formatTable(
    rows.map(([name, account]) => [
      printable(name),
      formatUsd(chargedUsd(account)),
      plural(account.calls, 'call'),
      ...(account.estimatedNanoUsd > 0 ? [`${formatUsd(account.estimatedNanoUsd / 1e9)} not confirmed`] : []),
    ]),
  );
  return [`${title}:`, ...table.map((line) => `  ${line}`)];
}
