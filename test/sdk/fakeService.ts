import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/** A subscription as a client has asked for it. */
export interface Subscribed {
  readonly query: string;
  readonly operationName: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Pushes the value of a root field. */
  push(field: string, value: unknown): void;
  errors(...errors: readonly object[]): void;
  complete(): void;
  /** Closes the socket below it; without a code, as a cable that is cut. */
  close(code?: number, reason?: string): void;
  /** Resolves when the client has left the subscription. */
  readonly left: Promise<void>;
}

/** The far side of graphql-transport-ws in a test's hands: it says nothing but what the test says. */
export class FakeService {
  readonly #server: WebSocketServer;
  readonly #waiting: ((subscribed: Subscribed) => void)[] = [];
  readonly #subscribed: Subscribed[] = [];
  /** The authorizations that connections were begun with, in order. */
  readonly authorizations: unknown[] = [];
  /** Says which close code an authorization gets; undefined: it is taken. */
  admit: (authorization: unknown) => number | undefined = () => undefined;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(): Promise<FakeService> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await new Promise((resolve) => server.once('listening', resolve));
    return new FakeService(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/graphql`;
  }

  get connections(): number {
    return this.#server.clients.size;
  }

  /** The next subscription that a client begins, or has begun already. */
  next(): Promise<Subscribed> {
    const ready = this.#subscribed.shift();
    if (ready) return Promise.resolve(ready);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  async stop(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: WebSocket): void {
    const leaving = new Map<string, () => void>();
    const send = (message: object) => socket.send(JSON.stringify(message));
    socket.on('close', () => {
      for (const leave of leaving.values()) leave();
    });
    socket.on('message', (text) => {
      const { type, id, payload } = JSON.parse(String(text));
      if (type === 'connection_init') {
        this.authorizations.push(payload?.authorization);
        const code = this.admit(payload?.authorization);
        if (code === undefined) send({ type: 'connection_ack' });
        else socket.close(code, 'no');
      } else if (type === 'ping') send({ type: 'pong' });
      else if (type === 'complete') leaving.get(id)?.();
      else if (type === 'subscribe') {
        const left = new Promise<void>((resolve) => leaving.set(id, resolve));
        const subscribed: Subscribed = {
          ...payload,
          left,
          push: (field, value) => send({ type: 'next', id, payload: { data: { [field]: value } } }),
          errors: (...errors) => send({ type: 'error', id, payload: errors }),
          complete: () => send({ type: 'complete', id }),
          close: (code, reason) => (code === undefined ? socket.terminate() : socket.close(code, reason)),
        };
        const waiting = this.#waiting.shift();
        if (waiting) waiting(subscribed);
        else this.#subscribed.push(subscribed);
      }
    });
  }
}
