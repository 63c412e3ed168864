import { Option, type Command } from 'commander';
import type { RunListItem } from '../client/run-client.js';
import type { PendingItem } from '../core/progress.js';
import { addCommand, given, type CommonOptions } from './command.js';
import { withRuns, writeJson, type CliContext, type Runs } from './context.js';
import { parseCount, parseIndex } from './parse-values.js';
import { renderProgress } from './render-progress.js';
import { renderList, renderPendingItems, renderTranscript } from './render-state.js';
import { watchRun } from './watch-run.js';

/** Runs that wait are looked for among this many open ones. */
const MAX_OPEN_RUNS = 1_000;
/** Up to here every open run is read; above, only those that the list marks, which may be a second behind. */
const MAX_READ_UNMARKED = 50;

type ListOptions = NonNullable<Parameters<Runs['list']>[0]>;

const STATUSES = ['running', 'waiting', 'paused', 'landing', 'closed'];

/** `watch`, `show`, `list`, `transcript`, `pending`: they read history alone and need no worker. */
export function addReadCommands(program: Command, context: CliContext): void {
  addCommand(program, 'watch <run>', 'show what a run did and does, until it ends')
    .option('--from <seq>', 'first event to show, from 0', parseIndex)
    .action((runId: string, flags: CommonOptions & { from?: number }) =>
      withRuns(context, async (runs) => {
        context.exitCode = await watchRun(context, runs.run(runId), {
          fromSeq: flags.from ?? 0,
          json: Boolean(flags.json),
        });
      }),
    );
  addCommand(program, 'show <run>', 'show how a run stands').action((runId: string, flags: CommonOptions) =>
    output(context, flags, {
      read: (runs) => runs.run(runId).progress(),
      render: (progress) => renderProgress(progress, context.style),
    }),
  );
  addCommand(program, 'list', 'list the newest runs')
    .addOption(new Option('--status <status>', 'only those').choices(STATUSES))
    .option('--limit <n>', 'at most so many (default: 20)', parseCount)
    .option('--all', 'with the sub-agents of runs')
    .action(({ json, ...flags }: CommonOptions & ListOptions) =>
      output(context, given<CommonOptions>({ json }), {
        read: (runs) => runs.list(flags),
        render: (items) =>
          items.length > 0 || flags.status === undefined
            ? renderList(items, context.style)
            : [`No run is ${flags.status}.`],
      }),
    );
  addCommand(
    program,
    'transcript <run>',
    'print the messages that the model sees; of a long conversation, that is as it was shortened',
  )
    .option('--full', 'the whole conversation, also what was shortened or taken out of it')
    .action((runId: string, { full, ...flags }: CommonOptions & { full?: boolean }) =>
      output(context, flags, {
        read: (runs) => runs.run(runId).transcript(given({ full })),
        render: (items) => renderTranscript(items, context.style),
      }),
    );
  addCommand(program, 'pending [run]', 'list what waits for a human').action(
    (runId: string | undefined, flags: CommonOptions) =>
      output(context, flags, {
        read: (runs) => (runId === undefined ? pendingOfAll(runs) : pendingOf(runs, runId)),
        render: (items) => renderPendingItems(items, context.style),
      }),
  );
}

async function output<T>(
  context: CliContext,
  { json }: CommonOptions,
  { read, render }: { read: (runs: Runs) => Promise<T>; render: (value: T) => string[] },
): Promise<void> {
  const value = await withRuns(context, read);
  if (json) return writeJson(context, value);
  context.stdout.write(`${render(value).join('\n')}\n`);
}

type PendingOfRun = { runId: string } & PendingItem;

async function pendingOf(runs: Runs, runId: string): Promise<PendingOfRun[]> {
  return (await runs.run(runId).pending()).map((item) => ({ runId, ...item }));
}

async function pendingOfAll(runs: Runs): Promise<PendingOfRun[]> {
  const open = (await runs.list({ limit: MAX_OPEN_RUNS })).filter((item) => item.closedAt === null);
  const mayWait = (item: RunListItem) => open.length <= MAX_READ_UNMARKED || item.needsDecision !== false;
  const found: PendingOfRun[] = [];
  // One after the other: a history may be large.
  for (const { runId } of open.filter(mayWait)) found.push(...(await pendingOf(runs, runId).catch(() => [])));
  return found;
}
