import { z } from 'zod';
import { AgentError } from '../../core/errors.js';
import type { JsonObject, JsonValue } from '../../core/json.js';
import { DEFAULT_TOOL_TIMEOUT_MS } from '../../core/work.js';
import type {
  ExpiryPolicy,
  Tool,
  ToolContext,
  ToolControl,
  ToolEffect,
  ToolVerdict,
} from '../../ports/tools.js';

/** When a human must say yes to a call: never, always, or as a function of its arguments says. */
export type ToolApproval<Args> =
  | 'never'
  | 'always'
  | ((args: Args, context: { runId: string; callId: string }) => boolean | Promise<boolean>);

interface ToolBasics<Schema extends z.core.$ZodType> {
  /** 1 to 64 letters, digits, `_` or `-`; unique in a worker. */
  name: string;
  /** Tells the model what the tool does and when to use it. */
  description: string;
  /** A zod 4 object schema of the arguments. */
  input: Schema;
  /** What running the tool twice would mean. @defaultValue `'once'` */
  effect?: ToolEffect;
  /** Who lets a call run. @defaultValue `'always'` for the effect `'once'`, else `'never'` */
  approval?: ToolApproval<z.output<Schema>>;
  /** What becomes of a decision that nobody took in time. @defaultValue `'wait'` */
  onExpiry?: ExpiryPolicy;
  /** How long a decision may take, in milliseconds. Left out: for ever. */
  expiresInMs?: number;
  /** How long one attempt may take, in milliseconds. @defaultValue 60_000 */
  timeoutMs?: number;
}

/** Everything a user writes to make a tool. Contract §3. */
export interface ToolDefinition<Schema extends z.core.$ZodType> extends ToolBasics<Schema> {
  /** Does the work. Whatever it returns becomes text for the model; whatever it throws becomes a failed result. */
  execute(args: z.output<Schema>, context: ToolContext): unknown;
  /** Finds out whether a call took effect whose outcome is unknown. */
  verify?(args: z.output<Schema>, context: ToolContext): ToolVerdict | Promise<ToolVerdict>;
}

/** A tool that the workflow itself carries out. */
export interface ControlToolDefinition<Schema extends z.core.$ZodType> extends ToolBasics<Schema> {
  /** Says what the workflow shall do. */
  control(args: z.output<Schema>): ToolControl;
}

const MAX_PROBLEMS = 10;
const MAX_INT32 = 2_147_483_647;

const callable = z.custom((value) => typeof value === 'function', 'must be a function');
const oneOf = <const Values extends readonly string[]>(values: Values): z.ZodType<Values[number]> =>
  z.enum(values, `must be ${values.map((value) => `'${value}'`).join(' or ')}`);
const milliseconds = (maximum: number): z.ZodType<number> => {
  const message = `must be a whole number of milliseconds from 1 to ${maximum}`;
  return z.int(message).min(1, message).max(maximum, message);
};
const basics = z.object({
  name: z
    .string('must be a string')
    .regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -'),
  description: z.string('must be a string').trim().min(1, 'must not be empty'),
  effect: oneOf(['read', 'idempotent', 'once']).optional(),
  approval: z
    .union([z.enum(['never', 'always']), callable], "must be 'never', 'always' or a function")
    .optional(),
  onExpiry: oneOf(['wait', 'deny', 'land']).optional(),
  expiresInMs: milliseconds(Number.MAX_SAFE_INTEGER).optional(),
  timeoutMs: milliseconds(MAX_INT32).optional(),
  verify: callable.optional(),
});

/**
 * Makes a tool from one definition; arguments are typed by the zod schema.
 * @throws AgentError `CONFIG_INVALID` when the definition does not fit, or its schema is no object schema or has no JSON Schema.
 */
export function defineTool<Schema extends z.core.$ZodType>(definition: ToolDefinition<Schema>): Tool {
  const tool = buildTool(definition);
  if (typeof definition.execute !== 'function')
    throw invalid(definition.name, ['execute must be a function']);
  // Every `args` below is a value that `parse` of this very tool returned: the port erases its type.
  tool.execute = async (args, context) => definition.execute(args as z.output<Schema>, context);
  const verify = definition.verify?.bind(definition);
  if (verify) tool.verify = async (args, context) => verify(args as z.output<Schema>, context);
  return tool;
}

/**
 * Makes a tool that the workflow carries out: waiting, asking.
 * @throws AgentError `CONFIG_INVALID` as {@link defineTool}
 */
export function defineControlTool<Schema extends z.core.$ZodType>(
  definition: ControlToolDefinition<Schema>,
): Tool {
  const tool = buildTool(definition);
  tool.control = (args) => definition.control(args as z.output<Schema>); // As above: what `parse` returned.
  return tool;
}

/** Whether a value looks like what {@link defineTool} returns, from whichever copy of this package. */
export function isTool(value: unknown): value is Tool {
  if (typeof value !== 'object' || value === null) return false;
  const candidate = value as Partial<Tool>; // Its properties are unknown until looked at, which happens here.
  return (
    typeof candidate.spec?.name === 'string' &&
    typeof candidate.parse === 'function' &&
    typeof candidate.needsApproval === 'function' &&
    typeof candidate.execute === 'function'
  );
}

function buildTool<Schema extends z.core.$ZodType>(definition: ToolBasics<Schema>): Tool {
  const checked = basics.safeParse(definition);
  if (!checked.success) throw invalid(definition?.name, problemsOf(checked.error.issues, ' '));
  const { name, description, input, approval } = definition;
  const effect = definition.effect ?? 'once';
  const policy = approval ?? (effect === 'once' ? 'always' : 'never');
  return {
    spec: { name, description, parameters: jsonSchemaOf(name, input) },
    effect,
    timeoutMs: definition.timeoutMs ?? DEFAULT_TOOL_TIMEOUT_MS,
    onExpiry: definition.onExpiry ?? 'wait',
    expiresInMs: definition.expiresInMs ?? null,
    parse: (args) => parseArgs(input, args),
    needsApproval: async (args, context) =>
      typeof policy === 'function' ? policy(args as z.output<Schema>, context) : policy === 'always',
    execute: async () => {
      throw new AgentError('TOOL_FAILED', `${name} is carried out by the run itself.`);
    },
  };
}

function jsonSchemaOf(name: string, input: z.core.$ZodType): JsonObject {
  // A zod 3 schema or a plain JSON Schema has no `_zod`; the type says otherwise, a JavaScript caller may not.
  if (typeof input !== 'object' || input === null || !('_zod' in input))
    throw invalid(name, ['input must be a zod 4 schema']);
  let schema: JsonObject;
  try {
    // The round trip drops what is not JSON; its result is an object because toJSONSchema returns one.
    schema = JSON.parse(JSON.stringify(z.toJSONSchema(input, { io: 'input' }))) as JsonObject;
  } catch (error) {
    throw invalid(
      name,
      [`input has no JSON Schema: ${error instanceof Error ? error.message : String(error)}`],
      error,
    );
  }
  if (schema['type'] !== 'object')
    throw invalid(name, ['input must be an object schema, such as z.object({…})']);
  delete schema['$schema'];
  return schema;
}

function parseArgs(input: z.core.$ZodType, args: JsonValue): ReturnType<Tool['parse']> {
  try {
    const result = z.safeParse(input, args);
    if (result.success) return { ok: true, value: result.data };
    return { ok: false, message: problemsOf(result.error.issues, ': ').join('; ') };
  } catch (error) {
    // A refinement of the user's that throws, or an asynchronous one, which a synchronous check cannot run.
    return {
      ok: false,
      message: `The arguments could not be checked: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

function problemsOf(issues: readonly z.core.$ZodIssue[], separator: string): string[] {
  const problems = issues
    .slice(0, MAX_PROBLEMS)
    .map(({ path, message }) =>
      path.length === 0 ? message : path.map(String).join('.') + separator + message,
    );
  return issues.length > MAX_PROBLEMS ? [...problems, `and ${issues.length - MAX_PROBLEMS} more`] : problems;
}

function invalid(name: unknown, problems: string[], cause?: unknown): AgentError {
  const label =
    typeof name === 'string' && name !== '' ? `tool "${name.slice(0, 80)}"` : 'a tool without a name';
  return new AgentError('CONFIG_INVALID', `Correct ${label}: ${problems.join('; ')}.`, { cause });
}
