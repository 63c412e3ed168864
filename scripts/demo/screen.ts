import type { Delta } from '../../src/client/deltas.js';
import type { RunHandle, WatchedEvent } from '../../src/client/run-handle.js';
import type { Question } from '../../src/cli/decision-prompt.js';
import { oneLine } from '../../src/cli/format.js';
import { LiveView } from '../../src/cli/live-view.js';
import { Prompter } from '../../src/cli/prompter.js';
import type { Style } from '../../src/cli/style.js';
import type { PendingItem } from '../../src/core/progress.js';

/** How long a decision that the demo takes itself stays on the screen before it is taken. */
const DECIDE_AFTER_MS = 300;

/** Where a demo shows its run, and where its human decides. */
export interface Screen {
  event: (event: WatchedEvent) => void;
  delta: (delta: Delta) => void;
  /** A line about the demo itself. */
  note: (text: string) => void;
  close(): void;
}

/**
 * Shows the run of a demo. In a terminal the human is asked; elsewhere the demo approves by itself, and says so.
 * @param options.onInterrupt hears of Ctrl-C while a question is open.
 */
export function openScreen(
  run: RunHandle,
  options: { style: Style; isTerminal: boolean; onInterrupt: () => void },
): Screen {
  const { stdin, stdout } = process;
  const { style, isTerminal } = options;
  const view = new LiveView(style, { showCommands: false });
  const note = (text: string) => prompter.print(`${view.endLine()}${style.yellow(text)}\n`);
  const decide = (item: Question, decision: () => Promise<void>) =>
    void decision().catch((error: unknown) => {
      note(`  ${oneLine(error instanceof Error ? error.message : String(error), 300)}`);
      if (isTerminal && open.has(item.callId)) prompter.ask(item);
    });
  const prompter = new Prompter(
    { stdin, stdout },
    {
      choose: (item, choice) =>
        decide(item, async () => {
          if (choice.kind === 'approve')
            await run.approve(item.callId, { by: 'you', ...(choice.scope && { scope: choice.scope }) });
          if (choice.kind === 'reject')
            await run.reject(item.callId, { by: 'you', ...(choice.text !== '' && { note: choice.text }) });
        }),
      interrupt: options.onInterrupt,
    },
  );
  const open = new Map<string, PendingItem>();
  return {
    event(event) {
      prompter.print(view.event(event));
      if (event.type === 'decision_requested') {
        open.set(event.callId, event);
        if (isTerminal) prompter.ask(event);
        // Decided before, when this event is one of the past that is shown again.
        else
          setTimeout(
            () => open.has(event.callId) && decide(event, () => decideAlone(run, event, note)),
            DECIDE_AFTER_MS,
          );
      }
      if (event.type === 'decision_made' || event.type === 'tool_completed') {
        open.delete(event.callId);
        prompter.withdraw(event.callId);
      }
    },
    delta: (delta) => prompter.print(view.delta(delta)),
    note,
    close() {
      open.clear();
      prompter.close();
      stdout.write(view.endLine());
    },
  };
}

async function decideAlone(run: RunHandle, item: PendingItem, note: (text: string) => void): Promise<void> {
  note('  There is no terminal to ask at, so the demo decides by itself: approved.');
  await run.approve(item.callId, { by: 'the demo' });
}
