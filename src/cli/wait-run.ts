import type { WatchedEvent } from '../client/run-handle.js';
import type { RunResult } from '../core/progress.js';
import { writeJson, type CliContext, type Run } from './context.js';
import { exitOfResult } from './exit.js';
import { follow } from './follow.js';
import { oneLine, printable } from './format.js';
import { pauseOf } from './render-event.js';
import { howToSettle } from './render-pending.js';
import { renderResult } from './render-result.js';
import { stopWatching } from './watch-run.js';

/** A shorter wait is over before anybody could do something about it. */
const WORTH_TELLING_MS = 60_000;

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
          const news = newsOf(event, run.runId);
          if (news !== null) note(news);
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

/** What whoever waits can do something about, or `null`. */
function newsOf(event: WatchedEvent, runId: string): string | null {
  switch (event.type) {
    case 'run_started':
      return `${runId} is under way.`;
    case 'decision_requested':
      return [`${event.callId} ${printable(event.tool)} waits for you:`, ...howToSettle(event, runId)].join(
        '\n  ',
      );
    case 'turn_completed':
      return `It has answered, and waits for the next message until ${event.idleUntil}:\n  longhaul say ${runId} "TEXT"`;
    case 'model_failed':
      return outageOf(event, runId);
    case 'run_paused':
      return `It is ${pauseOf(event)} (to go on: longhaul resume ${runId})`;
    default:
      return null;
  }
}

function outageOf(
  { at, code, message, model, retryAt }: Extract<WatchedEvent, { type: 'model_failed' }>,
  runId: string,
): string | null {
  if (retryAt === null || Date.parse(retryAt) - Date.parse(at) < WORTH_TELLING_MS) return null;
  return `It waits until ${retryAt} (to try now: longhaul resume ${runId}). ${code} from ${printable(model)}: ${oneLine(message, 300)}`;
}
