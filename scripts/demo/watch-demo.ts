import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { exitOfResult } from '../../src/cli/exit.js';
import { follow } from '../../src/cli/follow.js';
import { formatDuration, formatTable, plural } from '../../src/cli/format.js';
import { costOf } from '../../src/cli/render-spend.js';
import type { RunHandle, WatchedEvent } from '../../src/client/run-handle.js';
import type { RunResult } from '../../src/core/progress.js';
import { reportPathOf } from './audit-script.js';
import { shownPath } from './demo-environment.js';
import { openScreen } from './screen.js';
import type { Session } from './demo-session.js';

/** What a demo watches. */
export interface DemoRun {
  run: RunHandle;
  webUiUrl: string | null;
  /** Does what Ctrl-C does. */
  interrupt: () => void;
}

/** Shows the run to its end, sums it up, and returns the exit code. */
export async function watchDemo(session: Session, demo: DemoRun): Promise<number> {
  const { style, isTerminal, interrupted } = session;
  const events: WatchedEvent[] = [];
  const screen = openScreen(demo.run, { style, isTerminal, onInterrupt: demo.interrupt });
  session.note = screen.note;
  session.onEnd(async () => screen.close());
  await follow(
    demo.run,
    { signal: interrupted, deltas: true, onLost: screen.note },
    {
      event(event) {
        events.push(event);
        screen.event(event);
      },
      delta: screen.delta,
    },
  );
  screen.close();
  const end = events.find((event) => event.type === 'run_completed');
  if (!end) throw new Error('The history of the run ended before the run did.');
  sumUp(session, demo, { events, result: end.result });
  if (isTerminal && demo.webUiUrl !== null) await holdOpen(session);
  return exitOfResult(end.result);
}

function sumUp(
  { plan, say, style }: Session,
  { run, webUiUrl }: DemoRun,
  { events, result }: { events: WatchedEvent[]; result: RunResult },
): void {
  const calls = events.filter((event) => event.type === 'tool_completed');
  const decisions = events.filter((event) => event.type === 'decision_made');
  const tools = new Set(calls.map(({ tool }) => tool));
  const report = reportPathOf(run.runId);
  const tookMs = Date.parse(events.at(-1)?.at ?? '') - Date.parse(events[0]?.at ?? '');
  const rows = [
    ['Outcome', result.outcome],
    ['Cost', `${costOf(result.spend)}${plan.mode === 'stand-in' ? ' (made-up prices)' : ''}`],
    [
      'Steps',
      `${plural(result.steps, 'step')}, ${plural(calls.length, 'tool call')} of ${plural(tools.size, 'tool')}, ${plural(decisions.length, 'decision')}`,
    ],
    ...(result.review === null ? [] : [['Review', verdictOf(result.review)]]),
    ['Time', formatDuration(tookMs)],
    ...(existsSync(join(plan.root, report)) ? [['Report', report]] : []),
    ...(webUiUrl === null ? [] : [['Web UI', webUiUrl]]),
  ];
  say();
  for (const line of formatTable(rows)) say(`  ${line}`);
  if (plan.isEmbedded)
    say(
      style.dim(
        `\n  To see it again: node dist/client.js dev --stand-in --db ${shownPath(plan.root, join(plan.dir, 'temporal.db'))}`,
      ),
    );
}

function verdictOf({ passed, rounds }: NonNullable<RunResult['review']>): string {
  return passed ? `passed in round ${rounds}` : `not passed after ${plural(rounds, 'round')}`;
}

/** The Web UI goes away with the demo, so it stays until nobody looks any more. */
async function holdOpen({ interrupted, say }: Session): Promise<void> {
  const readline = createInterface({ input: process.stdin, output: process.stdout });
  // In a terminal Ctrl-C ends the line, not the process.
  readline.once('SIGINT', () => readline.close());
  await Promise.race([
    readline
      .question('\n  The Web UI stays until you press Enter. ', { signal: interrupted })
      .catch(() => undefined),
    new Promise<void>((resolve) => readline.once('close', () => resolve())),
  ]);
  readline.close();
  say();
}
