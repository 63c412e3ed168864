import { createHash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '../core/json.js';
import type { PlannedCall } from '../core/outcomes.js';
import type { RequireApproval } from '../core/run-input.js';
import type { TranscriptCall } from '../core/transcript.js';
import { DEFAULT_TOOL_TIMEOUT_MS } from '../core/work.js';
import type { Tool, ToolRegistry } from '../ports/tools.js';

/** What judging the calls of one answer needs. */
export interface PlanContext {
  runId: string;
  step: number;
  registry: ToolRegistry;
  /** Names of the tools that this run may use. */
  allowed: readonly string[];
  requireApproval: RequireApproval;
}

/** How long a summary for humans may be. */
const SUMMARY_CHARS = 300;

/** Checks what the model asked for against schemas and policy, so that the workflow needs no tool code. */
export function planCalls(calls: readonly TranscriptCall[], context: PlanContext): Promise<PlannedCall[]> {
  return Promise.all(calls.map((call, index) => planCall(call, `s${context.step}.c${index}`, context)));
}

async function planCall(call: TranscriptCall, callId: string, context: PlanContext): Promise<PlannedCall> {
  const { id, name } = call;
  const args = parseObject(call.args);
  if (args === null) {
    const message = `The arguments are not a JSON object: ${call.args.slice(0, 200)}`;
    return { id, name, args: '{}', problem: { status: 'invalid_arguments', message } };
  }
  const text = JSON.stringify(args);
  const tool = context.allowed.includes(name) ? context.registry.get(name) : undefined;
  if (!tool) {
    const message = `There is no tool ${name}. Use one of: ${context.allowed.join(', ')}.`;
    return { id, name, args: text, problem: { status: 'unknown_tool', message } };
  }
  const parsed = tool.parse(args);
  if (!parsed.ok)
    return { id, name, args: text, problem: { status: 'invalid_arguments', message: parsed.message } };
  const approval = await needsDecision(tool, parsed.value, { ...context, callId });
  return {
    id,
    name,
    args: text,
    ...(tool.effect !== 'once' && { effect: tool.effect }),
    ...(tool.timeoutMs !== DEFAULT_TOOL_TIMEOUT_MS && { timeoutMs: tool.timeoutMs }),
    ...(tool.control && { control: tool.control(parsed.value) }),
    ...(approval.isNeeded && { gate: gateOf(tool, args, approval.problem) }),
  };
}

/** Whether a human is asked. A policy that cannot be evaluated must not let a call through, and the human is told of it. */
async function needsDecision(
  tool: Tool,
  args: unknown,
  context: PlanContext & { callId: string },
): Promise<{ isNeeded: boolean; problem?: string }> {
  const { requireApproval, runId, callId } = context;
  if (requireApproval !== 'policy') return { isNeeded: requireApproval === 'always' };
  try {
    return { isNeeded: await tool.needsApproval(args, { runId, callId }) };
  } catch (error) {
    return { isNeeded: true, problem: error instanceof Error ? error.message : String(error) };
  }
}

function gateOf(tool: Tool, args: JsonValue, problem: string | undefined): NonNullable<PlannedCall['gate']> {
  const { onExpiry, expiresInMs, spec } = tool;
  const warning =
    problem === undefined ? '' : `[the approval policy of the tool failed: ${problem.slice(0, 100)}] `;
  return {
    argsHash: hashArgs(args),
    summary: `${warning}${spec.name} ${JSON.stringify(args)}`.slice(0, SUMMARY_CHARS),
    ...(onExpiry !== 'wait' && { onExpiry }),
    ...(expiresInMs !== null && { expiresInMs }),
  };
}

/** What a decision is bound to: SHA-256 over the canonical JSON of the arguments. */
export function hashArgs(args: JsonValue): string {
  return `sha256:${createHash('sha256').update(canonicalJson(args)).digest('hex')}`;
}

/** The object in JSON text; an absent text stands for no arguments. */
function parseObject(text: string): JsonValue {
  if (text.trim() === '') return {};
  try {
    const value: JsonValue = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
