import type { WatchedEvent } from '../client/run-handle.js';
import { isAgentError } from '../core/errors.js';
import { writeJson, type CliContext, type Run } from './context.js';
import { NEXT_MESSAGE, type Choice, type Question } from './decision-prompt.js';
import type { Listener } from './follow.js';
import { oneLine } from './format.js';
import { LiveView } from './live-view.js';
import { Prompter } from './prompter.js';

/** Where a run is shown. */
export interface Screen extends Listener {
  /** Takes note of an event that is not shown. */
  skip(event: WatchedEvent): void;
  /** Something about the watching itself. */
  note(text: string): void;
  close(): void;
}

/** How a run is shown, and what a human at the terminal may ask of the watching. */
interface ScreenOptions {
  json: boolean;
  /** Ctrl-C. */
  interrupt: () => void;
  /** Nothing more is to be said to a session that waits. */
  leave: () => void;
}

/** Shows a run as JSON or as text; on a terminal it also asks. */
export function openScreen(context: CliContext, run: Run, options: ScreenOptions): Screen {
  return options.json ? jsonScreen(context) : textScreen(context, run, options);
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

function textScreen(context: CliContext, run: Run, { interrupt, leave }: ScreenOptions): Screen {
  const { stdin, stdout, style } = context;
  const isInteractive = Boolean(stdin.isTTY && stdout.isTTY);
  const view = new LiveView(style, { showCommands: !isInteractive });
  const warn = (text: string) => prompter.print(`${view.endLine()}${style.yellow(text)}\n`);
  const choose = (item: Question, choice: Choice) => {
    if (choice.kind === 'leave') return leave();
    void carryOut(run, { item, choice, by: context.userName }).catch((error: unknown) => {
      for (const line of problemLines(error, run, item)) warn(`  ${line}`);
      // Settled elsewhere in the same moment, or over: there is nothing to ask any more.
      if (isAgentError(error) && error.code !== 'TEMPORAL_UNREACHABLE') return;
      prompter.ask(item);
    });
  };
  const prompter = new Prompter({ stdin, stdout }, { choose, interrupt });
  return {
    event(event) {
      prompter.print(view.event(event));
      if (isInteractive) ask(prompter, event);
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

/** Asks for what an event asks for, and takes back what it settles. */
function ask(prompter: Prompter, event: WatchedEvent): void {
  switch (event.type) {
    case 'decision_requested':
      return prompter.ask(event);
    case 'turn_completed':
      return prompter.ask(NEXT_MESSAGE);
    // A call may also be settled by a limit or the end of the run.
    case 'decision_made':
    case 'tool_completed':
      return prompter.withdraw(event.callId);
    case 'message_accepted':
    case 'landing_started':
      return prompter.withdraw(NEXT_MESSAGE.callId);
    default:
  }
}

function problemLines(error: unknown, { runId }: Run, { callId }: Question): string[] {
  const message = oneLine(error instanceof Error ? error.message : String(error), 300);
  const isUnsigned = isAgentError(error) && error.code === 'SIGNATURE_REQUIRED';
  return [message, ...(isUnsigned ? [`longhaul approve ${runId} ${callId} --sign KEYFILE`] : [])];
}

/** Sends a choice, bound to the arguments that were shown. */
function carryOut(
  run: Run,
  { item, choice, by }: { item: Question; choice: Choice; by: string | undefined },
): Promise<unknown> {
  const voice = by === undefined ? {} : { by };
  const argsHash = item.kind === 'message' ? null : item.argsHash;
  const shown = { ...voice, ...(argsHash !== null && { argsHash }) };
  switch (choice.kind) {
    case 'approve':
      return run.approve(item.callId, { ...shown, ...(choice.scope && { scope: choice.scope }) });
    case 'reject':
      return run.reject(item.callId, { ...shown, ...(choice.text !== '' && { note: choice.text }) });
    case 'answer':
      return run.answer(item.callId, choice.text, voice);
    case 'say':
      return run.say(choice.text, voice);
    case 'later':
    case 'leave':
      return Promise.resolve();
  }
}
