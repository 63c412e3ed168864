import type { Command } from 'commander';
import type { ForkOptions } from '../client/run-handle.js';
import { addCommand, given } from './command.js';
import { withRuns, type CliContext } from './context.js';
import { followOptions, followStarted, type FollowFlags } from './follow-started.js';
import { limitOptions, limitsOf, type LimitFlags } from './limit-flags.js';
import { parseIndex } from './parse-values.js';

interface ForkFlags extends FollowFlags, LimitFlags {
  id?: string;
  step?: number;
  model?: string;
  say?: string;
}

/** `fork RUN`: a new run that goes on from another one, for example from one that landed, with a higher ceiling. */
export function addFork(program: Command, context: CliContext): void {
  const command = addCommand(
    program,
    'fork <run>',
    'start a new run that goes on from this one; what this one has spent counts',
  )
    .option('--step <n>', 'the last step to take over (default: the last one)', parseIndex)
    .option('--id <id>', 'id of the new run; a random one when left out')
    .option('--model <model>', 'model to ask from here on')
    .option('--say <text>', 'said to the model at the start');
  followOptions(limitOptions(command)).action((runId: string, flags: ForkFlags) =>
    withRuns(context, async (runs) => {
      const { id, step, model, say } = flags;
      const limits = limitsOf(flags);
      const run = await runs.run(runId).fork(given<ForkOptions>({ id, step, model, say, limits }));
      context.exitCode = await followStarted(context, run, flags);
    }),
  );
}
