import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type ClientOptions, WebSocket } from 'ws';

export interface Message {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A bare WebSocket: it says what it is told, right or wrong, and keeps what it hears. */
export class RawSocket {
  readonly socket: WebSocket;
  readonly #heard: Message[] = [];
  readonly #closed: Promise<Closed>;
  #wake: () => void = () => undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      this.#heard.push(JSON.parse(String(data)));
      this.#wake();
    });
    this.#closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
  }

  /** Opens a socket. Rejects when the upgrade is refused. */
  static async open(
    url: string,
    { protocol = 'graphql-transport-ws', ...options }: ClientOptions & { readonly protocol?: string } = {},
  ): Promise<RawSocket> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, protocol, options);
    const raw = new RawSocket(socket);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return raw;
  }

  /** Opens a socket and has it acknowledged. */
  static async connect(url: string, token: string): Promise<RawSocket> {
    const raw = await RawSocket.open(url);
    raw.say({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
    await raw.hear('connection_ack');
    return raw;
  }

  say(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Says all at once, so that it arrives together. */
  sayTogether(messages: readonly object[]): void {
    const { _socket } = this.socket as unknown as { _socket: Socket };
    _socket.cork();
    for (const message of messages) this.say(message);
    _socket.uncork();
  }

  subscribe(id: string, query: string, variables: object = {}): void {
    this.say({ type: 'subscribe', id, payload: { query, variables } });
  }

  /** The next message, which must be of a type; rejects if the socket closes instead. */
  async hear(type: string): Promise<Message> {
    const message = await this.hearAny(type);
    if (message.type !== type) throw new Error(`heard ${JSON.stringify(message)} instead of '${type}'`);
    return message;
  }

  /**
   * The next message, whatever it is; rejects if the socket closes instead.
   * @param expected for the error
   */
  async hearAny(expected = 'anything'): Promise<Message> {
    while (this.#heard.length === 0) {
      const woken = new Promise<null>((resolve) => {
        this.#wake = () => resolve(null);
      });
      const closed = await Promise.race([woken, this.#closed]);
      if (closed && this.#heard.length === 0) {
        throw new Error(`closed with ${closed.code} '${closed.reason}' instead of '${expected}'`);
      }
    }
    return this.#heard.shift() as Message;
  }

  /** What has been heard and not asked for yet. */
  get unheard(): readonly Message[] {
    return this.#heard;
  }

  /** How it ends. */
  get closed(): Promise<Closed> {
    return this.#closed;
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    this.socket.terminate();
    await once(this.socket, 'close');
  }
}
