import type { Command } from 'commander';
import { addCommand, type CommonOptions } from './command.js';
import { compareRuns } from './compare-runs.js';
import { withRuns, writeJson, type CliContext } from './context.js';
import { renderDiff } from './render-diff.js';

/** `diff RUN RUN`: two runs side by side. It reads history alone and needs no worker. */
export function addDiff(program: Command, context: CliContext): void {
  addCommand(
    program,
    'diff <run> <other>',
    'hold two runs against each other, such as a run and its fork',
  ).action((leftId: string, rightId: string, { json }: CommonOptions) =>
    withRuns(context, async (runs) => {
      // One after the other: a history may be large.
      const left = await runs.run(leftId).record();
      const comparison = compareRuns(left, await runs.run(rightId).record());
      if (json) return writeJson(context, comparison);
      context.stdout.write(`${renderDiff(comparison, context.style).join('\n')}\n`);
    }),
  );
}
