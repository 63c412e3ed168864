import type { Tool as AnnouncedTool } from '@modelcontextprotocol/client';
import type { Tool } from '../../ports/tools.js';
import type { McpServer } from '../tools/define-config.js';
import { mcpTool, specHashOf } from './mcp-tool.js';
import { ServerLink } from './server-link.js';
import { modelToolName } from './tool-name.js';

/** How {@link connectMcp} goes about it. */
export interface ConnectMcpOptions {
  /** Gets a line when a server is lost, comes back or changes its tools. Without secrets. */
  log?: (line: string) => void;
  /** How long to wait for servers before going on without them, in milliseconds. @defaultValue 10_000 */
  startTimeoutMs?: number;
  /** The wait after a first failure, in milliseconds; it doubles up to a minute. @defaultValue 1_000 */
  retryDelayMs?: number;
  /** How often lists of tools are read again unasked, in milliseconds. @defaultValue 300_000 */
  relistEveryMs?: number;
}

/** The tools of all MCP servers of a worker. */
export interface McpTools {
  /** The tools as their servers announce them now; another list when one changed, came or went. A lost server's tools stay. */
  tools(): Tool[];
  /** What is amiss now: servers that are not there, tools that cannot be used or that the configuration names in vain. */
  warnings(): string[];
  /** Ends connections and the programs that were started; takes up to about 4 s. */
  close(): Promise<void>;
}

const DEFAULT_START_TIMEOUT_MS = 10_000;
const DEFAULT_RETRY_DELAY_MS = 1_000;
const DEFAULT_RELIST_MS = 300_000;

/**
 * Connects to MCP servers and offers their tools. Never rejects for a server that is not there: its tools are absent, a warning says
 * so, and it is tried again in the background until it comes or {@link McpTools.close} is called.
 */
export async function connectMcp(
  servers: Readonly<Record<string, McpServer>>,
  options: ConnectMcpOptions = {},
): Promise<McpTools> {
  const all = Object.entries(servers).map(([name, server]) => new ServerTools(name, server, options));
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise((resolve) => {
    timer = setTimeout(resolve, options.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS);
  });
  await Promise.race([Promise.all(all.map(({ link }) => link.start())), patience]);
  clearTimeout(timer);
  return {
    tools: () => all.flatMap(({ tools }) => tools),
    warnings: () => all.flatMap((one) => one.warnings()),
    close: async () => {
      await Promise.all(all.map(({ link }) => link.close()));
    },
  };
}

/** The tools of one server. */
class ServerTools {
  readonly link: ServerLink;
  tools: Tool[] = [];
  private hashes: ReadonlyMap<string, string> | undefined;
  private complaints: string[] = [];
  private readonly log: (line: string) => void;

  constructor(
    private readonly name: string,
    private readonly server: McpServer,
    options: ConnectMcpOptions,
  ) {
    this.log = options.log ?? (() => undefined);
    this.link = new ServerLink({
      name,
      server,
      retryDelayMs: options.retryDelayMs ?? DEFAULT_RETRY_DELAY_MS,
      relistEveryMs: options.relistEveryMs ?? DEFAULT_RELIST_MS,
      onTools: (announced) => this.take(announced),
      log: this.log,
    });
  }

  warnings(): string[] {
    const { failure } = this.link;
    const isThere = this.hashes !== undefined;
    const words = failure ?? (isThere ? null : 'it has not answered yet');
    if (words === null) return this.complaints;
    const absent = isThere ? '' : ' Its tools are absent.';
    return [
      `MCP server ${this.name} is not there: ${words}.${absent} It is tried again.`,
      ...this.complaints,
    ];
  }

  private take(announced: AnnouncedTool[]): void {
    const { tools: wanted, effects = {} } = this.server;
    const usable = new Map<string, AnnouncedTool>();
    const taken = new Set<string>();
    const complaints: string[] = [];
    for (const tool of announced) {
      if (wanted !== undefined && !wanted.includes(tool.name)) continue;
      if (tool.execution?.taskSupport === 'required')
        complaints.push(
          `MCP server ${this.name}: its tool ${tool.name} runs as a task only, and is left out.`,
        );
      else if (taken.has(modelToolName(this.name, tool.name)))
        complaints.push(`MCP server ${this.name} has two tools ${tool.name}: the first one is taken.`);
      else usable.set(tool.name, tool);
      taken.add(modelToolName(this.name, tool.name));
    }
    const names = new Set(announced.map(({ name }) => name));
    for (const name of new Set([...(wanted ?? []), ...Object.keys(effects)]))
      if (!names.has(name))
        complaints.push(`MCP server ${this.name} has no tool ${name}, which the configuration names.`);
    this.complaints = complaints;
    this.offer(usable);
  }

  /** Tools that stayed as they were stay the same objects, with the schemas they compiled. */
  private offer(usable: ReadonlyMap<string, AnnouncedTool>): void {
    const before = this.hashes;
    const known = new Map(this.tools.map((tool) => [tool.specHash, tool]));
    this.hashes = new Map([...usable].map(([name, tool]) => [name, specHashOf(tool)]));
    this.tools = [...usable.values()].map(
      (announced) => known.get(specHashOf(announced)) ?? this.build(announced),
    );
    const changes = before && changesOf(before, this.hashes);
    if (changes) this.log(`The MCP server ${this.name} announces other tools now: ${changes}.`);
  }

  private build(announced: AnnouncedTool): Tool {
    const { name: serverName, server, link } = this;
    return mcpTool({
      serverName,
      server,
      announced,
      link,
      currentHash: (toolName) => this.hashes?.get(toolName),
    });
  }
}

function changesOf(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): string {
  const added = [...now.keys()].filter((name) => !before.has(name)).map((name) => `+${name}`);
  const gone = [...before.keys()].filter((name) => !now.has(name)).map((name) => `-${name}`);
  const changed = [...now].filter(([name, hash]) => before.has(name) && before.get(name) !== hash);
  return [...added, ...gone, ...changed.map(([name]) => `~${name}`)].join(', ');
}
