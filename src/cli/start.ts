import { Option, type Command } from 'commander';
import { AgentError } from '../core/errors.js';
import type { JsonValue } from '../core/json.js';
import type { RunInput, RunPriority } from '../core/run-input.js';
import { addCommand, given } from './command.js';
import { withRuns, type CliContext } from './context.js';
import { followOptions, followStarted, type FollowFlags } from './follow-started.js';
import { readJsonObject } from './json-file.js';
import { limitOptions, limitsOf, type LimitFlags } from './limit-flags.js';
import { modelInputOf, modelOptions, type ModelFlags } from './model-flags.js';
import {
  parseApproverLine,
  parseApproverLines,
  parseCount,
  parseDuration,
  parseNames,
  parseNumber,
} from './parse-values.js';
import { reviewOf, reviewOptions, type ReviewFlags } from './review-flags.js';

interface StartFlags extends FollowFlags, LimitFlags, ModelFlags, ReviewFlags, PriorityFlags {
  id?: string;
  model?: string;
  fallback?: string[];
  stopOnTool?: string[];
  system?: string;
  tools?: string[];
  requireApproval?: RunInput['requireApproval'];
  approver?: string[];
  approvers?: string[];
  budget?: string;
  unpriced?: RunInput['unpricedModels'];
  input?: string;
  session?: boolean;
  idle?: number;
  requestedBy?: string;
  webhook?: string;
  taint?: RunInput['taint'];
}

interface PriorityFlags {
  priority?: number;
  fairnessKey?: string;
  fairnessWeight?: number;
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
  followOptions(command);
  limitOptions(command);
  modelOptions(command);
  reviewOptions(command)
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
    .option('--approver <line>', 'whose signed decisions count alone, see: longhaul keys', parseApproverLine)
    .option('--approvers <lines>', 'several of them, with commas or line breaks between', parseApproverLines)
    .option('--requested-by <name>', 'who asks for the run (default: the user of the system)')
    .addOption(
      new Option(
        '--taint <policy>',
        'whether side effects need a decision once content from outside was read (default: ask)',
      ).choices(['ask', 'off']),
    )
    .option('--webhook <url>', 'told when a human is asked, and when the run has ended')
    .option('--session', 'stay after the answer, and wait for the next message')
    .option('--idle <time>', 'how long a session waits for it (default: 24h)', parseDuration)
    .option('--budget <name>', 'draw from this budget, see: longhaul budget')
    .addOption(
      new Option(
        '--unpriced <what>',
        'models without a price where cost has a ceiling (default: refuse)',
      ).choices(['refuse', 'estimate']),
    )
    .option('--priority <n>', 'from 1, the highest, to 5 (default: 3)', parseCount)
    .option('--fairness-key <key>', 'runs with other keys get their turn too')
    .option('--fairness-weight <number>', 'share of the turns of this key (default: 1)', parseNumber)
    .option('--input <file>', 'run input as JSON, - for stdin; flags win over it')
    .action((goal: string | undefined, flags: StartFlags) => start(context, goal, flags));
}

async function start(context: CliContext, goal: string | undefined, flags: StartFlags): Promise<void> {
  const file = flags.input === undefined ? {} : readJsonObject('--input', flags.input);
  if (goal === undefined && file['goal'] === undefined)
    throw new AgentError(
      'INPUT_INVALID',
      'Name a goal: longhaul start "GOAL", or --input FILE.json with a goal in it.',
    );
  const limits = { ...Object(file['limits']), ...limitsOf(flags) };
  const priority = { ...Object(file['priority']), ...priorityOf(flags) };
  const input = context.checkInput({
    ...given<Partial<RunInput>>({ requestedBy: context.userName }),
    ...file,
    ...toInput(goal, flags),
    ...modelInputOf(flags, file['reasoning']),
    ...reviewOf(flags, file['review']),
    ...sessionOf(flags, file['session']),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(Object.keys(priority).length > 0 && { priority }),
  });
  await withRuns(context, async (runs) => {
    const run = await runs.start(input, given<{ id?: string }>({ id: flags.id }));
    context.exitCode = await followStarted(context, run, flags);
  });
}

function toInput(goal: string | undefined, flags: StartFlags): Partial<RunInput> {
  const {
    model,
    fallback: models,
    system,
    tools,
    requireApproval,
    stopOnTool,
    budget,
    unpriced: unpricedModels,
    requestedBy,
    webhook: webhookUrl,
    taint,
  } = flags;
  const approvers = [...(flags.approvers ?? []), ...(flags.approver ?? [])];
  return given<Partial<RunInput>>({
    goal,
    model,
    models,
    system,
    tools,
    requireApproval,
    stopOnTool,
    approvers: approvers.length === 0 ? undefined : approvers,
    budget,
    unpricedModels,
    requestedBy,
    webhookUrl,
    taint,
  });
}

/** @param inFile what the input file says of it. */
function sessionOf(
  { session = false, idle: idleMs }: StartFlags,
  inFile: JsonValue | undefined,
): Pick<RunInput, 'session'> {
  const isInFile = inFile !== undefined && inFile !== false;
  if (idleMs === undefined) return session && !isInFile ? { session } : {};
  if (session || isInFile) return { session: { idleMs } };
  throw new AgentError('INPUT_INVALID', '--idle is how long a session waits: add --session.');
}

function priorityOf({ priority, fairnessKey, fairnessWeight }: PriorityFlags): RunPriority {
  return given<RunPriority>({ priorityKey: priority, fairnessKey, fairnessWeight });
}
