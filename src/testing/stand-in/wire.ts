import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { HttpError } from './errors.js';

/** OpenRouter's keep-alive line: it proves an open socket, no progress. */
export const PROCESSING_COMMENT = ': OPENROUTER PROCESSING\n\n';

/** The way back to the client, and whether it is still there. */
export class Outlet {
  readonly #gone = new AbortController();

  constructor(
    readonly response: ServerResponse,
    readonly onStatus: (status: number) => void = () => undefined,
  ) {
    response.once('close', () => this.#gone.abort());
  }

  /** Aborted once the connection is closed, also after a complete answer. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  head(status: number, headers: Record<string, string>): void {
    this.onStatus(status);
    this.response.writeHead(status, headers);
  }

  json(status: number, body: unknown, headers: Record<string, string> = {}): void {
    this.head(status, { 'content-type': 'application/json', ...headers });
    this.response.end(JSON.stringify(body));
  }

  error(error: HttpError): void {
    this.json(error.status, error.body, error.headers);
  }

  /** Writes a piece and waits until there is room for the next. Does nothing once the client is gone. */
  async write(text: string): Promise<void> {
    if (this.gone.aborted || this.response.write(text)) return;
    await quietly(once(this.response, 'drain', { signal: this.gone }));
  }

  async pause(delayMs: number): Promise<void> {
    if (delayMs > 0) await quietly(wait(delayMs, undefined, { signal: this.gone }));
  }

  async end(text = ''): Promise<void> {
    if (this.gone.aborted) return;
    await new Promise<void>((resolve) => {
      this.gone.addEventListener('abort', () => resolve(), { once: true });
      this.response.end(text, resolve);
    });
  }

  /** Resets the connection, after what was written has left. */
  async reset(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (!this.response.headersSent) return resolve();
      this.gone.addEventListener('abort', () => resolve(), { once: true });
      this.response.write(PROCESSING_COMMENT, () => resolve());
    });
    this.response.socket?.resetAndDestroy();
  }

  /** Says nothing more, but for comments in between when asked, until the client hangs up. */
  async holdOpen(commentEveryMs: number | null = null): Promise<void> {
    while (!this.gone.aborted) {
      if (commentEveryMs === null) await quietly(once(this.gone, 'abort'));
      else {
        await this.pause(commentEveryMs);
        await this.write(PROCESSING_COMMENT);
      }
    }
  }
}

/** The whole body of a request as text. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  // No encoding is set on the request, so its pieces are buffers.
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}

/** SHA-256 in hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A wait that ends early because the client went away is no error here: who waits asks `gone`. */
async function quietly(promise: Promise<unknown>): Promise<void> {
  try {
    await promise;
  } catch (error) {
    // By name, because Jest gives tests an Error of their own, which Node's errors are none of.
    if (Object(error).name !== 'AbortError') throw error;
  }
}
