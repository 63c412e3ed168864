import type { Command } from 'commander';
import type { ForkOptions } from '../client/fork-options.js';
import { AgentError, isAgentError } from '../core/errors.js';
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
  requestedBy?: string;
}

/** `fork RUN`: a new run that goes on from another one, for example from one that landed, with a higher ceiling. */
export function addFork(program: Command, context: CliContext): void {
  const command = addCommand(
    program,
    'fork <run>',
    'start a new run that goes on from this one; what this one has spent counts for it',
  )
    .option('--step <n>', 'the last step to take over (default: the last one)', parseIndex)
    .option('--id <id>', 'id of the new run (default: RUN.2, RUN.3 and so on)')
    .option('--model <model>', 'model to ask from here on')
    .option('--say <text>', 'said to the model at the start')
    .option('--requested-by <name>', 'who asks for the new run (default: the user of the system)');
  followOptions(limitOptions(command)).action((runId: string, flags: ForkFlags) =>
    withRuns(context, async (runs) => {
      const { id, step, model, say } = flags;
      const limits = limitsOf(flags);
      const requestedBy = flags.requestedBy ?? context.userName;
      const options = given<ForkOptions>({ id, step, model, say, limits, requestedBy });
      const run = await runs
        .run(runId)
        .fork(options)
        .catch((error: unknown) => {
          if (id !== undefined || !isAgentError(error) || error.code !== 'RUN_EXISTS') throw error;
          const message = `The run ${runId} was taken up again before. Go on from where that one is, so that both share one ceiling, or begin another line with --id ID.`;
          throw new AgentError('RUN_EXISTS', `${error.message} ${message}`, { cause: error });
        });
      context.exitCode = await followStarted(context, run, flags);
    }),
  );
}
