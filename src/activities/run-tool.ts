import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { AgentError, isAgentError } from '../core/errors.js';
import type { ToolResult } from '../core/outcomes.js';
import type { RunToolInput } from '../core/work.js';
import type { ArtifactPort, Tool, ToolContext, ToolRegistry } from '../ports/tools.js';
import { currentRun, isCalledOff, queryCurrentRun, reporting } from './activity-run.js';
import type { HeartbeatPacer, Tail } from './heartbeat.js';
import { requireTool } from './require-tool.js';
import type { RunMemory } from './run-memory.js';

/** What the tool activity works with. */
export interface RunToolPorts {
  tools: ToolRegistry;
  memory: RunMemory;
  heartbeats: HeartbeatPacer;
  artifacts: ArtifactPort;
  /** Absolute real path. */
  workspace: string;
  /** Turns whatever a tool returned into text that the transcript can take; keeps the whole when it has to cut. */
  toOutput(value: unknown): Promise<{ text: string; artifact?: { id: string; sizeBytes: number } }>;
}

/** How a tool ended: by itself, at its time limit, or because it was told to. */
type Ended =
  | { kind: 'returned'; value: unknown }
  | { kind: 'threw'; error: unknown }
  | { kind: 'timed_out' }
  | { kind: 'aborted' };

/** How long a tool that was told to end may take to do so before it is left behind. */
const ABORT_GRACE_MS = 3_000;

/** Makes the activity that runs one tool call. */
export function createRunTool(ports: RunToolPorts): (input: RunToolInput) => Promise<ToolResult> {
  return (input) =>
    reporting(async () => {
      const tool = requireTool(ports.tools, input.name);
      const { attempt } = Context.current().info;
      let progress = '';
      const details = (): Tail => ({ attempt, ...(progress !== '' && { progress }) });
      const ended = await ports.heartbeats.during(details, async () => {
        const { args, context } = await prepareCall(input, ports);
        context.progress = (text) => {
          progress = text.slice(0, 500);
        };
        return runLimited(tool, args, context);
      });
      const result = await toResult(tool, ended, ports);
      return attempt > 1 ? { ...result, attempt } : result;
    });
}

async function prepareCall(
  input: RunToolInput,
  ports: RunToolPorts,
): Promise<{ args: unknown; context: ToolContext }> {
  const ref = currentRun();
  const queries = queryCurrentRun();
  const settings = await ports.memory.settings(ref, queries);
  const text = await ports.memory.args(ref, input, queries);
  const { workflowNamespace = '', workflowExecution } = Context.current().info;
  const identity = [workflowNamespace, workflowExecution?.workflowId, settings.firstRunId, input.callId];
  return {
    args: JSON.parse(text),
    context: {
      idempotencyKey: createHash('sha256').update(JSON.stringify(identity)).digest('hex'),
      signal: Context.current().cancellationSignal,
      progress: () => undefined,
      runId: settings.runId,
      callId: input.callId,
      shared: settings.input.shared ?? {},
      workspace: ports.workspace,
      artifacts: ports.artifacts,
    },
  };
}

/** Runs a tool within its time limit; one that does not end when told to is left behind. */
async function runLimited(tool: Tool, args: unknown, context: ToolContext): Promise<Ended> {
  const parsed = tool.parse(args as never); // Arguments are JSON by construction: the model activity parsed them.
  if (!parsed.ok) return { kind: 'threw', error: new AgentError('TOOL_FAILED', parsed.message) };
  const limit = new AbortController();
  const signal = AbortSignal.any([context.signal, limit.signal]);
  const timer = setTimeout(() => limit.abort(), tool.timeoutMs);
  const returned = Promise.resolve()
    .then(() => tool.execute(parsed.value, { ...context, signal }))
    .then(
      (value): Ended => ({ kind: 'returned', value }),
      (error: unknown): Ended => ({ kind: 'threw', error }),
    );
  try {
    const ended = await Promise.race([returned, abandoned(signal)]);
    if (ended.kind !== 'threw' || !signal.aborted) return ended;
    return { kind: limit.signal.aborted ? 'timed_out' : 'aborted' };
  } finally {
    clearTimeout(timer);
  }

  async function abandoned(told: AbortSignal): Promise<Ended> {
    if (!told.aborted)
      await new Promise((resolve) => told.addEventListener('abort', resolve, { once: true }));
    await new Promise((resolve) => setTimeout(resolve, ABORT_GRACE_MS).unref());
    return { kind: limit.signal.aborted ? 'timed_out' : 'aborted' };
  }
}

async function toResult(tool: Tool, ended: Ended, ports: RunToolPorts): Promise<ToolResult> {
  switch (ended.kind) {
    case 'returned': {
      const { text, artifact } = await ports.toOutput(ended.value);
      return { content: text, ...(artifact && { artifact }) };
    }
    case 'threw':
      return failed(tool, ended.error, ports);
    case 'timed_out':
      if (tool.effect === 'once') return { content: '', status: 'unknown_outcome' };
      return { content: `The tool did not end within ${tool.timeoutMs} ms.`, status: 'timed_out' };
    case 'aborted': {
      const reason: unknown = Context.current().cancellationSignal.reason;
      if (isCalledOff(reason)) throw reason;
      if (tool.effect === 'once') return { content: '', status: 'unknown_outcome' };
      throw new AgentError(
        'TOOL_FAILED',
        'The worker went away in the middle of the call; another takes it up.',
        { retryable: true },
      );
    }
  }
}

/** A tool's own error is told to the model. Only an error that asks for it is tried again, and never for `once`. */
async function failed(tool: Tool, error: unknown, ports: RunToolPorts): Promise<ToolResult> {
  if (isAgentError(error) && error.retryable && tool.effect !== 'once') throw error;
  const message = error instanceof Error ? error.message : error;
  const { text } = await ports.toOutput(message);
  return { content: text, status: 'failed' };
}
