import { once } from 'node:events';
import {
  connect,
  constants,
  createServer,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** One unary call on its way through the proxy. */
export interface Passage {
  /** `RespondActivityTaskCompleted` and the like. */
  method: string;
  /** The message as it was sent. */
  request: Buffer;
  /** What the server answered; `null` while it has not, or when it refused. */
  answer: Buffer | null;
  /** gRPC status of the answer; `null` while there is none. */
  status: number | null;
}

/**
 * Looks at every call twice: before it goes to the server (`answer` is `null`), and before its answer goes back. It passes once this
 * resolves; an answer for which it gives `empty` goes back as an empty message.
 */
export type Inspector = (passage: Passage, when: 'request' | 'answer') => Promise<'empty' | void>;

const EMPTY_MESSAGE = Buffer.alloc(5);

const EMPTY_ANSWER: Answer = {
  headers: { ':status': 200, 'content-type': 'application/grpc' },
  trailers: { 'grpc-status': '0' },
  body: EMPTY_MESSAGE,
};

/** Answers of any size are held whole, and requests too. */
const WINDOW_BYTES = 64 * 1024 * 1024;

interface Answer {
  headers: OutgoingHttpHeaders;
  trailers: OutgoingHttpHeaders | null;
  body: Buffer;
}

/**
 * Stands between a Temporal server and whoever talks to it, and can hold each single call back on its way there or on its way back. It
 * knows nothing of what the calls mean. What was held when its caller died is dropped, and the server is told that the caller is gone.
 */
export class GrpcProxy {
  /** `host:port`. */
  readonly address: string;
  private readonly callers = new Set<ServerHttp2Session>();
  /** Calls that the server has not answered, and how to give each of them up. */
  private readonly waiting = new Map<() => void, string>();

  private constructor(
    private readonly server: Http2Server,
    private readonly upstream: ClientHttp2Session,
    private readonly inspect: Inspector,
  ) {
    // A server that listens on TCP has an AddressInfo.
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('session', (session) => {
      session.setLocalWindowSize(WINDOW_BYTES);
      this.callers.add(session);
      session.once('close', () => this.callers.delete(session));
      session.on('error', () => undefined);
    });
    server.on('stream', (stream, headers) => void this.pass(stream, headers));
  }

  /** @param target `host:port` of the server */
  static async start(target: string, inspect: Inspector): Promise<GrpcProxy> {
    const settings = { initialWindowSize: WINDOW_BYTES };
    const upstream = connect(`http://${target}`, { settings });
    await once(upstream, 'connect');
    upstream.setLocalWindowSize(WINDOW_BYTES);
    upstream.on('error', () => undefined);
    const server = createServer({ settings });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new GrpcProxy(server, upstream, inspect);
  }

  /** Answers calls that the server has not answered with an empty message; the server hears that nobody waits for it any more. */
  giveUp(fits: (method: string) => boolean): void {
    for (const [leave, method] of this.waiting) if (fits(method)) leave();
  }

  async close(): Promise<void> {
    for (const session of this.callers) session.destroy();
    this.upstream.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async pass(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on('error', () => undefined);
    try {
      const body = await readAll(stream);
      const path = String(headers[constants.HTTP2_HEADER_PATH]);
      const passage: Passage = {
        method: path.slice(path.lastIndexOf('/') + 1),
        request: messageOf(body),
        answer: null,
        status: null,
      };
      await this.inspect(passage, 'request');
      if (stream.destroyed) return;
      const answer = await this.ask(stream, { method: passage.method, headers, body });
      passage.status = statusOf(answer);
      passage.answer = passage.status === 0 ? messageOf(answer.body) : null;
      const made = await this.inspect(passage, 'answer');
      if (!stream.destroyed) send(stream, made === 'empty' ? { ...answer, body: EMPTY_MESSAGE } : answer);
    } catch {
      // As if the line were cut: the caller tries again.
      if (!stream.destroyed) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
  }

  private async ask(
    caller: ServerHttp2Stream,
    { method, headers, body }: { method: string; headers: IncomingHttpHeaders; body: Buffer },
  ): Promise<Answer> {
    const { connection: _, ...sent } = headers;
    const request = this.upstream.request(sent);
    let leave: () => void = () => undefined;
    const left = new Promise<Answer>((resolve) => {
      leave = () => {
        request.close(constants.NGHTTP2_CANCEL);
        resolve(EMPTY_ANSWER);
      };
    });
    caller.once('close', leave);
    this.waiting.set(leave, method);
    try {
      request.end(body);
      return await Promise.race([answerTo(request), left]);
    } finally {
      this.waiting.delete(leave);
      caller.off('close', leave);
    }
  }
}

async function answerTo(request: ClientHttp2Stream): Promise<Answer> {
  let trailers: OutgoingHttpHeaders | null = null;
  request.once('trailers', (given) => (trailers = given));
  const [headers] = await once(request, 'response');
  return { headers, body: await readAll(request), trailers };
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function send(stream: ServerHttp2Stream, { headers, trailers, body }: Answer): void {
  if (trailers === null) {
    stream.respond(headers, { endStream: true });
    return;
  }
  const last = trailers;
  stream.respond(headers, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers(last));
  stream.end(body);
}

function statusOf({ headers, trailers }: Answer): number {
  return Number(trailers?.['grpc-status'] ?? headers['grpc-status'] ?? -1);
}

/** The one message of a unary call: a flag, four bytes of length, the message. */
function messageOf(body: Buffer): Buffer {
  if (body.length < 5) return Buffer.alloc(0);
  const message = body.subarray(5);
  return body[0] === 1 ? gunzipSync(message) : message;
}
