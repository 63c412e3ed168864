import { AgentError } from '../../core/errors.js';
import type { Tool, ToolRegistry } from '../../ports/tools.js';

/**
 * Puts tools together by name; names come out sorted.
 * @param outside tools of servers outside as they are now, which come and go. One that is called like another stays away.
 * @throws AgentError `CONFIG_INVALID` naming both, when two tools, or a tool and a built-in one, have the same name.
 */
export function createToolRegistry(
  tools: readonly Tool[],
  builtins: readonly Tool[] = [],
  outside: () => readonly Tool[] = () => [],
): ToolRegistry {
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
  return {
    get: (name) => byName.get(name)?.tool ?? outside().find(({ spec }) => spec.name === name),
    names: () => [...new Set([...byName.keys(), ...outside().map(({ spec }) => spec.name)])].sort(),
  };
}
