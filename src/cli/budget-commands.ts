import { InvalidArgumentError, type Command } from 'commander';
import type { BudgetSettings } from '../core/money/budget-check.js';
import { BUDGET_PERIODS, type BudgetView } from '../core/money/budget.js';
import { addCommand, given, type CommonOptions } from './command.js';
import { withRuns, writeJson, type CliContext, type Runs } from './context.js';
import { renderBudget, renderBudgets } from './render-budget.js';

/** `budget set|show|list|release`: money that runs share. `show` and `list` need no worker. */
export function addBudgetCommands(program: Command, context: CliContext): void {
  const budget = program
    .command('budget')
    .helpCommand(false)
    .description('money that runs share: longhaul start --budget NAME');
  addCommand(budget, 'set <name>', 'set or change a budget; what is used of it stays used')
    .argument(
      '<amount>',
      'US dollars, and for how long: 50/day, 300/week, 1000/month, or 200 in all',
      parseAmount,
    )
    .action((name: string, settings: BudgetSettings, flags: CommonOptions) =>
      output(context, flags, (budgets) => budgets.set(name, settings)),
    );
  addCommand(budget, 'show <name>', 'show how a budget stands, and what open runs hold of it').action(
    (name: string, flags: CommonOptions) => output(context, flags, (budgets) => budgets.show(name)),
  );
  addCommand(budget, 'list', 'list the budgets').action(async ({ json }: CommonOptions) => {
    const items = await withRuns(context, (runs) => runs.budgets.list());
    if (json) return writeJson(context, items);
    context.stdout.write(`${renderBudgets(items, context.style).join('\n')}\n`);
  });
  addCommand(budget, 'release <name> <run>', 'give back what a run holds that was terminated')
    .option('--spent <usd>', 'what it spent; read from its history when left out', parseSpent)
    .action((...[name, runId, { spent, ...flags }]: [string, string, CommonOptions & { spent?: number }]) =>
      output(context, flags, (budgets) =>
        budgets.release(name, runId, given<{ spentUsd?: number }>({ spentUsd: spent })),
      ),
    );
}

async function output(
  context: CliContext,
  { json }: CommonOptions,
  call: (budgets: Runs['budgets']) => Promise<BudgetView>,
): Promise<void> {
  const view = await withRuns(context, (runs) => call(runs.budgets));
  if (json) return writeJson(context, view);
  context.stdout.write(`${renderBudget(view, context.style).join('\n')}\n`);
}

/** `50/day`, or `200` for a budget that never starts over. @throws InvalidArgumentError */
function parseAmount(text: string): BudgetSettings {
  const [amount = '', word = 'total', ...rest] = text.trim().split('/');
  const period = BUDGET_PERIODS.find((one) => one === word.toLowerCase());
  const limitUsd = readUsd(amount);
  if (limitUsd === null || period === undefined || rest.length > 0)
    throw new InvalidArgumentError(
      'Write US dollars, and for how long: 50/day, 300/week, 1000/month, or 200 in all.',
    );
  return { limitUsd, period };
}

/** @throws InvalidArgumentError */
function parseSpent(text: string): number {
  const usd = readUsd(text);
  if (usd === null) throw new InvalidArgumentError('Write an amount in US dollars, such as 2.50 or 0.');
  return usd;
}

/** `2.50` or `$2.50`. Nothing is an amount here too: it holds a budget shut. */
function readUsd(text: string): number | null {
  return /^\$?\d+(\.\d+)?$/.test(text.trim()) ? Number(text.trim().replace('$', '')) : null;
}
