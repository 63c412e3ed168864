import type { ToolAnnotations } from '@modelcontextprotocol/client';
import type { ToolEffect } from '../../ports/tools.js';
import type { McpServerOptions } from '../tools/define-config.js';

/** What running a tool twice would mean, and whether a human must say yes to each call. */
export interface ToolPolicy {
  effect: ToolEffect;
  isGated: boolean;
}

/** The policy for a tool of an MCP server, as {@link McpServerOptions} describes it. */
export function policyOf(
  tool: { name: string; annotations?: ToolAnnotations | undefined },
  options: McpServerOptions,
): ToolPolicy {
  const { effect, isGated } = effectPolicy(tool, options);
  return { effect, isGated: options.approval === undefined ? isGated : options.approval === 'always' };
}

function effectPolicy(
  { name, annotations = {} }: { name: string; annotations?: ToolAnnotations | undefined },
  { effects = {}, trustAnnotations = false }: McpServerOptions,
): ToolPolicy {
  const said = Object.hasOwn(effects, name) ? effects[name] : undefined;
  if (said !== undefined) return { effect: said, isGated: said === 'once' };
  if (trustAnnotations && annotations.readOnlyHint === true) return { effect: 'read', isGated: false };
  // A hint that is absent has the careful value, as the protocol says: a tool may destroy until it says that it does not.
  if (trustAnnotations && annotations.idempotentHint === true)
    return { effect: 'idempotent', isGated: annotations.destructiveHint !== false };
  return { effect: 'once', isGated: true };
}
