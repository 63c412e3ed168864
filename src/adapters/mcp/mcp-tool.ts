import { createHash } from 'node:crypto';
import type { Tool as AnnouncedTool } from '@modelcontextprotocol/client';
import { AgentError, isAgentError } from '../../core/errors.js';
import { canonicalJson, type JsonObject } from '../../core/json.js';
import { DEFAULT_TOOL_TIMEOUT_MS } from '../../core/work.js';
import type { Tool, ToolContext } from '../../ports/tools.js';
import type { McpServer } from '../tools/define-config.js';
import { argsCheck } from './check-args.js';
import { callError } from './failures.js';
import { resultText } from './result-text.js';
import type { ServerLink } from './server-link.js';
import { modelToolName } from './tool-name.js';
import { policyOf } from './tool-policy.js';

/** Where a server finds the key under which a call may be known to it already. */
const IDEMPOTENCY_KEY = 'longhaul/idempotencyKey';

/** What {@link mcpTool} makes a tool of. */
export interface McpToolParts {
  serverName: string;
  server: McpServer;
  announced: AnnouncedTool;
  link: ServerLink;
  /** The hash of what the server says of a tool now. */
  currentHash(toolName: string): string | undefined;
}

/** Hash of what a server says of a tool: all that the model is shown and all that its effect may be taken from. */
export function specHashOf({ name, description, inputSchema, annotations }: AnnouncedTool): string {
  // The round trip drops what is undefined; the SDK read the announcement from JSON.
  const spec = JSON.parse(JSON.stringify({ name, description, inputSchema, annotations })) as JsonObject;
  return `sha256:${createHash('sha256').update(canonicalJson(spec)).digest('hex')}`;
}

/** A tool of an MCP server as the worker has it: what it returns is untrusted, and so is what is said of it. */
export function mcpTool(parts: McpToolParts): Tool {
  const { serverName, server, announced } = parts;
  const { effect, isGated } = policyOf(announced, server);
  const schema = JSON.parse(JSON.stringify(announced.inputSchema)) as JsonObject; // As above.
  const { $schema: _, ...parameters } = schema;
  const specHash = specHashOf(announced);
  const timeoutMs = server.timeoutMs ?? DEFAULT_TOOL_TIMEOUT_MS;
  const name = modelToolName(serverName, announced.name);
  return {
    spec: { name, description: announced.description ?? announced.title ?? announced.name, parameters },
    effect,
    timeoutMs,
    onExpiry: 'wait',
    expiresInMs: null,
    untrusted: true,
    specHash,
    parse: argsCheck(schema),
    needsApproval: async () => isGated,
    execute: (args, context) => execute({ ...parts, effect, timeoutMs, specHash }, args, context),
  };
}

async function execute(
  tool: McpToolParts & Pick<Tool, 'effect' | 'timeoutMs'> & { specHash: string },
  args: unknown,
  context: ToolContext,
): Promise<string> {
  const { announced, link, serverName, effect, timeoutMs } = tool;
  const { signal } = context;
  const { hideAll, hideSecrets } = link.guard;
  let result;
  try {
    result = await link.call({
      request: {
        name: announced.name,
        arguments: args as Record<string, unknown>, // `parse` lets nothing else through.
        _meta: { [IDEMPOTENCY_KEY]: context.idempotencyKey },
      },
      signal,
      timeoutMs,
      onProgress: (text) => context.progress(hideSecrets(text)),
      assertUnchanged: () => {
        if (tool.currentHash(announced.name) !== tool.specHash) throw changed(serverName, announced.name);
      },
    });
  } catch (error) {
    if (isAgentError(error)) throw error;
    throw callError(error, { server: serverName, effect, timeoutMs, signal, hide: hideAll });
  }
  const text = resultText(result);
  if (result.isError === true) throw new AgentError('TOOL_FAILED', hideAll(text));
  return hideSecrets(text);
}

/** Not retryable: an attempt with the new description must be decided on anew. */
function changed(server: string, tool: string): AgentError {
  return new AgentError(
    'TOOL_FAILED',
    `The MCP server ${server} now says something else of its tool ${tool}, or has it no more. Nothing was sent; look at the tool as it is now, then call it again.`,
    { details: { unsent: true } },
  );
}
