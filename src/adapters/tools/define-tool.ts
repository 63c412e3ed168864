import { z } from 'zod';
import { AgentError } from '../../core/errors.js';
import type { JsonObject } from '../../core/json.js';
import { DEFAULT_TOOL_TIMEOUT_MS } from '../../core/work.js';
import type {
  ExpiryPolicy,
  Tool,
  ToolContext,
  ToolControl,
  ToolEffect,
  ToolVerdict,
  UnknownPolicy,
} from '../../ports/tools.js';
import { checkWith, problemsOf } from './zod-check.js';

/**
 * When a human must say yes to a call: never, always, or as a function of its arguments says. `tainted`: content from outside has
 * entered the context of the run, and may have talked the model into the call.
 */
export type ToolApproval<Args> =
  | 'never'
  | 'always'
  | ((
      args: Args,
      context: { runId: string; callId: string; tainted: boolean },
    ) => boolean | Promise<boolean>);

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
  /** When watchers are reminded of a decision that nobody took, in milliseconds. @defaultValue half of `expiresInMs`, if it is given */
  remindInMs?: number;
  /** How many different people must approve, 1 to 10. @defaultValue 1 */
  approvals?: number;
  /** Whoever asked for the run may not approve. @defaultValue `false` */
  separateApprover?: boolean;
  /**
   * What happens when nobody knows whether a call of effect `'once'` took effect, and `verify` does not know either: a human is asked,
   * the model is told, or the run ends gracefully. @defaultValue `'ask'`
   */
  onUnknown?: UnknownPolicy;
  /** Attempts at a call of effect `'read'` or `'idempotent'`, 1 to 20. One of effect `'once'` has one. @defaultValue 5 */
  maxAttempts?: number;
  /** Calls of this tool that one run may have under way at a time, 1 to 64. @defaultValue as many as calls in all */
  maxParallel?: number;
  /** What the tool returns comes from outside, where anybody may have written it: it taints the run. @defaultValue `false` */
  untrusted?: boolean;
  /**
   * The tool is there to be asked again with the same arguments, such as for the state of a job: that is not held to be going in circles.
   * @defaultValue `false`
   */
  polling?: boolean;
  /** How long one attempt may take, in milliseconds. @defaultValue 60_000 */
  timeoutMs?: number;
}

/** Everything a user writes to make a tool. Contract §3. */
export interface ToolDefinition<Schema extends z.core.$ZodType> extends ToolBasics<Schema> {
  /** Does the work. Whatever it returns becomes text for the model; whatever it throws becomes a failed result. */
  execute(args: z.output<Schema>, context: ToolContext): unknown;
  /** Finds out whether a call took effect whose outcome is unknown. It may be asked several times, and must change nothing. */
  verify?(args: z.output<Schema>, context: ToolContext): ToolVerdict | Promise<ToolVerdict>;
}

/** A tool that the workflow itself carries out. */
export interface ControlToolDefinition<Schema extends z.core.$ZodType> extends ToolBasics<Schema> {
  /** Says what the workflow shall do. */
  control(args: z.output<Schema>): ToolControl;
}

const MAX_INT32 = 2_147_483_647;

const callable = z.custom((value) => typeof value === 'function', 'must be a function');
const oneOf = <const Values extends readonly string[]>(values: Values): z.ZodType<Values[number]> =>
  z.enum(values, `must be ${values.map((value) => `'${value}'`).join(' or ')}`);
const milliseconds = (maximum: number): z.ZodType<number> => {
  const message = `must be a whole number of milliseconds from 1 to ${maximum}`;
  return z.int(message).min(1, message).max(maximum, message);
};
const count = (maximum: number): z.ZodType<number> => {
  const message = `must be a whole number from 1 to ${maximum}`;
  return z.int(message).min(1, message).max(maximum, message);
};
const flag = z.boolean('must be true or false').optional();
const shape = z.object({
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
  remindInMs: milliseconds(Number.MAX_SAFE_INTEGER).optional(),
  approvals: count(10).optional(),
  separateApprover: flag,
  onUnknown: oneOf(['ask', 'tell_model', 'land']).optional(),
  maxAttempts: count(20).optional(),
  maxParallel: count(64).optional(),
  untrusted: flag,
  polling: flag,
  timeoutMs: milliseconds(MAX_INT32).optional(),
  verify: callable.optional(),
});
const basics = shape.refine(({ remindInMs = 0, expiresInMs = Infinity }) => remindInMs < expiresInMs, {
  path: ['remindInMs'],
  error: 'must be below expiresInMs',
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
    ...withoutDefaults(definition),
    parse: (args) => checkWith(input, args),
    needsApproval: async (args, context) =>
      typeof policy === 'function' ? policy(args as z.output<Schema>, context) : policy === 'always',
    execute: async () => {
      throw new AgentError('TOOL_FAILED', `${name} is carried out by the run itself.`);
    },
  };
}

/** What a tool says only where it differs from others. */
function withoutDefaults({
  remindInMs,
  approvals,
  separateApprover,
  onUnknown,
  maxAttempts,
  maxParallel,
  untrusted,
  polling,
}: ToolBasics<z.core.$ZodType>): Partial<Tool> {
  return {
    ...(remindInMs !== undefined && { remindInMs }),
    ...(approvals !== undefined && approvals > 1 && { approvals }),
    ...(separateApprover && { separateApprover }),
    ...(onUnknown !== undefined && onUnknown !== 'ask' && { onUnknown }),
    ...(maxAttempts !== undefined && { maxAttempts }),
    ...(maxParallel !== undefined && { maxParallel }),
    ...(untrusted && { untrusted }),
    ...(polling && { polling }),
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

function invalid(name: unknown, problems: string[], cause?: unknown): AgentError {
  const label =
    typeof name === 'string' && name !== '' ? `tool "${name.slice(0, 80)}"` : 'a tool without a name';
  return new AgentError('CONFIG_INVALID', `Correct ${label}: ${problems.join('; ')}.`, { cause });
}
