import { createServer } from 'node:http';
import {
  connectMcp,
  type ConnectMcpOptions,
  type McpTools,
} from '../../../../src/adapters/mcp/connect-mcp.js';
import type { McpServer } from '../../../../src/adapters/tools/define-config.js';
import type { Tool } from '../../../../src/ports/tools.js';
import { listen } from './listen.js';
import { stream, type Stream } from './stream.js';

/** What a server told of itself. */
export interface ServerEvent {
  event: string;
  pid: number;
}

/** Connections, and a server whose doings can be watched; all are gone after the test. */
export function mcpWorld() {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
  });
  return {
    /** Connects, and gives the lines of the log as a stream. */
    async connect(
      servers: Record<string, McpServer>,
      options: ConnectMcpOptions = {},
    ): Promise<McpTools & { lines: Stream<string> }> {
      const lines = stream<string>();
      const mcp = await connectMcp(servers, {
        retryDelayMs: 20,
        startTimeoutMs: 25_000,
        log: lines.push,
        ...options,
      });
      cleanups.push(() => mcp.close());
      return { ...mcp, lines };
    },
    /** How to start the own server, and what it tells. */
    async ownServer(
      mode: 'serve' | 'reject' = 'serve',
      echoDescription?: string,
    ): Promise<{ server: McpServer; events: Stream<ServerEvent> }> {
      const events = stream<ServerEvent>();
      const collector = createServer((request, response) => {
        let body = '';
        request.on('data', (chunk) => (body += String(chunk)));
        request.on('end', () => {
          events.push(JSON.parse(body) as ServerEvent); // What the own server sends.
          // A connection that is kept would keep the program from ending by itself.
          response.setHeader('connection', 'close');
          response.end();
        });
      });
      const { url, close } = await listen(collector);
      cleanups.push(close);
      const words = echoDescription === undefined ? [] : [echoDescription];
      const args = [`${__dirname}/own-server.mjs`, url, mode, ...words];
      return { server: { command: process.execPath, args }, events };
    },
    cleanup(work: () => Promise<unknown>) {
      cleanups.push(work);
    },
  };
}

/** The tool of a name that must be there. */
export function toolOf(mcp: McpTools, name: string): Tool {
  const tool = mcp.tools().find(({ spec }) => spec.name === name);
  if (!tool)
    throw new Error(`no tool ${name}, only: ${namesOf(mcp).join(', ')}; ${mcp.warnings().join('; ')}`);
  return tool;
}

export function namesOf(mcp: McpTools): string[] {
  return mcp.tools().map(({ spec }) => spec.name);
}
