import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export type Script = (response: ServerResponse, request: SeenRequest) => void;

/** A server on the loopback that answers every request by the script last set. */
export class ScriptedServer {
  readonly seen: SeenRequest[] = [];
  script: Script = (response) => response.writeHead(500).end();
  private readonly server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method = '', url: path = '', headers } = incoming;
      const request = { method, path, headers, body: Buffer.concat(chunks).toString() };
      this.seen.push(request);
      this.script(response, request);
    });
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}/api/v1`;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port; // A TCP server's address is an object.
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const ENVELOPE = {
  id: 'gen-1',
  provider: 'Anthropic',
  model: 'test/model',
  object: 'chat.completion.chunk',
  created: 1763157299,
};

export const USAGE = {
  prompt_tokens: 10,
  completion_tokens: 4,
  total_tokens: 14,
  cost: 0.00014,
  is_byok: false,
};

/** One chunk with one choice. */
export function chunk(
  delta: object,
  more: { finish_reason?: string | null; usage?: object | null; [key: string]: unknown } = {},
): object {
  const { finish_reason = null, ...rest } = more;
  return {
    ...ENVELOPE,
    choices: [
      {
        index: 0,
        delta: { role: 'assistant', ...delta },
        finish_reason,
        native_finish_reason: finish_reason,
        logprobs: null,
      },
    ],
    ...rest,
  };
}

export const FINISH = chunk({ content: '' }, { finish_reason: 'stop' });
export const USAGE_CHUNK = chunk({ content: '' }, { usage: USAGE });
export const HELLO = [chunk({ content: 'Hel' }), chunk({ content: 'lo' }), FINISH, USAGE_CHUNK];

/** The text of events as they go over the wire; strings go as they are. */
export function sse(...events: (object | string)[]): string {
  return events
    .map((event) => (typeof event === 'string' ? event : `data: ${JSON.stringify(event)}\n\n`))
    .join('');
}

export const DONE = 'data: [DONE]\n\n';
export const COMMENT = ': OPENROUTER PROCESSING\n\n';

/** A script that streams these events and ends the body. */
export function streams(...events: (object | string)[]): Script {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-generation-id': 'gen-header' });
    response.end(sse(...events));
  };
}

/** A script that streams these events and keeps the connection open. */
export function hangsAfter(...events: (object | string)[]): Script {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(sse(...events));
  };
}

/** A script that answers with one document. */
export function answers(status: number, body: object | string, headers: Record<string, string> = {}): Script {
  return (response) => {
    response.writeHead(status, {
      'content-type': typeof body === 'string' ? 'text/html' : 'application/json',
      ...headers,
    });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}
