import type { RunResult } from '../core/progress.js';
import { writeJson, type CliContext, type Run } from './context.js';
import { exitOfResult } from './exit.js';
import { follow } from './follow.js';
import { printable } from './format.js';
import { howToSettle } from './render-pending.js';
import { renderResult } from './render-result.js';
import { stopWatching } from './watch-run.js';

/**
 * Waits for a run's end and returns the exit code for it. Standard output has the answer alone (or the result as JSON), so that scripts
 * can take it; all else goes to standard error.
 */
export async function waitForRun(
  context: CliContext,
  run: Run,
  { json }: { json: boolean },
): Promise<number> {
  const { stdout, stderr, style } = context;
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  const note = (text: string) => void stderr.write(`${text}\n`);
  let result: RunResult | null = null;
  process.once('SIGINT', interrupt);
  try {
    await follow(
      run,
      { signal: interrupted.signal, deltas: false, onLost: note, onNoWorker: note },
      {
        event(event) {
          if (event.type === 'run_started') note(`${run.runId} is under way.`);
          if (event.type === 'decision_requested')
            note(
              [
                `${event.callId} ${printable(event.tool)} waits for you:`,
                ...howToSettle(event, run.runId),
              ].join('\n  '),
            );
          if (event.type === 'turn_completed')
            note(
              `It has answered, and waits for the next message until ${event.idleUntil}:\n  longhaul say ${run.runId} "TEXT"`,
            );
          if (event.type === 'run_completed') ({ result } = event);
        },
        delta: () => undefined,
      },
    );
  } finally {
    process.off('SIGINT', interrupt);
  }
  if (interrupted.signal.aborted) return stopWatching(context, run.runId);
  const ended: RunResult = result ?? (await run.result());
  if (json) writeJson(context, ended);
  else {
    // With a schema a script wants the value, without a fence around it.
    const answer = ended.output === null ? printable(ended.answer.trimEnd()) : JSON.stringify(ended.output);
    if (answer !== '') stdout.write(`${answer}\n`);
    note(renderResult(ended, style).join('\n'));
  }
  return exitOfResult(ended);
}
