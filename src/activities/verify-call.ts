import { Context } from '@temporalio/activity';
import { AgentError, isAgentError } from '../core/errors.js';
import type { Verification } from '../core/outcomes.js';
import type { RunToolInput } from '../core/work.js';
import type { Tool } from '../ports/tools.js';
import { isCalledOff, reporting } from './activity-run.js';
import type { HeartbeatPacer, Tail } from './heartbeat.js';
import { requireTool } from './require-tool.js';
import { runLimited, type Ended } from './run-limited.js';
import { readCall, type ToolCallPorts } from './tool-call.js';

/** What the activity that asks about a call works with. */
export interface VerifyCallPorts extends ToolCallPorts {
  heartbeats: HeartbeatPacer;
}

const VERDICTS = ['executed', 'not_executed', 'unknown'] as const;

/**
 * Makes the activity that asks a tool whether a call took effect. A check that fails may be tried again, as it changes nothing; what is no
 * verdict counts as `unknown`, and so does a tool that cannot tell.
 */
export function createVerifyCall(ports: VerifyCallPorts): (input: RunToolInput) => Promise<Verification> {
  return (input) =>
    reporting(async () => {
      const tool = requireTool(ports.tools, input.name);
      const tail: Tail = { attempt: Context.current().info.attempt };
      return ports.heartbeats.during(
        () => ({ ...tail }),
        async () => {
          const { parsed, context } = await readCall({ tool, input, tail }, ports);
          if (!parsed.ok) throw failure(`the arguments do not fit any more: ${parsed.message}`);
          const ended = await runLimited(
            async (signal) => tool.verify?.(parsed.value, { ...context, signal }),
            { signal: context.signal, timeoutMs: tool.timeoutMs },
          );
          return { verdict: verdictOf(tool, ended) };
        },
      );
    });
}

function verdictOf(tool: Tool, ended: Ended): Verification['verdict'] {
  switch (ended.kind) {
    case 'returned':
      return VERDICTS.find((verdict) => verdict === ended.value) ?? 'unknown';
    case 'threw': {
      const { error } = ended;
      throw failure(error instanceof Error ? error.message : String(error), error);
    }
    case 'timed_out':
      throw failure(`it did not end within ${tool.timeoutMs} ms.`);
    case 'aborted': {
      const reason: unknown = Context.current().cancellationSignal.reason;
      if (isCalledOff(reason)) throw reason;
      throw failure('the worker went away in the middle of it.');
    }
  }
}

function failure(reason: string, cause?: unknown): AgentError {
  return new AgentError('TOOL_FAILED', `The call could not be checked: ${reason}`.slice(0, 1_000), {
    retryable: true,
    details: isAgentError(cause) ? cause.details : {},
    cause,
  });
}
