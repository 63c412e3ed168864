import { AgentError } from '../core/errors.js';
import type { RunResult } from '../core/progress.js';
import type { CliContext, Run } from './context.js';
import { EXIT, exitOfResult } from './exit.js';
import { follow } from './follow.js';
import { openScreen } from './screen.js';

/** How a run is watched. */
export interface WatchOptions {
  /** First event to show, inclusive. */
  fromSeq: number;
  json: boolean;
}

/**
 * Shows a run until it ends, and returns the exit code for how it ended. On a terminal it shows the model's words as they come, asks for
 * decisions in place, and for the next message once a session has answered. Ctrl-C ends the watching only, as does an empty message.
 */
export async function watchRun(context: CliContext, run: Run, options: WatchOptions): Promise<number> {
  const interrupted = new AbortController();
  let isLeft = false;
  const interrupt = () => interrupted.abort();
  const leave = () => {
    isLeft = true;
    interrupt();
  };
  const screen = openScreen(context, run, { json: options.json, interrupt, leave });
  process.once('SIGINT', interrupt);
  let result: RunResult | null = null;
  try {
    const deltas = options.json || Boolean(context.stdout.isTTY);
    await follow(
      run,
      {
        signal: interrupted.signal,
        deltas,
        onLost: (text) => screen.note(text),
        onNoWorker: (text) => context.stderr.write(`${text}\n`),
      },
      {
        event(event) {
          if (event.type === 'run_completed') ({ result } = event);
          if (event.seq >= options.fromSeq) screen.event(event);
          else screen.skip(event);
        },
        delta: (delta) => screen.delta(delta),
      },
    );
  } finally {
    process.off('SIGINT', interrupt);
    screen.close();
  }
  if (isLeft) return leaveSession(context, run.runId);
  if (interrupted.signal.aborted) return stopWatching(context, run.runId);
  if (!result)
    throw new AgentError(
      'TEMPORAL_UNREACHABLE',
      `The history of ${run.runId} ended before the run did. Watch it again: longhaul watch ${run.runId}`,
    );
  return exitOfResult(result);
}

/** Says that the run goes on, and returns the exit code that shells expect after Ctrl-C. */
export function stopWatching({ stderr }: Pick<CliContext, 'stderr'>, runId: string): number {
  stderr.write(`The run goes on. Watch it again: longhaul watch ${runId}\n`);
  return EXIT.interrupted;
}

/** Says how to go on with a session that waits. */
function leaveSession({ stderr }: Pick<CliContext, 'stderr'>, runId: string): number {
  stderr.write(
    `${runId} waits for the next message. Go on: longhaul watch ${runId}\nOr say it from anywhere: longhaul say ${runId} "TEXT"\n`,
  );
  return EXIT.done;
}
