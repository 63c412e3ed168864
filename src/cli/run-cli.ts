import { Command, CommanderError } from 'commander';
import { AgentError } from '../core/errors.js';
import { addArtifact } from './artifact.js';
import { addBudgetCommands } from './budget-commands.js';
import { addChat } from './chat.js';
import { addCommand, type CommonOptions } from './command.js';
import type { CliContext } from './context.js';
import { addControlCommands, addDecisionCommands } from './control-commands.js';
import { addDev } from './dev.js';
import { addDiff } from './diff.js';
import { addDoctor } from './doctor.js';
import { EXIT, toExit } from './exit.js';
import { addFork } from './fork.js';
import { addKeys } from './keys.js';
import { addReadCommands } from './read-commands.js';
import { addStart } from './start.js';

/**
 * Runs one command line and returns its exit code. Contract §4.
 * @param args what comes after the program's name.
 */
export async function runCli(args: readonly string[], context: CliContext, version: string): Promise<number> {
  const json = wantsJson(args);
  try {
    await createProgram(context, version).parseAsync(args, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return toExit(error, { ...context, json });
    // Help and version were asked for, and are printed by now.
    if (error.exitCode === 0) return EXIT.done;
    return toExit(new AgentError('INPUT_INVALID', usageMessage(error)), { ...context, json });
  }
}

/** Commands of the contract that are still to come. */
const LATER = ['transcribe', 'speak', 'voice', 'talk', 'console', 'completion'];

function createProgram(context: CliContext, version: string): Command {
  const program = new Command('longhaul')
    .description(
      'Agents that run for hours, on Temporal: durable, bounded in cost, decided by humans, watched to the token.',
    )
    .version(version)
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeOut: (text) => context.stdout.write(text), writeErr: () => undefined })
    .addHelpText(
      'after',
      '\nExit codes: 0 done · 1 failed · 2 usage or configuration · 3 ended at a limit · 4 stopped or cancelled · 5 Temporal or the model API cannot be reached · 130 Ctrl-C',
    );
  addDev(program, context);
  addStart(program, context);
  addFork(program, context);
  addReadCommands(program, context);
  addDiff(program, context);
  addArtifact(program, context);
  addDecisionCommands(program, context);
  addControlCommands(program, context);
  addKeys(program, context);
  addBudgetCommands(program, context);
  addChat(program, context);
  addCommand(program, 'worker', 'run a worker until SIGTERM or Ctrl-C').action(({ json }: CommonOptions) =>
    context.runWorker({ json: Boolean(json) }),
  );
  addDoctor(program, context);
  for (const name of LATER) {
    const command = program.command(name, { hidden: true }).allowUnknownOption().allowExcessArguments();
    command.action(() => {
      throw new AgentError('INPUT_INVALID', `longhaul ${name} is not available in this version.`);
    });
  }
  return program;
}

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).includes('--json');
}

function usageMessage({ code, message }: CommanderError): string {
  if (code === 'commander.help') return 'Name a command. See which there are: longhaul --help';
  const text = message.replace(/^error: /, '').trim();
  return `${text}${/[.?)]$/.test(text) ? '' : '.'}`;
}
