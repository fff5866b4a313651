import { connect, createServer, type Server, type Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';

const HEADER_BYTES = 16;
const OP_MSG = 2013;

/** What the tap does with the commands of a name: it loses their answers, or answers in the server's place. */
type Mischief = { readonly kind: 'lose' } | { readonly kind: 'answer'; readonly reply: Document };

/**
 * Stands between the driver and a server of MongoDB's wire protocol: it writes down the commands, loses answers,
 * answers itself, and goes away. All else passes as it is.
 */
export class WireTap {
  /** The commands that the driver has sent, oldest first. */
  readonly commands: Document[] = [];
  readonly #target: URL;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  readonly #mischiefs = new Map<string, Mischief>();
  #isCut = false;

  private constructor(target: URL) {
    this.#target = target;
    this.#listener = createServer((socket) => this.#serve(socket));
  }

  /** @param url a connection string with a single host */
  static async open(url: string): Promise<WireTap> {
    const tap = new WireTap(new URL(url));
    await new Promise<void>((resolve) => tap.#listener.listen(0, '127.0.0.1', resolve));
    return tap;
  }

  /** The connection string that leads through the tap. */
  url(options = ''): string {
    const url = new URL(this.#target);
    const address = this.#listener.address();
    if (address === null || typeof address === 'string') throw new Error('the tap is closed');
    url.host = `127.0.0.1:${address.port}`;
    for (const [name, value] of new URLSearchParams(options)) url.searchParams.set(name, value);
    return url.href;
  }

  /** The commands of some names, oldest first. */
  sent(...names: readonly string[]): Document[] {
    return this.commands.filter((command) => names.some((name) => Object.keys(command)[0] === name));
  }

  /** From now on, commands of a name reach the server, but no answer comes back: the connection breaks. */
  loseAnswers(command: string): void {
    this.#mischiefs.set(command, { kind: 'lose' });
  }

  /** From now on, commands of a name are answered so, and do not reach the server. */
  answer(command: string, reply: Document): void {
    this.#mischiefs.set(command, { kind: 'answer', reply });
  }

  /** Breaks all connections, and takes no new one. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Lets everything pass again. */
  mend(): void {
    this.#isCut = false;
    this.#mischiefs.clear();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#listener.close(resolve));
  }

  #serve(client: Socket): void {
    if (this.#isCut) {
      client.destroy();
      return;
    }
    const server = connect(Number(this.#target.port || 27017), this.#target.hostname);
    const lost = new Set<number>();
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        end();
        this.#sockets.delete(socket);
      });
    }
    inMessages(client, (message) => {
      const command = commandIn(message);
      const mischief = command && this.#mischiefs.get(Object.keys(command)[0] ?? '');
      if (command !== undefined) this.commands.push(command);
      if (mischief?.kind === 'answer') client.write(answerTo(message, mischief.reply));
      else {
        if (mischief?.kind === 'lose') lost.add(message.readInt32LE(4));
        server.write(message);
      }
    });
    inMessages(server, (message) => {
      if (lost.has(message.readInt32LE(8))) end();
      else client.write(message);
    });
  }
}

function inMessages(socket: Socket, take: (message: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (data) => {
    rest = Buffer.concat([rest, data]);
    while (rest.length >= HEADER_BYTES && rest.length >= rest.readInt32LE(0)) {
      const length = rest.readInt32LE(0);
      take(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  });
}

/** The command in a message, with the lists that come beside it put in their places. */
function commandIn(message: Buffer): Document | undefined {
  if (message.readInt32LE(12) !== OP_MSG) return undefined;
  let command: Document = {};
  for (let at = HEADER_BYTES + 4; at < message.length; ) {
    const kind = message[at++];
    const end = at + message.readInt32LE(at);
    if (kind === 0) command = { ...BSON.deserialize(message.subarray(at, end)), ...command };
    else {
      const nameEnd = message.indexOf(0, at + 4);
      const list: Document[] = [];
      for (let item = nameEnd + 1; item < end; item += message.readInt32LE(item)) {
        list.push(BSON.deserialize(message.subarray(item, item + message.readInt32LE(item))));
      }
      command[message.toString('utf8', at + 4, nameEnd)] = list;
    }
    at = end;
  }
  return command;
}

function answerTo(message: Buffer, reply: Document): Buffer {
  const body = BSON.serialize(reply);
  const head = Buffer.alloc(HEADER_BYTES + 5);
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(message.readInt32LE(4), 8);
  head.writeInt32LE(OP_MSG, 12);
  return Buffer.concat([head, body]);
}
