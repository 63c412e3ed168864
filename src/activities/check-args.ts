import type { ArgsCheck } from '../core/inputs.js';
import type { CheckArgsInput } from '../core/work.js';
import type { ToolRegistry } from '../ports/tools.js';
import { reporting } from './activity-run.js';
import { hashArgs } from './plan-calls.js';
import { requireTool } from './require-tool.js';

/** Makes the activity that checks arguments which a human put in the place of the model's. */
export function createCheckArgs({
  tools,
}: {
  tools: ToolRegistry;
}): (input: CheckArgsInput) => Promise<ArgsCheck> {
  return ({ name, args }) =>
    reporting(async () => {
      const tool = requireTool(tools, name);
      const parsed = tool.parse(args);
      if (!parsed.ok) return { ok: false, message: parsed.message };
      const control = tool.control?.(parsed.value);
      return { ok: true, args: JSON.stringify(args), argsHash: hashArgs(args), ...(control && { control }) };
    });
}
