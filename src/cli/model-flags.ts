import { Option, type Command } from 'commander';
import type { JsonValue } from '../core/json.js';
import {
  REASONING_EFFORTS,
  type ReasoningEffort,
  type ReasoningOptions,
  type RunInput,
} from '../core/run-input.js';
import { given } from './command.js';
import { readJsonObject } from './json-file.js';
import { parseCount, parseNumber } from './parse-values.js';

/** The flags about what models are asked for, as commander gives them. */
export interface ModelFlags {
  reasoning?: ReasoningEffort;
  reasoningTokens?: number;
  reasoningExclude?: true;
  temperature?: number;
  maxOutputTokens?: number;
  schema?: string;
  compactAt?: number;
  wire?: NonNullable<RunInput['wire']>;
}

/** Adds them. */
export function modelOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--reasoning <effort>', 'how hard the model thinks')
        .choices(REASONING_EFFORTS)
        .conflicts('reasoningTokens'),
    )
    .option('--reasoning-tokens <n>', 'tokens that it may think, in the place of an effort', parseCount)
    .option('--reasoning-exclude', 'it thinks, and nobody is shown what')
    .option('--temperature <number>', 'from 0 to 2', parseNumber)
    .option('--max-output-tokens <n>', 'tokens of one answer', parseCount)
    .option('--schema <file>', 'JSON Schema that the answer has to fit, - for stdin')
    .option(
      '--compact-at <n>',
      'shorten the conversation when it and its answer have so many tokens (default: what the model takes)',
      parseCount,
    )
    .addOption(
      new Option('--wire <api>', 'API of the model server (default: as the worker is configured)').choices([
        'chat',
        'responses',
      ]),
    );
}

type ModelInput = Pick<
  RunInput,
  'reasoning' | 'temperature' | 'maxOutputTokens' | 'schema' | 'compactAtTokens' | 'wire'
>;

/**
 * What the flags make of the input.
 * @param inFile what the input file says of reasoning.
 * @throws AgentError `INPUT_INVALID` when the schema cannot be read
 */
export function modelInputOf(flags: ModelFlags, inFile: JsonValue | undefined): ModelInput {
  const { temperature, maxOutputTokens, schema, compactAt: compactAtTokens, wire } = flags;
  return given<ModelInput>({
    reasoning: reasoningOf(flags, inFile),
    temperature,
    maxOutputTokens,
    schema: schema === undefined ? undefined : readJsonObject('--schema', schema),
    compactAtTokens,
    wire,
  });
}

/** Field by field over what the file says; effort and tokens take each other's place. */
function reasoningOf(
  { reasoning: effort, reasoningTokens: maxTokens, reasoningExclude: exclude }: ModelFlags,
  inFile: JsonValue | undefined,
): RunInput['reasoning'] {
  const asked = given<ReasoningOptions>({ effort, maxTokens, exclude });
  if (Object.keys(asked).length === 0) return undefined;
  const before = typeof inFile === 'string' ? { effort: inFile } : Object(inFile);
  const { effort: _, maxTokens: __, ...rest } = before;
  const isAmountAsked = effort !== undefined || maxTokens !== undefined;
  return { ...(isAmountAsked ? rest : before), ...asked };
}
