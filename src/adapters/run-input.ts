import { z } from 'zod';
import { approverId, isApprover, parseApprover } from '../core/human/approvers.js';
import { isBudgetName } from '../core/money/budget-check.js';
import { AgentError } from '../core/errors.js';
import { LIMIT_KEYS, isLimit } from '../core/money/limits.js';
import type { JsonObject } from '../core/json.js';
import {
  MAX_GOAL_CHARS,
  MAX_MESSAGE_CHARS,
  MAX_SHARED_CHARS,
  REASONING_EFFORTS,
  type RunInput,
} from '../core/run-input.js';
import { schemaProblem } from './answer-schema.js';

const text = (maxChars: number) =>
  z
    .string('must be text')
    .refine((value) => value.trim() !== '', 'must not be empty')
    .refine(
      (value) => value.length <= maxChars,
      `may have ${maxChars.toLocaleString('en')} characters; put the rest in a file of the workspace and name the file`,
    );
const name = text(200);
const names = z.array(name, 'must be a list of names').max(100, 'may have 100 names');
const limits = z
  .strictObject(
    Object.fromEntries(
      LIMIT_KEYS.map((key) => [
        key,
        z
          .custom(
            (value) => value === null || isLimit(key, value),
            key === 'maxCostUsd' ? 'must be a positive number' : 'must be a positive whole number',
          )
          .optional(),
      ]),
    ),
  )
  .optional();

/** A key or a name that stands twice could make two people one, or one two. */
function areDifferent(lines: readonly string[]): boolean {
  const approvers = lines.flatMap((line) => parseApprover(line) ?? []);
  const keys = new Set(approvers.map(({ key }) => key));
  const ids = new Set(approvers.map(approverId));
  return keys.size === lines.length && ids.size === lines.length;
}

const MAX_IDLE_MS = 31_622_400_000;
const idleRule = 'must be a number of milliseconds up to a year';
const MAX_SCHEMA_CHARS = 65_536;

const effortRule = `must be one of ${REASONING_EFFORTS.join(', ')}, or an object with effort or maxTokens, and exclude`;
const effort = z.enum(REASONING_EFFORTS, effortRule);
const thinking = z
  .strictObject({
    effort: effort.optional(),
    maxTokens: z.int().min(1).max(1_000_000).optional(),
    exclude: z.boolean().optional(),
  })
  .refine(
    (value) => value.effort === undefined || value.maxTokens === undefined,
    'must name effort or maxTokens, not both',
  );

const check = z.union(
  [
    z.strictObject({ command: text(MAX_MESSAGE_CHARS) }),
    z.strictObject({ tool: name, args: z.record(z.string(), z.json()).optional() }),
  ],
  'must be {"command":"…"} or {"tool":"…","args":{…}}',
);
const review = z.strictObject({
  rounds: z.int('must be 1 to 20').min(1, 'must be 1 to 20').max(20, 'must be 1 to 20').optional(),
  model: name.optional(),
  checks: z.array(check, 'must be a list').max(20, 'may have 20 checks').optional(),
  onDisagreement: z.enum(['report', 'ask'], 'must be report or ask').optional(),
  budgetShare: z
    .number('must be above 0 and up to 1')
    .gt(0, 'must be above 0 and up to 1')
    .max(1, 'must be above 0 and up to 1')
    .optional(),
});

function isWebAddress(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password } = new URL(value);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
}

/** Temporal's own bounds: common/priorities of server 1.31.2, and the documentation of fairness. */
const priority = z
  .strictObject({
    priorityKey: z.int('must be 1 to 5').min(1, 'must be 1 to 5').max(5, 'must be 1 to 5').optional(),
    fairnessKey: z
      .string('must be text')
      .refine((value) => Buffer.byteLength(value) <= 64, 'may have 64 bytes')
      .optional(),
    fairnessWeight: z
      .number('must be a number')
      .min(0.001, 'must be 0.001 to 1000')
      .max(1000, 'must be 0.001 to 1000')
      .optional(),
  })
  .optional();

/** Contract §5. Unknown fields are refused, so that a misspelt ceiling is never a ceiling that is not there. */
const fields = z.strictObject({
  goal: text(MAX_GOAL_CHARS),
  model: name.optional(),
  models: names.optional(),
  system: text(MAX_GOAL_CHARS).optional(),
  tools: names.optional(),
  requireApproval: z.enum(['never', 'policy', 'always'], 'must be never, policy or always').optional(),
  limits,
  unpricedModels: z.enum(['refuse', 'estimate'], 'must be refuse or estimate').optional(),
  budget: z.custom<string>(isBudgetName, 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ -').optional(),
  priority,
  stopOnTool: names.optional(),
  reasoning: z.union([effort, thinking], effortRule).optional(),
  temperature: z.number('must be a number').min(0, 'must be 0 to 2').max(2, 'must be 0 to 2').optional(),
  maxOutputTokens: z
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(1_000_000, 'may be 1,000,000')
    .optional(),
  shared: z
    .record(z.string(), z.json(), 'must be a JSON object')
    .refine((value) => JSON.stringify(value).length <= MAX_SHARED_CHARS, 'may have 16,384 characters of JSON')
    .optional(),
  // Written by `fork`; the workflow reads the snapshot, or refuses it.
  fork: z
    .strictObject({ of: name, snapshot: z.unknown(), say: text(MAX_MESSAGE_CHARS).optional() })
    .optional(),
  wire: z.enum(['chat', 'responses'], 'must be chat or responses').optional(),
  schema: z
    .record(z.string(), z.json(), 'must be a JSON Schema')
    .refine((value) => JSON.stringify(value).length <= MAX_SCHEMA_CHARS, 'may have 65,536 characters of JSON')
    .superRefine((value, context) => {
      // z.json() has made sure of what its type does not say.
      const problem = schemaProblem(value as JsonObject);
      if (problem !== null) context.addIssue({ code: 'custom', message: `cannot be used: ${problem}` });
    })
    .optional(),
  compactAtTokens: z
    .int('must be a whole number')
    .min(1_000, 'must be at least 1,000')
    .max(10_000_000, 'may be 10,000,000')
    .optional(),
  session: z
    .union(
      [
        z.boolean(),
        z.strictObject({ idleMs: z.int(idleRule).min(1, idleRule).max(MAX_IDLE_MS, idleRule).optional() }),
      ],
      'must be true, or an object with idleMs, a number of milliseconds up to a year',
    )
    .optional(),
  approvers: z
    .array(
      z.custom<string>(isApprover, 'must be a line of `longhaul keys`'),
      'must be a list of lines of `longhaul keys`',
    )
    .min(1, 'must have a line, or be left out')
    .max(50, 'may have 50 lines')
    .refine(areDifferent, 'must name each key and each person once')
    .optional(),
  requestedBy: name.optional(),
  webhookUrl: z
    .string('must be an address')
    .max(2_000, 'may have 2,000 characters')
    .refine(isWebAddress, 'must be an http or https address without user name and password')
    .optional(),
  taint: z.enum(['ask', 'off'], 'must be ask or off').optional(),
  // Written by the run that delegates.
  parent: z
    .strictObject({
      runId: z.string(),
      key: z.string(),
      rootId: z.string(),
      path: z.string(),
      depth: z.int().min(1),
      tainted: z.boolean().optional(),
      pins: z.record(z.string(), z.string()).optional(),
      pinnedId: z.string().optional(),
    })
    .optional(),
  review: z.union([z.boolean(), review], 'must be true, or an object such as {"rounds":3}').optional(),
});

const runInput = fields.refine(
  ({ requireApproval, approvers }) => requireApproval !== 'never' || approvers === undefined,
  { path: ['approvers'], error: 'must be left out with requireApproval never, under which nobody decides' },
);

/**
 * Checks the input of a run.
 * @throws AgentError `INPUT_INVALID`, one for all problems, naming each field and what fits.
 */
export function checkRunInput(input: unknown): RunInput {
  const result = parse(input);
  if (!result.success) {
    const problems = result.error.issues
      .map(innermost)
      .map((issue) => `${issue.path.join('.') || 'input'} ${wordsFor(issue)}`);
    throw new AgentError('INPUT_INVALID', `Correct the input of the run: ${problems.join('; ')}.`);
  }
  // Fields left out are absent, as the input was JSON; zod types them as possibly undefined.
  return result.data as RunInput;
}

/** A value may be nested more deeply than it can be looked through. */
function parse(input: unknown): ReturnType<typeof runInput.safeParse> {
  try {
    return runInput.safeParse(input);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const message = 'Correct the input of the run: it is nested too deeply; a schema may have 200 levels.';
    throw new AgentError('INPUT_INVALID', message, { cause });
  }
}

/** Of several shapes that a field may have, the one that was meant is the one that fits at first: what is wrong within it is what helps. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const within = issue.errors
    .flat()
    .find(({ path, code }) => path.length > 0 || code === 'unrecognized_keys');
  return within ? { ...within, path: [...issue.path, ...within.path] } : issue;
}

function wordsFor(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `has no field ${issue.keys.join(', ')}`;
  if (!issue.message.startsWith('Invalid input')) return issue.message;
  return issue.path.length > 0
    ? 'must be a JSON object'
    : 'must be a JSON object with a goal, as in {"goal":"…"}';
}
