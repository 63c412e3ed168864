import { readFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { AgentError } from '../core/errors.js';
import type { JsonObject } from '../core/json.js';
import type { RunInput } from '../core/run-input.js';
import { addCommand, given, refuseLater, type CommonOptions } from './command.js';
import { withRuns, writeJson, type CliContext, type Run } from './context.js';
import { EXIT } from './exit.js';
import { limitOptions, limitsOf, type LimitFlags } from './limit-flags.js';
import { parseCount, parseJsonObject, parseNames, parseNumber } from './parse-values.js';
import { waitForRun } from './wait-run.js';
import { watchRun } from './watch-run.js';

interface StartFlags extends CommonOptions, LimitFlags {
  id?: string;
  model?: string;
  fallback?: string[];
  stopOnTool?: string[];
  system?: string;
  tools?: string[];
  requireApproval?: RunInput['requireApproval'];
  reasoning?: RunInput['reasoning'];
  temperature?: number;
  maxOutputTokens?: number;
  input?: string;
  detach?: boolean;
  wait?: boolean;
  review?: unknown;
  session?: unknown;
}

/** `start "GOAL"`: starts a run, then watches it, waits for its result, or lets it go. */
export function addStart(program: Command, context: CliContext): void {
  const command = addCommand(
    program,
    'start [goal]',
    'start a run and watch it; Ctrl-C ends the watching, never the run',
  )
    .option('--id <id>', 'id of the run; a random one when left out')
    .option('--model <model>', 'model to ask')
    .option('--fallback <models>', 'models to go on with when it fails, in order: m2,m3', parseNames);
  limitOptions(command)
    .option('--stop-on-tool <names>', 'end after a call of one of these tools', parseNames)
    .option('--system <text>', 'added to the system prompt')
    .option('--tools <names>', 'the only tools to use: a,b', parseNames)
    .addOption(
      new Option('--require-approval <which>', 'calls that wait for a human (default: policy)').choices([
        'never',
        'policy',
        'always',
      ]),
    )
    .addOption(
      new Option('--reasoning <effort>', 'how hard the model thinks').choices(['low', 'medium', 'high']),
    )
    .option('--temperature <number>', 'from 0 to 2', parseNumber)
    .option('--max-output-tokens <n>', 'tokens of one answer', parseCount)
    .option('--input <file>', 'run input as JSON, - for stdin; flags win over it')
    .addOption(new Option('--detach', 'return at once').conflicts('wait'))
    .option('--wait', 'return with the result, and print only that')
    .addOption(new Option('--review [rounds]').hideHelp())
    .addOption(new Option('--session').hideHelp())
    .action((goal: string | undefined, flags: StartFlags) => start(context, goal, flags));
}

async function start(context: CliContext, goal: string | undefined, flags: StartFlags): Promise<void> {
  refuseLater(flags, { review: '--review', session: '--session' });
  const file = flags.input === undefined ? {} : readInput(flags.input);
  if (goal === undefined && file['goal'] === undefined)
    throw new AgentError(
      'INPUT_INVALID',
      'Name a goal: longhaul start "GOAL", or --input FILE.json with a goal in it.',
    );
  const limits = { ...Object(file['limits']), ...limitsOf(flags) };
  const input = context.checkInput({
    ...file,
    ...toInput(goal, flags),
    ...(Object.keys(limits).length > 0 && { limits }),
  });
  await withRuns(context, async (runs) => {
    const run = await runs.start(input, given<{ id?: string }>({ id: flags.id }));
    context.exitCode = await goOn(context, run, flags);
  });
}

async function goOn(
  context: CliContext,
  run: Run & { temporalRunId: string },
  flags: StartFlags,
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

function toInput(goal: string | undefined, flags: StartFlags): Partial<RunInput> {
  const {
    model,
    fallback: models,
    system,
    tools,
    requireApproval,
    reasoning,
    temperature,
    maxOutputTokens,
    stopOnTool,
  } = flags;
  return given<Partial<RunInput>>({
    goal,
    model,
    models,
    system,
    tools,
    requireApproval,
    reasoning,
    temperature,
    maxOutputTokens,
    stopOnTool,
  });
}

/** @param file `-` for standard input. */
function readInput(file: string): JsonObject {
  try {
    return parseJsonObject(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    throw new AgentError(
      'INPUT_INVALID',
      `--input ${file} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
