import { AgentError } from '../../core/errors.js';
import type { Tool, ToolRegistry } from '../../ports/tools.js';

/**
 * Puts tools together by name; names come out sorted.
 * @throws AgentError `CONFIG_INVALID` naming both, when two tools, or a tool and a built-in one, have the same name.
 */
export function createToolRegistry(tools: readonly Tool[], builtins: readonly Tool[] = []): ToolRegistry {
  const byName = new Map<string, { tool: Tool; origin: string }>();
  const entries = [
    ...builtins.map((tool) => ({ tool, origin: 'a built-in tool' })),
    ...tools.map((tool, index) => ({ tool, origin: `tools[${index}] of the configuration` })),
  ];
  for (const entry of entries) {
    const { name } = entry.tool.spec;
    const other = byName.get(name);
    if (other)
      throw new AgentError(
        'CONFIG_INVALID',
        `Rename a tool: ${other.origin} and ${entry.origin} are both called "${name}".`,
      );
    byName.set(name, entry);
  }
  const names = [...byName.keys()].sort();
  return { get: (name) => byName.get(name)?.tool, names: () => [...names] };
}
