import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { AgentError } from '../core/errors.js';
import type { RunToolInput } from '../core/work.js';
import type { ArtifactPort, Tool, ToolContext, ToolRegistry } from '../ports/tools.js';
import { currentRun, queryCurrentRun } from './activity-run.js';
import type { Tail } from './heartbeat.js';
import type { RunMemory } from './run-memory.js';

/** What reading a call takes. */
export interface ToolCallPorts {
  tools: ToolRegistry;
  memory: RunMemory;
  artifacts: ArtifactPort;
  /** Absolute real path. */
  workspace: string;
}

/** A call as its tool gets it. */
export interface ToolCall {
  parsed: ReturnType<Tool['parse']>;
  context: ToolContext;
}

const PROGRESS_CHARS = 500;

/**
 * Reads the call of the activity under way from its run. What its tool shows to watchers goes into `tail`.
 * @throws AgentError `TOOL_FAILED`, retryable when the run does not have its arguments; for good when the tool is another one by now
 */
export async function readCall(
  { tool, input, tail }: { tool: Tool; input: RunToolInput; tail: Tail },
  ports: ToolCallPorts,
): Promise<ToolCall> {
  if (input.specHash !== undefined && input.specHash !== tool.specHash)
    throw new AgentError(
      'TOOL_FAILED',
      `What ${input.name} does was described in another way when this call was asked for, so it was not run. Call it again if it is still right.`,
    );
  const ref = currentRun();
  const queries = queryCurrentRun();
  const settings = await ports.memory.settings(ref, queries);
  const args = await ports.memory.args(ref, input, queries);
  const shared = await ports.memory.shared(ref, input.shared, queries);
  const { workflowNamespace = '', workflowExecution } = Context.current().info;
  const identity = [workflowNamespace, workflowExecution?.workflowId, settings.firstRunId, input.callId];
  return {
    parsed: tool.parse(JSON.parse(args)),
    context: {
      idempotencyKey: createHash('sha256').update(JSON.stringify(identity)).digest('hex'),
      signal: Context.current().cancellationSignal,
      progress: (text) => {
        tail.progress = text.slice(0, PROGRESS_CHARS);
      },
      runId: settings.runId,
      callId: input.callId,
      shared,
      workspace: ports.workspace,
      artifacts: ports.artifacts,
    },
  };
}
