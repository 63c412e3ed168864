import type { CallToolResult, Tool as AnnouncedTool } from '@modelcontextprotocol/client';
import { AgentError } from '../../core/errors.js';
import type { McpServer } from '../tools/define-config.js';
import { isSessionGone, openReason, plainLine } from './failures.js';
import { guardSecrets, type SecretGuard } from './hide-secrets.js';
import { openConnection, type CallRequest, type Connection } from './open-connection.js';

/** What a {@link ServerLink} works with. */
export interface LinkOptions {
  name: string;
  server: McpServer;
  /** Doubles from failure to failure, up to a minute. */
  retryDelayMs: number;
  /** How often the list of tools is read again unasked: not every server says when it changes. */
  relistEveryMs: number;
  /** The server's tools as now announced. */
  onTools: (tools: AnnouncedTool[]) => void;
  /** A line for the log, without secrets. */
  log: (line: string) => void;
}

/** One call to a tool of the server. */
export interface LinkCall {
  request: CallRequest;
  signal: AbortSignal;
  timeoutMs: number;
  onProgress(text: string): void;
  /** Asked right before the call is sent, when the list of tools is the one of the connection that it goes to. */
  assertUnchanged(): void;
}

const DEFAULT_CONNECT_TIMEOUT_MS = 60_000;
const MAX_RETRY_DELAY_MS = 60_000;
const STDERR_TAIL_CHARS = 4_000;
const SAID_CHARS = 300;

/**
 * Keeps one MCP server at hand: opens it, reads its tools, reads them again when they change, and opens it again when it was lost,
 * in the background after a failure and else when it is next needed.
 */
export class ServerLink {
  readonly guard: SecretGuard;
  /** Why the server is not there; `null` while it is, or may be. Without secrets. */
  failure: string | null = null;
  private live: Connection | undefined;
  /** Also those that are only kept until the calls on them have ended. */
  private readonly connections = new Set<Connection>();
  private readonly calls = new Set<Promise<unknown>>();
  private opening: Promise<Connection> | undefined;
  private reading: Promise<unknown> = Promise.resolve();
  private isRelistWaiting = false;
  private failures = 0;
  private retryTimer: NodeJS.Timeout | undefined;
  private readonly relistTimer: NodeJS.Timeout;
  private readonly closing = new AbortController();

  constructor(private readonly options: LinkOptions) {
    this.guard = guardSecrets(options.server);
    this.relistTimer = setInterval(() => void this.relist(), options.relistEveryMs).unref();
  }

  /** Opens the server for the first time. Never rejects: what is wrong is in {@link failure}, and is tried again. */
  async start(): Promise<void> {
    await this.open().catch(() => undefined);
  }

  /**
   * Sends a call, over a new connection when there is none, or when the server has forgotten the one there was and so did not look
   * at the call. Otherwise a call is sent once.
   * @throws AgentError `TOOL_FAILED` with `details.unsent` when there is no connection to be had; else what the SDK throws
   */
  async call(call: LinkCall): Promise<CallToolResult> {
    const connection = await this.ready(call.signal);
    try {
      return await this.send(connection, call);
    } catch (error) {
      if (call.signal.aborted || !connection.hasSession || !isSessionGone(error)) throw error;
      this.drop(connection);
      return this.send(await this.ready(call.signal), call);
    }
  }

  /** Ends the connection, and with it a program that was started. */
  async close(): Promise<void> {
    this.closing.abort();
    clearTimeout(this.retryTimer);
    clearInterval(this.relistTimer);
    const opening = this.opening?.then(
      (connection) => connection.close(),
      () => undefined,
    );
    await Promise.all([...[...this.connections].map((connection) => connection.close()), opening]);
  }

  private send(connection: Connection, call: LinkCall): Promise<CallToolResult> {
    call.assertUnchanged();
    const answer = connection.callTool(call.request, {
      signal: call.signal,
      timeout: call.timeoutMs,
      onprogress: ({ message, progress, total }) =>
        call.onProgress(message ?? (total === undefined ? String(progress) : `${progress} of ${total}`)),
    });
    this.calls.add(answer);
    const forget = () => this.calls.delete(answer);
    answer.then(forget, forget);
    return answer;
  }

  /** A live connection. After a failure not before the time of the next attempt: a program that cannot start is not started in a row. */
  private async ready(signal: AbortSignal): Promise<Connection> {
    if (this.retryTimer !== undefined) throw this.notThere();
    try {
      return await unlessAborted(this.open(), signal);
    } catch {
      throw this.notThere();
    }
  }

  private notThere(): AgentError {
    const isClosed = this.closing.signal.aborted;
    const reason = this.failure ?? (isClosed ? 'the worker is going away' : 'the call was called off');
    const words = `The MCP server ${this.options.name} is not there: ${reason}. Nothing was sent.`;
    return new AgentError('TOOL_FAILED', words, { retryable: true, details: { unsent: true } });
  }

  private open(): Promise<Connection> {
    if (this.live) return Promise.resolve(this.live);
    this.opening ??= this.openNow().finally(() => {
      this.opening = undefined;
    });
    return this.opening;
  }

  private async openNow(): Promise<Connection> {
    const { server } = this.options;
    const timeoutMs = server.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
    let connection: Connection | undefined;
    let isClosed = false;
    let isListOld = false;
    let stderr = '';
    try {
      this.closing.signal.throwIfAborted();
      connection = await openConnection({
        server,
        timeoutMs,
        signal: this.closing.signal,
        onListChanged: () => {
          isListOld = true;
          void this.relist();
        },
        onStderr: (text) => {
          // Hidden before it is cut: half of a secret would not be found.
          stderr = this.guard.hideAll(stderr + text).slice(-STDERR_TAIL_CHARS);
        },
        onClose: () => {
          isClosed = true;
          if (connection) this.connections.delete(connection);
          if (this.live === connection) this.live = undefined;
        },
      });
      await this.read(connection, timeoutMs);
      this.closing.signal.throwIfAborted();
    } catch (error) {
      await connection?.close();
      this.failed(openReason(error, timeoutMs), stderr);
      throw error;
    }
    if (this.failure !== null) this.options.log(`The MCP server ${this.options.name} is there.`);
    this.failures = 0;
    this.failure = null;
    if (!isClosed) this.live = connection;
    this.connections.add(connection);
    if (isListOld) void this.relist();
    return connection;
  }

  private failed(reason: string, stderr: string): void {
    if (this.closing.signal.aborted) return;
    const { name, retryDelayMs, log } = this.options;
    const words = lastWords(stderr);
    const said = words === '' ? '' : `; it said: ${words}`;
    this.failure = plainLine(reason + said, this.guard.hideAll);
    const delayMs = Math.min(retryDelayMs * 2 ** this.failures, MAX_RETRY_DELAY_MS);
    this.failures += 1;
    this.retryTimer = setTimeout(() => {
      this.retryTimer = undefined;
      void this.start();
    }, delayMs).unref();
    log(`The MCP server ${name} is not there: ${this.failure}. It is tried again in ${delayMs} ms.`);
  }

  /** Reads the list of tools again, where there is a connection. */
  private async relist(): Promise<void> {
    if (this.isRelistWaiting) return;
    this.isRelistWaiting = true;
    await this.reading;
    this.isRelistWaiting = false;
    const connection = this.live;
    if (connection === undefined) return;
    try {
      await this.read(connection, this.options.server.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS);
    } catch (error) {
      if (connection.hasSession && isSessionGone(error)) {
        this.drop(connection);
        return this.start();
      }
      const reason = plainLine(openReason(error, DEFAULT_CONNECT_TIMEOUT_MS), this.guard.hideAll);
      this.options.log(
        `The tools of the MCP server ${this.options.name} could not be read again: ${reason}.`,
      );
    }
  }

  /** One after the other, so that an older list never takes the place of a newer one. */
  private async read(connection: Connection, timeoutMs: number): Promise<void> {
    const read = this.reading.then(() => connection.listTools(timeoutMs));
    this.reading = read.catch(() => undefined);
    this.options.onTools(await read);
  }

  /** Uses a connection no more. Others may still wait for answers on it: to end it would make them lost calls. */
  private drop(connection: Connection): void {
    if (this.live === connection) this.live = undefined;
    void Promise.allSettled(this.calls).then(() => connection.close());
  }
}

/** The end of what a program wrote to stderr. Of a crash the places in the code come last and would leave no room for what went wrong. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => !/^\s+at /.test(line));
  return lines.join('\n').trim().slice(-SAID_CHARS);
}

/** The promise, or a rejection when the signal aborts first. */
async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}
