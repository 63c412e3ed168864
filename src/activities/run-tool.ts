import { Context } from '@temporalio/activity';
import { AgentError, isAgentError } from '../core/errors.js';
import type { JsonObject } from '../core/json.js';
import type { ToolResult } from '../core/outcomes.js';
import type { RunToolInput } from '../core/work.js';
import type { Tool, ToolContext } from '../ports/tools.js';
import { reporting } from './activity-run.js';
import { announced, beforeActing, calledOffWhileActing } from './acting.js';
import { listArtifacts } from './artifact-list.js';
import type { HeartbeatPacer, Tail } from './heartbeat.js';
import { requireTool } from './require-tool.js';
import { runLimited, type Ended } from './run-limited.js';
import { sharedPatch, type SharedCheck } from './shared-values.js';
import { readCall, type ToolCall, type ToolCallPorts } from './tool-call.js';

/** What the tool activity works with. */
export interface RunToolPorts extends ToolCallPorts {
  heartbeats: HeartbeatPacer;
  /** Turns whatever a tool returned into text that the transcript can take; keeps the whole when it has to cut. */
  toOutput(value: unknown): Promise<{ text: string; artifact?: { id: string; sizeBytes: number } }>;
  /** Absent: tools may share any JSON. */
  checkShared?: SharedCheck;
}

/**
 * Makes the activity that runs one tool call. What may run only once is begun only after the server has on record that it begins, so that
 * a call whose worker is lost has either certainly not begun or is known to be unknown. Whatever goes wrong before says so.
 */
export function createRunTool(ports: RunToolPorts): (input: RunToolInput) => Promise<ToolResult> {
  return (input) =>
    reporting(async () => {
      const { attempt } = Context.current().info;
      const tool = await beforeActing(async () => requireTool(ports.tools, input.name));
      const tail: Tail = { attempt };
      const getReady = () => readCall({ tool, input, tail }, ports);
      const result =
        tool.effect === 'once'
          ? await actOnce({ tool, tail, getReady }, ports)
          : await ports.heartbeats.during(
              () => ({ ...tail }),
              async () => act(tool, await beforeActing(getReady), ports),
            );
      return attempt > 1 ? { ...result, attempt } : result;
    });
}

async function actOnce(
  { tool, tail, getReady }: { tool: Tool; tail: Tail; getReady: () => Promise<ToolCall> },
  ports: RunToolPorts,
): Promise<ToolResult> {
  const call = await beforeActing(() => announced(tail.attempt, getReady));
  // The SDK's heartbeats are in no order with the words before, so each of them says that the tool acts.
  return ports.heartbeats.during(
    () => ({ ...tail, acting: true }),
    () => act(tool, call, ports),
    { isTold: true },
  );
}

async function act(tool: Tool, { parsed, context }: ToolCall, ports: RunToolPorts): Promise<ToolResult> {
  if (!parsed.ok) return { content: parsed.message, status: 'failed' };
  const { artifacts, listed } = listArtifacts(context.artifacts);
  const given: ToolContext = { ...context, artifacts };
  const before: JsonObject = JSON.parse(JSON.stringify(context.shared));
  const ended = await runLimited(
    (signal) => {
      given.signal = signal;
      return tool.execute(parsed.value, given);
    },
    { signal: context.signal, timeoutMs: tool.timeoutMs },
  );
  const result = await toResult(tool, ended, ports);
  const isFromOutside = tool.untrusted && (ended.kind === 'returned' || ended.kind === 'threw');
  return {
    ...result,
    ...(result.status === undefined &&
      shareChanges({ before, after: given.shared, content: result.content }, ports)),
    ...(listed().length > 0 && { artifacts: listed() }),
    ...(isFromOutside && { untrusted: true }),
  };
}

async function toResult(tool: Tool, ended: Ended, ports: RunToolPorts): Promise<ToolResult> {
  const isOnce = tool.effect === 'once';
  switch (ended.kind) {
    case 'returned': {
      const { text, artifact } = await ports.toOutput(ended.value);
      return { content: text, ...(artifact && { artifact }) };
    }
    case 'threw':
      return failed(tool, ended.error, ports);
    case 'timed_out':
      if (isOnce) return { content: '', status: 'unknown_outcome' };
      return { content: `The tool did not end within ${tool.timeoutMs} ms.`, status: 'timed_out' };
    case 'aborted': {
      const calledOff = calledOffWhileActing();
      if (calledOff) throw calledOff;
      if (isOnce) return { content: '', status: 'unknown_outcome' };
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
  const isOnce = tool.effect === 'once';
  // A tool that has lost the connection to what it acts on says so by this code.
  const isUnknown = isAgentError(error) && error.code === 'TOOL_OUTCOME_UNKNOWN';
  if (!isOnce && isAgentError(error) && (error.retryable || isUnknown) && !isLastAttempt()) {
    const { code, message, details, cause } = error;
    // Whatever its details say: it did begin.
    throw new AgentError(code, message, { retryable: true, details: { ...details, acting: true }, cause });
  }
  const { text } = await ports.toOutput(error instanceof Error ? error.message : error);
  return { content: text, status: isOnce && isUnknown ? 'unknown_outcome' : 'failed' };
}

/** Whether Temporal will not try again. No maximum, or zero, means that it will. */
function isLastAttempt(): boolean {
  const { attempt, retryPolicy } = Context.current().info;
  return attempt >= (retryPolicy?.maximumAttempts || Infinity);
}

/** What becomes of the shared values once a call has ended well. */
function shareChanges(
  { before, after, content }: { before: JsonObject; after: unknown; content: string },
  { checkShared = () => null }: RunToolPorts,
): Partial<ToolResult> {
  const change = sharedPatch(before, after, checkShared);
  if ('patch' in change) return change.patch ? { shared: change.patch } : {};
  const refused = `The tool ran, but what it put into shared was refused: ${change.problem}`;
  return { content: `${refused}\nIt gave: ${content}`, status: 'failed' };
}
