import { AgentError } from '../core/errors.js';
import type { ArgsCheck } from '../core/inputs.js';
import type { CheckArgsInput } from '../core/work.js';
import type { ToolRegistry } from '../ports/tools.js';
import { reporting } from './activity-run.js';
import { hashArgs } from './plan-calls.js';

/** Makes the activity that checks arguments which a human put in the place of the model's. */
export function createCheckArgs(ports: {
  tools: ToolRegistry;
}): (input: CheckArgsInput) => Promise<ArgsCheck> {
  return ({ name, args }) =>
    reporting(async () => {
      const tool = ports.tools.get(name);
      if (!tool)
        throw new AgentError('TOOL_UNKNOWN', `This worker has no tool ${name}. Start a worker that has it.`, {
          retryable: true,
        });
      const parsed = tool.parse(args);
      if (!parsed.ok) return { ok: false, message: parsed.message };
      const control = tool.control?.(parsed.value);
      return { ok: true, args: JSON.stringify(args), argsHash: hashArgs(args), ...(control && { control }) };
    });
}
