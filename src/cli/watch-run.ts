import type { WatchedEvent } from '../client/run-handle.js';
import { AgentError, isAgentError } from '../core/errors.js';
import type { PendingItem, RunResult } from '../core/progress.js';
import type { CliContext, Run } from './context.js';
import { writeJson } from './context.js';
import type { Choice } from './decision-prompt.js';
import { EXIT, exitOfResult } from './exit.js';
import { follow } from './follow.js';
import { oneLine } from './format.js';
import { LiveView } from './live-view.js';
import { Prompter } from './prompter.js';

/** How a run is watched. */
export interface WatchOptions {
  /** First event to show, inclusive. */
  fromSeq: number;
  json: boolean;
}

/** When a run that nobody takes up is worth a word. */
const IDLE_MS = 5_000;

/**
 * Shows a run until it ends, and returns the exit code for how it ended. On a terminal it shows the model's words as they come and asks
 * for decisions in place. Ctrl-C ends the watching only.
 */
export async function watchRun(context: CliContext, run: Run, options: WatchOptions): Promise<number> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  const screen = options.json ? jsonScreen(context) : textScreen(context, run, interrupt);
  process.once('SIGINT', interrupt);
  const idle = setTimeout(
    () => screen.note(`No worker has taken ${run.runId} up yet. Start one with: longhaul worker`),
    IDLE_MS,
  );
  let result: RunResult | null = null;
  try {
    const deltas = options.json || Boolean(context.stdout.isTTY);
    await follow(
      run,
      { signal: interrupted.signal, deltas, onLost: (text) => screen.note(text) },
      {
        event(event) {
          clearTimeout(idle);
          if (event.type === 'run_completed') ({ result } = event);
          if (event.seq >= options.fromSeq) screen.event(event);
          else screen.skip(event);
        },
        delta: (delta) => screen.delta(delta),
      },
    );
  } finally {
    clearTimeout(idle);
    process.off('SIGINT', interrupt);
    screen.close();
  }
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

interface Screen {
  event(event: WatchedEvent): void;
  skip(event: WatchedEvent): void;
  delta(delta: Parameters<LiveView['delta']>[0]): void;
  /** Something about the watching itself. */
  note(text: string): void;
  close(): void;
}

function jsonScreen(context: CliContext): Screen {
  return {
    event: (event) => writeJson(context, event),
    skip: () => undefined,
    delta: (delta) => writeJson(context, delta),
    note: (text) => void context.stderr.write(`${text}\n`),
    close: () => undefined,
  };
}

function textScreen(context: CliContext, run: Run, interrupt: () => void): Screen {
  const { stdin, stdout, style } = context;
  const isInteractive = Boolean(stdin.isTTY && stdout.isTTY);
  const view = new LiveView(style, { showCommands: !isInteractive });
  const warn = (text: string) => prompter.print(`${view.endLine()}${style.yellow(text)}\n`);
  const choose = (item: PendingItem, choice: Choice) =>
    void settle(run, { item, choice, by: context.userName }).catch((error: unknown) => {
      warn(`  ${oneLine(error instanceof Error ? error.message : String(error), 300)}`);
      // Settled elsewhere in the same moment, or over: there is nothing to ask any more.
      if (isAgentError(error) && error.code !== 'TEMPORAL_UNREACHABLE') return;
      prompter.ask(item);
    });
  const prompter = new Prompter({ stdin, stdout }, { choose, interrupt });
  return {
    event(event) {
      prompter.print(view.event(event));
      if (!isInteractive) return;
      if (event.type === 'decision_requested') prompter.ask(event);
      // A call may also be settled by a limit or the end of the run.
      if (event.type === 'decision_made' || event.type === 'tool_completed') prompter.withdraw(event.callId);
    },
    skip: (event) => view.skip(event),
    delta: (delta) => prompter.print(view.delta(delta)),
    note: warn,
    close: () => {
      prompter.close();
      stdout.write(view.endLine());
    },
  };
}

/** Sends a choice, bound to the arguments that were shown. */
function settle(
  run: Run,
  { item, choice, by }: { item: PendingItem; choice: Choice; by: string | undefined },
): Promise<void> {
  const options = {
    ...(by !== undefined && { by }),
    ...(item.argsHash !== null && { argsHash: item.argsHash }),
  };
  switch (choice.kind) {
    case 'approve':
      return run.approve(item.callId, options);
    case 'reject':
      return run.reject(item.callId, { ...options, ...(choice.text !== '' && { note: choice.text }) });
    case 'answer':
      return run.answer(item.callId, choice.text, by === undefined ? {} : { by });
    case 'later':
      return Promise.resolve();
  }
}
