import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { verifyWebhook } from '../../../src/adapters/webhook/signature.js';
import type { WebhookBody } from '../../../src/contract/webhook.js';

/** What a webhook got. */
export interface Received {
  /** The header `webhook-id`. */
  id: string;
  /** The signature holds. */
  verified: boolean;
  /** The signature would hold with another secret, or for another body. */
  forgeable: boolean;
  body: WebhookBody;
}

/** Signs the messages of these tests. */
export const WEBHOOK_SECRET = 'whsec_bG9uZ2hhdWwtdGVzdHMtc2VjcmV0LW9mLTMyLWI=';

/** A server behind a `webhookUrl`, on loopback. */
export class WebhookReceiver {
  readonly received: Received[] = [];
  /** Answers so many requests with 503 before it takes one. */
  failures = 0;
  /** When it says with these that it may be asked again, in seconds. */
  retryAfter: number | null = null;
  #wake: () => void = () => undefined;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(): Promise<WebhookReceiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // It listens on a port, not on a path.
    const { port } = server.address() as AddressInfo;
    const receiver = new WebhookReceiver(server, port);
    server.on('request', (request, response) => {
      void text(request).then((body) => {
        const isDown = receiver.failures > 0;
        if (isDown) receiver.failures -= 1;
        else receiver.take(body, request.headers);
        const { retryAfter } = receiver;
        if (isDown && retryAfter !== null) response.setHeader('retry-after', retryAfter);
        response.writeHead(isDown ? 503 : 204).end();
        receiver.#wake();
      });
    });
    return receiver;
  }

  /** With a secret in the path, as such addresses have. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/hooks/HUSH?token=HUSH`;
  }

  /** What a worker needs to call it. */
  get env(): Record<string, string> {
    return { LONGHAUL_WEBHOOK_ALLOW: `127.0.0.1:${this.port}`, LONGHAUL_WEBHOOK_SECRET: WEBHOOK_SECRET };
  }

  /** Waits for the n-th message, from 1. */
  async until(count: number): Promise<Received[]> {
    while (this.received.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.received;
  }

  /** Waits until it has refused as often as it was to. */
  async untilRefused(): Promise<void> {
    while (this.failures > 0) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private take(body: string, headers: NodeJS.Dict<string | string[]>): void {
    const secret = WEBHOOK_SECRET;
    this.received.push({
      id: String(headers['webhook-id']),
      verified: verifyWebhook({ secret, headers, body }),
      forgeable:
        verifyWebhook({ secret, headers, body: `${body} ` }) ||
        verifyWebhook({ secret: 'another secret of a kind', headers, body }),
      // Our own worker wrote it.
      body: JSON.parse(body) as WebhookBody,
    });
  }
}
