import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A way to a server on loopback that can be cut: then connections are refused. */
export class Unpluggable {
  private readonly sockets = new Set<Socket>();
  private server: Server;
  private port = 0;
  /** Where it leads to; to be set before the first connection. */
  targetPort = 0;

  private constructor() {
    this.server = this.makeServer();
  }

  static async open(): Promise<Unpluggable> {
    const made = new Unpluggable();
    await made.plugIn();
    return made;
  }

  /** Of the API behind it. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/api/v1`;
  }

  /** Cuts all connections; new ones are refused. */
  async unplug(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** Takes connections again, under the same address. */
  async plugIn(): Promise<void> {
    this.server = this.makeServer();
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port; // A TCP server's address is an object.
  }

  private makeServer(): Server {
    return createServer((near) => {
      const far = connect(this.targetPort, '127.0.0.1');
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(socket);
        // A reset of one side is one of the other; both errors are the test's own doing.
        socket.on('error', () => other.resetAndDestroy());
        socket.on('close', () => {
          this.sockets.delete(socket);
          other.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
  }
}
