import { Option, type Command } from 'commander';
import type { CommonOptions } from './command.js';
import { writeJson, type CliContext, type Run } from './context.js';
import { EXIT } from './exit.js';
import { waitForRun } from './wait-run.js';
import { watchRun } from './watch-run.js';

/** What to do once a run has been started. */
export interface FollowFlags extends CommonOptions {
  detach?: boolean;
  wait?: boolean;
}

/** Adds the flags that say what to do once a run has been started. */
export function followOptions(command: Command): Command {
  return command
    .addOption(new Option('--detach', 'return at once').conflicts('wait'))
    .option('--wait', 'return with the result, and print only that');
}

/** Watches a run that was just started, waits for its result, or lets it go. Returns the exit code. */
export async function followStarted(
  context: CliContext,
  run: Run & { temporalRunId: string },
  flags: FollowFlags,
): Promise<number> {
  const { runId, temporalRunId } = run;
  const json = Boolean(flags.json);
  if (flags.wait) return waitForRun(context, run, { json });
  if (!flags.detach) return watchRun(context, run, { fromSeq: 0, json });
  const webUiUrl = context.webUiUrl(runId, temporalRunId);
  if (json) writeJson(context, { runId, workflowId: runId, temporalRunId, webUiUrl });
  else
    context.stdout.write(
      `${runId} started\n  watch it  longhaul watch ${runId}\n${webUiUrl === null ? '' : `  Web UI    ${webUiUrl}\n`}`,
    );
  return EXIT.done;
}
