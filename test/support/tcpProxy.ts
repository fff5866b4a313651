import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Stands between a client and a server: it breaks their connections, holds everything up, or makes it slow. */
export class TcpProxy {
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  readonly #waiting: (() => void)[] = [];
  #isCut = false;
  #isStalled = false;
  #delayMs = 0;

  private constructor(port: number, host: string) {
    this.#listener = createServer((client) => {
      if (this.#isCut) {
        client.destroy();
        return;
      }
      const server = connect(port, host);
      this.#pass(client, server);
      this.#pass(server, client);
    });
  }

  /** @param url of a single server; `port` is where it listens if the URL does not say */
  static async open(url: string, port: number): Promise<TcpProxy> {
    const target = new URL(url);
    const proxy = new TcpProxy(Number(target.port || port), target.hostname);
    proxy.#listener.listen(0, '127.0.0.1');
    await once(proxy.#listener, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /**
   * Takes no new connection, and breaks all there are, one after another: where MongoDB's driver polls its server (it does
   * with those that only imitate MongoDB), and the connection for that ends in the same turn as another, it waits on it for
   * ever (mongodb 7.9.0).
   */
  async cut(): Promise<void> {
    this.#isCut = true;
    for (const socket of [...this.#sockets]) {
      if (socket.destroyed) continue;
      socket.destroy();
      await sleep(20);
    }
  }

  /** Connections stay, and new ones are taken, but nothing comes through: as of a machine that stands still. */
  stall(): void {
    this.#isStalled = true;
  }

  /** What is sent takes so much longer, in each direction. */
  slow(ms: number): void {
    this.#delayMs = ms;
  }

  /** As at the beginning. What was held up comes through. */
  mend(): void {
    this.#isCut = false;
    this.#isStalled = false;
    this.#delayMs = 0;
    for (const go of this.#waiting.splice(0)) go();
  }

  async close(): Promise<void> {
    await this.cut();
    this.#listener.close();
    await once(this.#listener, 'close');
  }

  #pass(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    let before = Promise.resolve();
    from.on('data', (bytes) => {
      const until = performance.now() + this.#delayMs;
      before = before.then(async () => {
        const left = until - performance.now();
        if (left > 0) await sleep(left);
        if (this.#isStalled) await new Promise<void>((resolve) => this.#waiting.push(resolve));
        to.write(bytes);
      });
    });
  }
}
