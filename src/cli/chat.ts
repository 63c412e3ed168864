import { readFileSync } from 'node:fs';
import { text as readStream } from 'node:stream/consumers';
import type { Command } from 'commander';
import { AgentError } from '../core/errors.js';
import type { JsonObject, JsonValue } from '../core/json.js';
import type { ChatAnswer } from '../ports/chat.js';
import { addCommand, given, type CommonOptions } from './command.js';
import { writeJson, type CliContext } from './context.js';
import { formatCount, printable } from './format.js';
import { parseCount, parseNumber } from './parse-values.js';

interface ChatFlags extends CommonOptions {
  model?: string;
  system?: string;
  tools?: string;
  maxTokens?: number;
  temperature?: number;
  input?: string;
}

/** `chat "PROMPT"`: the normalized call of contract §9; neither Temporal nor a worker is needed. */
export function addChat(program: Command, context: CliContext): void {
  addCommand(
    program,
    'chat [prompt]',
    'make one model call, without a run; - or no prompt: read it from stdin',
  )
    .option('--model <model>', 'model to ask')
    .option('--system <text>', 'system prompt')
    .option('--tools <file>', 'tools it may ask for, none is run: [{"name","description","input_schema"}]')
    .option('--max-tokens <n>', 'tokens of the answer (default: 4096)', parseCount)
    .option('--temperature <number>', 'from 0 to 2 (default: 0)', parseNumber)
    .option(
      '--input <file>',
      'request as JSON, - for stdin; flags win over it, a prompt goes after its messages',
    )
    .action((prompt: string | undefined, flags: ChatFlags) => chat(context, prompt, flags));
}

async function chat(context: CliContext, prompt: string | undefined, flags: ChatFlags): Promise<void> {
  const request = await readRequest(context, prompt, flags);
  if (flags.json) return writeJson(context, await context.chat(request, {}));
  const { stdout, stderr } = context;
  const onText = (text: string): void => void stdout.write(printable(text));
  const answer = await context.chat(request, stdout.isTTY ? { onText } : {});
  if (answer.content !== null) stdout.write(stdout.isTTY ? '\n' : `${answer.content}\n`);
  for (const { name, input } of answer.tool_calls)
    stdout.write(printable(`${name} ${JSON.stringify(input)}`) + '\n');
  stderr.write(`${summary(answer)}\n`);
}

function summary({ content, tool_calls: calls, stop_reason: reason, usage }: ChatAnswer): string {
  const used = `${formatCount(usage.input_tokens)} tokens in, ${formatCount(usage.output_tokens)} out, ${reason}`;
  if (reason === 'max_tokens') return `${used}: cut off, raise --max-tokens`;
  const isEmpty = calls.length === 0 && (content ?? '').trim() === '';
  return isEmpty ? `${used}: the answer is empty, ask again or another --model` : used;
}

async function readRequest(
  context: CliContext,
  prompt: string | undefined,
  flags: ChatFlags,
): Promise<JsonObject> {
  const { input, tools, model, system, maxTokens, temperature } = flags;
  if (input === '-' && prompt === '-')
    throw new AgentError(
      'INPUT_INVALID',
      'Standard input cannot be prompt and --input: name a file for one.',
    );
  const file = input === undefined ? {} : objectIn(await readJson(context, '--input', input), input);
  const words = await promptOf(context, prompt, input);
  const before = file['messages'] ?? [];
  return {
    ...file,
    ...given<JsonObject>({
      model,
      system,
      tools: tools === undefined ? undefined : await readJson(context, '--tools', tools),
      max_tokens: maxTokens,
      temperature,
      // What is no list is refused where requests are checked.
      messages:
        words === undefined || !Array.isArray(before)
          ? file['messages']
          : [...before, { role: 'user', content: words }],
    }),
  };
}

/** @returns `undefined` when the messages of the input file are all there is. */
async function promptOf(
  { stdin }: CliContext,
  prompt: string | undefined,
  input: string | undefined,
): Promise<string | undefined> {
  if (prompt === undefined && input !== undefined) return undefined;
  const isOnStdin = prompt === '-' || (prompt === undefined && !stdin.isTTY);
  const words = isOnStdin ? (await readStream(stdin)).trimEnd() : prompt;
  if (words === undefined || words.trim() === '')
    throw new AgentError(
      'INPUT_INVALID',
      'Name a prompt: longhaul chat "PROMPT", or - for standard input, or --input FILE.json with messages in it.',
    );
  return words;
}

/** @param file `-` for standard input. */
async function readJson({ stdin }: CliContext, flag: string, file: string): Promise<JsonValue> {
  try {
    const value: JsonValue = JSON.parse(
      file === '-' && flag === '--input' ? await readStream(stdin) : readFileSync(file, 'utf8'),
    );
    return value;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AgentError('INPUT_INVALID', `${flag} ${file} cannot be used: ${why}`);
  }
}

function objectIn(value: JsonValue, file: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new AgentError('INPUT_INVALID', `--input ${file} cannot be used: it is no JSON object.`);
}
