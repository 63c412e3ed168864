import type { ArgsCheck } from '../core/inputs.js';
import type { CheckArgsInput } from '../core/work.js';
import type { ToolRegistry } from '../ports/tools.js';
import { currentRun, queryCurrentRun, reporting } from './activity-run.js';
import { controlOf, hashArgs } from './plan-calls.js';
import { requireTool } from './require-tool.js';
import type { RunMemory } from './run-memory.js';

/** Makes the activity that checks arguments which a human put in the place of the model's. */
export function createCheckArgs({
  tools,
  memory,
}: {
  tools: ToolRegistry;
  memory: RunMemory;
}): (input: CheckArgsInput) => Promise<ArgsCheck> {
  return (input) =>
    reporting(async () => {
      const { prepared } = await memory.settings(currentRun(), queryCurrentRun());
      return checkEditedArgs(tools, input, prepared?.tools ?? []);
    });
}

/**
 * Holds edited arguments against their tool.
 * @param allowed names of the tools that the run may use, and hand on
 * @throws AgentError `TOOL_UNKNOWN`, retryable
 */
export function checkEditedArgs(
  tools: ToolRegistry,
  { name, args }: CheckArgsInput,
  allowed: readonly string[],
): ArgsCheck {
  const tool = requireTool(tools, name);
  const parsed = tool.parse(args);
  if (!parsed.ok) return { ok: false, message: parsed.message };
  const control = controlOf(tool, parsed.value, allowed);
  if (control && 'problem' in control) return { ok: false, message: control.problem };
  return { ok: true, args: JSON.stringify(args), argsHash: hashArgs(args), ...control };
}
