import { connect, type Socket } from 'node:net';

/** A subscriber's socket: it speaks just enough of WebSocket to cost as little as can be. */
class Subscriber {
  readonly socket: Socket;
  readonly #onMessage: (text: Buffer) => void;
  #rest: Buffer | null = null;
  #isUpgraded = false;

  constructor(url: string, onMessage: (text: Buffer) => void) {
    const { hostname, port } = new URL(url);
    this.#onMessage = onMessage;
    this.socket = connect(Number(port), hostname);
    this.socket.setNoDelay(true);
    this.socket.on('error', () => undefined);
    this.socket.on('data', (bytes) => this.#take(bytes));
    this.socket.write(
      `GET /graphql HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n`,
    );
  }

  send(message: object): void {
    this.#write(0x81, Buffer.from(JSON.stringify(message)));
  }

  /** Masked, as a client must, with a mask that changes nothing. */
  #write(opcode: number, payload: Buffer): void {
    const long = payload.length >= 126;
    const header = Buffer.alloc(long ? 8 : 6);
    header[0] = opcode;
    header[1] = 0x80 | (long ? 126 : payload.length);
    if (long) header.writeUInt16BE(payload.length, 2);
    this.socket.write(Buffer.concat([header, payload]));
  }

  #take(bytes: Buffer): void {
    let data = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#rest = null;
    if (!this.#isUpgraded) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = data;
        return;
      }
      this.#isUpgraded = true;
      data = data.subarray(end + 4);
    }
    let at = 0;
    while (data.length - at >= 2) {
      const short = (data[at + 1] as number) & 0x7f;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (data.length - at < header) break;
      const length =
        short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : data.readUIntBE(at + 4, 6);
      if (data.length - at < header + length) break;
      const payload = data.subarray(at + header, at + header + length);
      const opcode = (data[at] as number) & 0x0f;
      if (opcode === 1) this.#onMessage(payload);
      else if (opcode === 9) this.#write(0x8a, payload);
      at += header + length;
    }
    if (at < data.length) this.#rest = data.subarray(at);
  }
}

export interface SubscribersOptions {
  readonly url: string;
  readonly count: number;
  readonly token: string;
  /** The operations that each has, on its one connection. */
  readonly queries: readonly string[];
  readonly variables: object;
  /** Whether the server gives a first push by itself. */
  readonly greeted: boolean;
}

/** Connections are opened so many at a time. */
const AT_ONCE = 100;

/** Many subscribers in this process, and how much has been pushed to them. */
export class Subscribers {
  readonly #subscribers: Subscriber[] = [];
  readonly #options: SubscribersOptions;
  #serial = 0;
  /** Pushes so far. */
  pushes = 0;
  /** Called for each push, with its text, when set. */
  onPush: ((text: Buffer, subscriber: number) => void) | null = null;
  #awaited: { readonly pushes: number; readonly resolve: () => void } | null = null;

  private constructor(options: SubscribersOptions) {
    this.#options = options;
  }

  static async open(options: SubscribersOptions): Promise<Subscribers> {
    const all = new Subscribers(options);
    const { count, queries, greeted } = options;
    for (let first = 0; first < count; first += AT_ONCE) {
      const next = Math.min(AT_ONCE, count - first);
      await Promise.all(Array.from({ length: next }, (_, i) => all.#connect(first + i)));
      if (greeted) await all.reached((first + next) * queries.length);
    }
    all.pushes = 0;
    return all;
  }

  #connect(index: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let isAcknowledged = false;
      const { url, token, queries, variables } = this.#options;
      const subscriber = new Subscriber(url, (text) => {
        if (isAcknowledged) return this.#pushed(text, index);
        isAcknowledged = true;
        for (const query of queries) {
          const id = `${String(this.#serial++).padStart(8, '0')}-0000-0000-0000-000000000000`;
          subscriber.send({ id, type: 'subscribe', payload: { query, variables } });
        }
        resolve();
      });
      subscriber.socket.once('close', () => reject(new Error('a connection was closed')));
      subscriber.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
      this.#subscribers[index] = subscriber;
    });
  }

  #pushed(text: Buffer, subscriber: number): void {
    if (this.pushes === 0 && text.includes('"type":"error"')) throw new Error(String(text));
    this.pushes++;
    this.onPush?.(text, subscriber);
    if (this.#awaited !== null && this.pushes >= this.#awaited.pushes) {
      const { resolve } = this.#awaited;
      this.#awaited = null;
      resolve();
    }
  }

  /** Resolves when so much was pushed in all. */
  reached(pushes: number): Promise<void> {
    if (this.pushes >= pushes) return Promise.resolve();
    return new Promise((resolve) => {
      this.#awaited = { pushes, resolve };
    });
  }

  /** Has some read nothing any more. */
  stall(indexes: readonly number[]): void {
    for (const index of indexes) this.#subscribers[index]?.socket.pause();
  }

  /** Cuts one off, and connects another in its place. */
  async replace(index: number): Promise<void> {
    this.#subscribers[index]?.socket.resetAndDestroy();
    await this.#connect(index);
  }

  close(): void {
    for (const { socket } of this.#subscribers) socket.destroy();
  }
}
