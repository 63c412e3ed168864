import { createHash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '../core/json.js';
import { fingerprint } from '../core/context/loop-guard.js';
import type { Gate, PlannedCall } from '../core/outcomes.js';
import type { RequireApproval } from '../core/run-input.js';
import type { TranscriptCall } from '../core/transcript.js';
import { DEFAULT_TOOL_TIMEOUT_MS } from '../core/work.js';
import type { Tool, ToolControl, ToolRegistry } from '../ports/tools.js';

/** What judging the calls of one answer needs. */
export interface PlanContext {
  runId: string;
  step: number;
  registry: ToolRegistry;
  /** Names of the tools that this run may use. */
  allowed: readonly string[];
  requireApproval: RequireApproval;
  /** Content from outside has entered the context, and the run asks about side effects from then on. */
  tainted: boolean;
  /** By tool name: what a server outside said of the tool at the start of the run. */
  pins: Readonly<Record<string, string>>;
  /** Fingerprints of calls that a human is asked about when they come again. */
  asks?: readonly string[];
}

/** Why a human is asked. */
type Need = { reason?: Gate['reason']; note?: string };

/** How long a summary for humans may be. */
export const SUMMARY_CHARS = 300;
const LOOP_NOTE = 'the run goes in circles: it has made this very call again and again';
const TAINT_NOTE = 'text from outside was read before, which may have asked for this';

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
    return { id, name, args: text, problem: { status: 'unknown_tool', message: missing(name, context) } };
  }
  const parsed = tool.parse(args);
  if (!parsed.ok)
    return { id, name, args: text, problem: { status: 'invalid_arguments', message: parsed.message } };
  const control = controlOf(tool, parsed.value, context.allowed);
  if (control && 'problem' in control)
    return { id, name, args: text, problem: { status: 'invalid_arguments', message: control.problem } };
  const need = await needOf(tool, { args, value: parsed.value }, { ...context, callId });
  return {
    id,
    name,
    args: text,
    ...(tool.effect !== 'once' && { effect: tool.effect }),
    ...(tool.timeoutMs !== DEFAULT_TOOL_TIMEOUT_MS && { timeoutMs: tool.timeoutMs }),
    ...(tool.effect === 'once' ? onceOptions(tool) : againOptions(tool)),
    ...(tool.maxParallel !== undefined && { parallel: tool.maxParallel }),
    ...(tool.specHash !== undefined && { specHash: tool.specHash }),
    ...(tool.polling && { polling: true }),
    ...control,
    ...(need && { gate: gateOf(tool, args, need) }),
  };
}

function missing(name: string, { allowed, registry }: PlanContext): string {
  const there = allowed.filter((one) => registry.get(one) !== undefined);
  const why = allowed.includes(name) ? `The tool ${name} cannot be reached now` : `There is no tool ${name}`;
  return `${why}. Use one of: ${there.join(', ')}.`;
}

/** Only of what may run once can the outcome be unknown. */
function onceOptions(tool: Tool): Pick<PlannedCall, 'verify' | 'onUnknown'> {
  const { onUnknown = 'ask' } = tool;
  return { ...(tool.verify && { verify: true }), ...(onUnknown !== 'ask' && { onUnknown }) };
}

function againOptions({ maxAttempts }: Tool): Pick<PlannedCall, 'attempts'> {
  return maxAttempts === undefined ? {} : { attempts: maxAttempts };
}

/** What the workflow shall do for a call, or why it cannot; `null` for a tool that it does not carry out. */
export function controlOf(
  tool: Tool,
  args: unknown,
  allowed: readonly string[],
): { control: ToolControl } | { problem: string } | null {
  const control = tool.control?.(args);
  if (!control) return null;
  const missing =
    control.kind === 'delegate' ? (control.tools ?? []).filter((name) => !allowed.includes(name)) : [];
  if (missing.length === 0) return { control };
  return { problem: `There is no tool ${missing.join(', ')}. Use some of: ${allowed.join(', ')}.` };
}

/** Why a human is asked, or `null` when nobody is. A policy that cannot be evaluated must not let a call through. */
async function needOf(
  tool: Tool,
  { args, value }: { args: JsonValue; value: unknown },
  context: PlanContext & { callId: string },
): Promise<Need | null> {
  const { requireApproval, runId, callId, tainted, pins, asks = [] } = context;
  const pin = pins[tool.spec.name];
  if (tool.specHash !== undefined && pin !== undefined && tool.specHash !== pin) {
    const now = tool.spec.description.replace(/\s+/g, ' ').slice(0, 120);
    return { reason: 'changed', note: `its server has changed what it says of the tool, now: ${now}` };
  }
  if (requireApproval === 'never') return null;
  if (asks.includes(fingerprint(tool.spec.name, args))) return { reason: 'loop', note: LOOP_NOTE };
  if (requireApproval === 'always') return {};
  try {
    if (await tool.needsApproval(value, { runId, callId, tainted })) return {};
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { note: `the approval policy of the tool failed: ${problem.slice(0, 100)}` };
  }
  const hasSideEffect = tool.effect !== 'read' && !tool.control;
  return tainted && hasSideEffect ? { reason: 'taint', note: TAINT_NOTE } : null;
}

/** A decision that expires is reminded of at half time, unless its tool says when. */
function remindOf(remindInMs: number | undefined, expiresInMs: number | null): Pick<Gate, 'remindInMs'> {
  const inMs = remindInMs ?? (expiresInMs === null ? null : Math.ceil(expiresInMs / 2));
  return inMs === null ? {} : { remindInMs: inMs };
}

function gateOf(tool: Tool, args: JsonValue, { reason, note }: Need): Gate {
  const { onExpiry, expiresInMs, remindInMs, approvals, separateApprover, spec } = tool;
  const warning = note === undefined ? '' : `[${note}] `;
  return {
    argsHash: hashArgs(args),
    summary: `${warning}${spec.name} ${JSON.stringify(args)}`.slice(0, SUMMARY_CHARS),
    ...(onExpiry !== 'wait' && { onExpiry }),
    ...(expiresInMs !== null && { expiresInMs }),
    ...remindOf(remindInMs, expiresInMs),
    ...(approvals !== undefined && { approvals }),
    ...(separateApprover && { separate: true }),
    ...(reason && { reason }),
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
