import {
  Client,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  StreamableHTTPClientTransport,
  type CallToolRequestOptions,
  type CallToolResult,
  type FetchLike,
  type Tool as AnnouncedTool,
  type Transport,
} from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Agent, fetch as undiciFetch, type RequestInit } from 'undici';
import type { McpServer } from '../tools/define-config.js';

/** The error code of an answer that cannot come any more, because the stream that was to bring it ended. */
export const STREAM_LOST = -32_099;

/** What a call hands over. */
export interface CallRequest {
  name: string;
  arguments: Record<string, unknown>;
  _meta: Record<string, unknown>;
}

/** A server that was greeted. */
export interface Connection {
  /** Whether the server gave the connection a name by which it may forget it. */
  readonly hasSession: boolean;
  /** All pages. Empty when the server has no tools at all. */
  listTools(timeoutMs: number): Promise<AnnouncedTool[]>;
  callTool(
    request: CallRequest,
    options: Pick<CallToolRequestOptions, 'signal' | 'timeout' | 'onprogress'>,
  ): Promise<CallToolResult>;
  /** Ends a program that was started, within about 4 s. Never rejects. */
  close(): Promise<void>;
}

/** What {@link openConnection} works with. */
export interface OpenOptions {
  server: McpServer;
  signal: AbortSignal;
  timeoutMs: number;
  /** The server says that its list of tools is another one. */
  onListChanged: () => void;
  /** The connection that was made is gone, by either side. */
  onClose: () => void;
  /** What a program writes to stderr. */
  onStderr: (text: string) => void;
}

// Servers are told a name; which version of us it is does not matter to them.
const CLIENT_INFO = { name: 'longhaul', version: '0' };
const LIST_DEBOUNCE_MS = 50;
const GOODBYE_TIMEOUT_MS = 2_000;
// The most that an answer may have; the SDK has the same limit for programs.
const MAX_RESPONSE_BYTES = 10 * 1024 * 1024;

/**
 * Starts or reaches a server and greets it: by the handshake that all servers know, and by the one without sessions when the server
 * says that it knows only that.
 * @throws whatever the SDK throws; nothing is left running then
 */
export async function openConnection(options: OpenOptions): Promise<Connection> {
  try {
    return await greet(options, 'legacy');
  } catch (error) {
    if (!wantsNewerProtocol(error)) throw error;
    return greet(options, 'auto');
  }
}

async function greet(options: OpenOptions, mode: 'legacy' | 'auto'): Promise<Connection> {
  const { transport, release } = createTransport(options);
  const client = new Client(CLIENT_INFO, {
    versionNegotiation: { mode },
    // Answering a question of the server would send the call a second time.
    inputRequired: { autoFulfill: false },
    listChanged: {
      tools: { autoRefresh: false, debounceMs: LIST_DEBOUNCE_MS, onChanged: () => options.onListChanged() },
    },
  });
  const close = async (): Promise<void> => {
    // A session may be left open without harm; the server forgets it in time.
    if (transport instanceof HttpTransport) await within(GOODBYE_TIMEOUT_MS, transport.terminateSession());
    await client.close().catch(() => undefined);
    await transport.close().catch(() => undefined);
    await release();
  };
  try {
    await client.connect(transport, { timeout: options.timeoutMs, signal: options.signal });
  } catch (error) {
    await close();
    throw error;
  }
  client.onclose = () => options.onClose();
  if (client.transport === undefined) options.onClose();
  return {
    get hasSession() {
      return transport.sessionId !== undefined;
    },
    async listTools(timeout) {
      // Asked all the same, the SDK writes to stdout.
      if (client.getServerCapabilities()?.tools === undefined) return [];
      return (await client.listTools(undefined, { timeout, cacheMode: 'refresh' })).tools;
    },
    callTool: (request, callOptions) => client.callTool(request, callOptions),
    close,
  };
}

function createTransport({ server, onStderr }: OpenOptions): {
  transport: Transport & { close(): Promise<void> };
  release: () => Promise<void>;
} {
  if ('url' in server) {
    // Node's own fetch cuts an answer after 5 silent minutes; how long a call may take is the tool's to say.
    // No pipelining means a connection for each request: of one that was kept and then found closed, nobody knows what it delivered.
    const dispatcher = new Agent({
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: MAX_RESPONSE_BYTES,
      pipelining: 0,
    });
    const transport = new HttpTransport(new URL(server.url), {
      fetch: fetchThrough(dispatcher),
      requestInit: { headers: server.headers ?? {} },
      reconnectionOptions: {
        initialReconnectionDelay: 1_000,
        maxReconnectionDelay: 30_000,
        reconnectionDelayGrowFactor: 1.5,
        maxRetries: 5,
      },
    });
    return { transport, release: () => dispatcher.destroy() };
  }
  const { command, args = [], env = {} } = server;
  const transport = new StdioClientTransport({ command, args, env, stderr: 'pipe' });
  transport.stderr?.on('data', (chunk: Buffer) => onStderr(chunk.toString()));
  return { transport, release: async () => undefined };
}

function fetchThrough(dispatcher: Agent): FetchLike {
  // undici's fetch is the platform's, but its types are not.
  const fetch = (url: string | URL, init: unknown): unknown =>
    undiciFetch(url, { ...(init as RequestInit), dispatcher });
  return fetch as FetchLike;
}

/** The SDK's, except that a request hears of it when the stream with its answer ends early: it would wait until its timeout. */
class HttpTransport extends StreamableHTTPClientTransport {
  override async send(...[message, options]: Parameters<StreamableHTTPClientTransport['send']>) {
    const isRequest = !Array.isArray(message) && 'method' in message && 'id' in message;
    if (!isRequest || options?.onRequestStreamEnd !== undefined) return super.send(message, options);
    const onRequestStreamEnd = () => {
      const error = { code: STREAM_LOST, message: 'the stream with the answer ended' };
      this.onmessage?.({ jsonrpc: '2.0', id: message.id, error });
    };
    return super.send(message, { ...options, onRequestStreamEnd });
  }
}

function wantsNewerProtocol(error: unknown): boolean {
  if (ProtocolError.isInstance(error)) return true;
  return (
    SdkError.isInstance(error) &&
    error.code === SdkErrorCode.ClientHttpNotImplemented &&
    isBadRequest(error.data)
  );
}

function isBadRequest(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'status' in data && data.status === 400;
}

async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work.catch(() => undefined), limit]);
  clearTimeout(timer);
}
