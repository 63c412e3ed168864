import { Option, type Command } from 'commander';
import type { SayMode } from '../core/human/controls.js';
import { AgentError, isAgentError } from '../core/errors.js';
import type { JsonObject } from '../core/json.js';
import type { PendingItem } from '../core/progress.js';
import { addCommand, given, type CommonOptions } from './command.js';
import { withRuns, writeJson, type CliContext, type Run } from './context.js';
import { oneLine } from './format.js';
import { limitOptions, limitsOf, type LimitFlags } from './limit-flags.js';
import { parseJsonObject } from './parse-values.js';
import { before } from './render-event.js';
import { openSigner } from './sign-decision.js';

interface DecisionFlags extends CommonOptions {
  note?: string;
  args?: JsonObject;
  sign?: string;
  forRun?: boolean;
}

interface SayFlags extends CommonOptions {
  mode?: SayMode;
  messageId?: string;
}

/** `approve`, `reject`, `answer`: settle what waits for a human. */
export function addDecisionCommands(program: Command, context: CliContext): void {
  const sign = ['--sign <keyfile>', 'sign the decision, as a run with approvers wants it'] as const;
  addCommand(
    program,
    'approve <run> [call]',
    'let a pending call run; CALL may be left out when one is pending',
  )
    .option('--args <json>', 'arguments in place of those of the model', parseJsonObject)
    .option('--for-run', 'let every call of this tool run from now on, without asking again')
    .option('--note <text>', 'kept with the decision')
    .option(...sign)
    .action((runId: string, callId: string | undefined, flags: DecisionFlags) => {
      const signer = openSigner(context, flags.sign);
      const chosen = given<{ args?: JsonObject; scope?: 'run' }>({
        args: flags.args,
        scope: flags.forRun ? 'run' : undefined,
      });
      const done = flags.forRun ? 'approved, and every call of its tool from now on' : 'approved';
      return control(context, { runId, flags, done }, async (run) => {
        const call = callId ?? (await onlyPending(run, ({ kind }) => kind !== 'question'));
        const choice = { decision: 'approve' as const, ...chosen, ...textOf(flags.note) };
        const signed = await signer.sign(run, call, choice);
        await run.approve(call, { ...chosen, ...noteOf(flags), ...signed });
        return { ...given<{ callId?: string }>({ callId: call }), ...(chosen.scope && { scope: 'run' }) };
      });
    });
  addCommand(program, 'reject <run> [call]', 'refuse a pending call')
    .option('--note <text>', 'why; the model reads it')
    .option(...sign)
    .action((runId: string, callId: string | undefined, flags: DecisionFlags) => {
      const signer = openSigner(context, flags.sign);
      return control(context, { runId, flags, done: 'rejected' }, async (run) => {
        const call = callId ?? (await onlyPending(run, () => true));
        const signed = await signer.sign(run, call, { decision: 'reject', ...textOf(flags.note) });
        await run.reject(call, { ...noteOf(flags), ...signed });
        return given<{ callId?: string }>({ callId: call });
      });
    });
  addCommand(program, 'answer <run> <call> <text>', 'answer a question, or tell what came of a call')
    .option(...sign)
    .action((...[runId, callId, text, flags]: [string, string, string, DecisionFlags]) => {
      const signer = openSigner(context, flags.sign);
      return control(context, { runId, flags, done: 'answered' }, async (run) => {
        const { argsHash: _, ...signed } = await signer.sign(run, callId, { decision: 'answer', text });
        await run.answer(callId, text, signed);
        return { callId };
      });
    });
}

const noteOf = ({ note }: DecisionFlags) => given<{ note?: string }>({ note });
const textOf = (text: string | undefined) => given<{ text?: string }>({ text });

/** `say`, `pause`, `resume`, `stop`, `cancel`, `limits`. */
export function addControlCommands(program: Command, context: CliContext): void {
  const by = given<{ by?: string }>({ by: context.userName });
  addCommand(program, 'say <run> <text>', 'say something to the agent')
    .addOption(
      new Option('--mode <mode>', 'now, at the next step, or when it would end (default: steer)').choices([
        'interrupt',
        'steer',
        'queue',
      ]),
    )
    .option('--message-id <id>', 'a message with the same id counts once')
    .action((runId: string, text: string, { mode, messageId, ...flags }: SayFlags) =>
      say(
        context,
        { runId, text, json: Boolean(flags.json) },
        {
          ...by,
          ...given<{ mode?: SayMode; messageId?: string }>({ mode, messageId }),
        },
      ),
    );
  const simple = [
    ['pause', 'hold back new work', 'paused', (run: Run) => run.pause(by)],
    ['resume', 'let new work start again', 'resumed', (run: Run) => run.resume(by)],
    ['stop', 'end gracefully, with an answer', 'asked to stop', (run: Run) => run.stop(by)],
    ['cancel', 'end at once', 'asked to end at once', (run: Run) => run.cancel()],
  ] as const;
  for (const [name, summary, done, send] of simple) {
    addCommand(program, `${name} <run>`, summary).action((runId: string, flags: CommonOptions) =>
      control(context, { runId, flags, done }, async (run) => {
        await send(run);
        return {};
      }),
    );
  }
  limitOptions(
    addCommand(program, 'limits <run>', 'change the ceilings of a run; what is left out stays'),
  ).action((runId: string, flags: CommonOptions & LimitFlags) => {
    const limits = limitsOf(flags);
    if (Object.keys(limits).length === 0)
      throw new AgentError(
        'INPUT_INVALID',
        'Name a ceiling: --max-cost, --max-steps, --max-tokens or --max-duration.',
      );
    return control(context, { runId, flags, done: 'limits changed' }, async (run) => {
      await run.setLimits(limits, by).catch((error: unknown) => {
        if (!isAgentError(error) || error.code !== 'RUN_CLOSED') throw error;
        throw new AgentError(
          'RUN_CLOSED',
          `The run ${runId} has ended, so its limits cannot change. Go on from where it ended with new ones: longhaul fork ${runId} ${flagsOf(flags)}`,
          { cause: error },
        );
      });
      return { limits };
    });
  });
}

/** The ceilings as they would be written on a command line. */
function flagsOf({ maxCost, maxSteps, maxTokens, maxDuration }: LimitFlags): string {
  const seconds = typeof maxDuration === 'number' ? `${Math.ceil(maxDuration / 1000)}s` : maxDuration;
  const named = {
    'max-cost': maxCost,
    'max-steps': maxSteps,
    'max-tokens': maxTokens,
    'max-duration': seconds,
  };
  return Object.entries(named)
    .flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${value}`]))
    .join(' ');
}

async function say(
  context: CliContext,
  { runId, text, json }: { runId: string; text: string; json: boolean },
  options: { mode?: SayMode; messageId?: string; by?: string },
): Promise<void> {
  const receipt = await withRuns(context, (runs) => runs.run(runId).say(text, options));
  if (json) return writeJson(context, { runId, accepted: true, ...receipt });
  const message = `message ${oneLine(receipt.messageId, 100)}`;
  const taken = receipt.repeated ? 'was taken before' : 'taken';
  const done =
    receipt.position === null
      ? `${message} ${taken}, and the model has it`
      : `${message} ${taken}${before(receipt.position)}`;
  context.stdout.write(`${runId} ${done}\n`);
}

/** Sends something to a run and says that it was taken. */
async function control(
  context: CliContext,
  { runId, flags, done }: { runId: string; flags: CommonOptions; done: string },
  send: (run: Run) => Promise<object>,
): Promise<void> {
  const details = await withRuns(context, (runs) => send(runs.run(runId)));
  if (flags.json) return writeJson(context, { runId, accepted: true, ...details });
  const callId: unknown = Reflect.get(details, 'callId');
  context.stdout.write(`${runId}${typeof callId === 'string' ? ` ${callId}` : ''} ${done}\n`);
}

/** The call that is meant when none is named; `undefined` leaves it to the run to say why it is not clear. */
async function onlyPending(run: Run, fits: (item: PendingItem) => boolean): Promise<string | undefined> {
  const candidates = (await run.pending()).filter(fits);
  if (candidates.length > 1)
    throw new AgentError(
      'CALL_NOT_PENDING',
      `${candidates.length} calls are pending; name one of ${candidates.map(({ callId }) => callId).join(', ')}.`,
    );
  return candidates[0]?.callId;
}
