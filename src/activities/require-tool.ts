import { AgentError } from '../core/errors.js';
import type { Tool, ToolRegistry } from '../ports/tools.js';

/** @throws AgentError `TOOL_UNKNOWN`, retryable: another worker of the task queue may have the tool. */
export function requireTool(tools: ToolRegistry, name: string): Tool {
  const tool = tools.get(name);
  if (tool) return tool;
  throw new AgentError('TOOL_UNKNOWN', `This worker has no tool ${name}. Start a worker that has it.`, {
    retryable: true,
  });
}
