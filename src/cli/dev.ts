import type { Command } from 'commander';
import { AgentError } from '../core/errors.js';
import { addCommand, given, refuseLater, type CommonOptions } from './command.js';
import { writeJson, type CliContext } from './context.js';
import type { DevOptions, DevParts, DevTemporal, DevWorker } from './dev-parts.js';
import { EXIT } from './exit.js';
import { parsePort } from './parse-values.js';

interface DevFlags extends CommonOptions, DevOptions {
  consolePort?: number;
}

/** `dev`: everything a run needs, in the foreground. */
export function addDev(program: Command, context: CliContext): void {
  addCommand(
    program,
    'dev',
    'run a Temporal server and a worker here; Ctrl-C stops both, the next dev carries every run on',
  )
    .option('--port <port>', 'port of Temporal (default: 7233)', parsePort)
    .option('--ui-port <port>', "port of Temporal's Web UI (default: 8233)", parsePort)
    .option('--console-port <port>', 'not available in this version', parsePort)
    .option('--db <file>', 'database of the server (default: temporal.db in the data directory)')
    .option('--stand-in', 'answer by script in place of a model: no key, no cost')
    .action(async ({ json, consolePort, ...options }: DevFlags) => {
      refuseLater({ consolePort }, { consolePort: '--console-port' });
      const parts = await context.prepareDev(
        given<DevOptions>({
          port: options.port,
          uiPort: options.uiPort,
          db: options.db,
          standIn: options.standIn,
        }),
      );
      context.exitCode = await dev(context, parts, { json: Boolean(json) });
    });
}

async function dev(context: CliContext, parts: DevParts, { json }: { json: boolean }): Promise<number> {
  const tell = (line: string) => void context.stderr.write(`${line}\n`);
  const temporal = await parts.openTemporal(tell);
  try {
    const worker = await parts.openWorker(temporal);
    const { address, uiUrl } = temporal;
    const { taskQueue, identity } = worker;
    if (json) writeJson(context, { ready: true, address, uiUrl, taskQueue, identity });
    else context.stdout.write(readyText(context, temporal, worker));
    await untilTheEnd(temporal, worker, tell);
  } finally {
    await parts.close();
    await temporal.stop();
  }
  return EXIT.done;
}

function readyText({ style }: CliContext, { address, uiUrl }: DevTemporal, { taskQueue }: DevWorker): string {
  const rows = [
    ['Temporal', address],
    ['Web UI', uiUrl ?? 'not known'],
    ['Task queue', taskQueue],
  ];
  const lines = rows.map(([name = '', value = '']) => `  ${style.dim(name.padEnd(11))}${style.bold(value)}`);
  return [
    ...lines,
    '',
    'Ready. In another terminal: longhaul start "GOAL"',
    style.dim('Ctrl-C stops; the next dev carries every run on.'),
    '',
  ].join('\n');
}

/** Waits for Ctrl-C or SIGTERM, then until the worker has drained. */
async function untilTheEnd(
  temporal: DevTemporal,
  worker: DevWorker,
  tell: (line: string) => void,
): Promise<void> {
  const told = new Promise<'told'>((resolve) => {
    const stop = (signal: NodeJS.Signals) => {
      resolve('told');
      // Whoever is in a hurry loses nothing: what was under way is taken up by the next worker.
      process.once(signal, () => process.exit(EXIT.interrupted));
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  });
  const why = await Promise.race([
    told,
    temporal.ended.then(() => 'server' as const),
    worker.running.then(() => 'worker' as const),
  ]);
  if (why === 'server')
    throw new AgentError('TEMPORAL_UNREACHABLE', 'The Temporal server ended. Start again: longhaul dev');
  if (why === 'worker')
    throw new AgentError('TEMPORAL_UNREACHABLE', 'The worker ended. Start again: longhaul dev');
  const busy = worker.busyWith();
  tell(
    busy === 0
      ? 'Stopping.'
      : `Stopping when what is under way (${busy}) has ended, after 30 s at most. Ctrl-C again stops at once.`,
  );
  worker.shutdown();
  await worker.running;
}
