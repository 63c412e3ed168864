import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from './listen.js';
import { stream } from './stream.js';

/** What becomes of the next `tools/call`: an HTTP status, an answer as JSON, at once or when it is released, or a connection that breaks before or within one. */
export type CallFault = number | 'answer' | 'hold' | 'break' | 'break_stream';

/** An MCP endpoint over plain HTTP that fails as a test wants it. */
export interface FaultyServer {
  url: string;
  /** Names of its tools. */
  tools: string[];
  /** Taken one by one; `answer` when there are none. */
  faults: CallFault[];
  /** Methods that came in, with the number of the session that was the newest then. */
  seen: string[];
  /** Headers of the last request. */
  headers: () => IncomingMessage['headers'];
  /** A call is being held. */
  isHolding: () => Promise<unknown>;
  /** Answers the call that is held. */
  release: () => void;
  close: () => Promise<void>;
}

interface Message {
  id?: number;
  method: string;
}

export async function faultyServer(port = 0): Promise<FaultyServer> {
  const faults: CallFault[] = [];
  const tools = ['pay', 'look'];
  const seen: string[] = [];
  let headers: IncomingMessage['headers'] = {};
  let sessions = 0;
  let release: () => void = () => undefined;
  const held = stream<string>();
  const server = createServer((request, response) => {
    if (request.method !== 'POST') {
      response.writeHead(405).end();
      return;
    }
    headers = request.headers;
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const message = JSON.parse(body) as Message; // What the SDK sends.
      if (message.method === 'initialize') sessions += 1;
      seen.push(`${message.method} ${sessions}`);
      answer(message, response);
    });
  });

  function answer({ id, method }: Message, response: ServerResponse): void {
    const reply = (result: unknown) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    };
    if (id === undefined) response.writeHead(202).end();
    else if (method === 'initialize') {
      response.setHeader('mcp-session-id', `session-${sessions}`);
      reply({
        protocolVersion: '2025-06-18',
        capabilities: { tools: {} },
        serverInfo: { name: 'faulty', version: '1' },
      });
    } else if (method === 'tools/list')
      reply({ tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })) });
    else answerCall(response, reply);
  }

  function answerCall(response: ServerResponse, reply: (result: unknown) => void): void {
    const fault = faults.shift() ?? 'answer';
    if (fault === 'answer') reply({ content: [{ type: 'text', text: `in session ${sessions}` }] });
    else if (fault === 'hold') {
      release = () => reply({ content: [{ type: 'text', text: `in session ${sessions}` }] });
      held.push('call');
    } else if (fault === 'break') response.destroy();
    else if (fault === 'break_stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(': nothing comes\n\n');
    } else response.writeHead(fault).end(`status ${fault} for ${headers['authorization']}`);
  }

  return {
    ...(await listen(server, port)),
    tools,
    faults,
    seen,
    headers: () => headers,
    isHolding: () => held.next(() => true),
    release: () => release(),
  };
}
