import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Frame } from './frame.ts';
import { TRY_AGAIN_LATER } from './socket.ts';

/** Connections written to before other work has its turn: about 2 ms. */
const SLICE = 200;
/** What lies in this process for clients that do not read, in bytes, all together. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

/** Who has a frame sent, and can go on when it was. */
export interface Recipient {
  /** The end of its messages; see `tailOf`. */
  readonly tail: string;
  readonly isClosed: boolean;
  /** Its client takes more. */
  sent(): void;
}

/** The connections that have something to be sent: each is written to once for all that came up in one turn. */
export class Deliveries {
  readonly #maxUnreadBytes: number;
  #due: Outbox[] = [];
  #isPlanned = false;
  #unread = 0;

  constructor(maxUnreadBytes = MAX_UNREAD_BYTES) {
    this.#maxUnreadBytes = maxUnreadBytes;
  }

  add(outbox: Outbox): void {
    this.#due.push(outbox);
    this.#plan();
  }

  /**
   * Counts what a client has not read yet.
   * @returns whether there is room for it
   */
  hold(bytes: number): boolean {
    this.#unread += bytes;
    return this.#unread <= this.#maxUnreadBytes;
  }

  letGo(bytes: number): void {
    this.#unread -= bytes;
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(() => this.#write());
  }

  #write(): void {
    this.#isPlanned = false;
    const slice = this.#due.length > SLICE ? this.#due.splice(0, SLICE) : this.#due.splice(0);
    for (const outbox of slice) outbox.write();
    if (this.#due.length > 0) this.#plan();
  }
}

/**
 * What one connection is sent of shared streams. A recipient has one frame on its way at a time, and asks for the
 * next when its client has taken that: a client that does not read holds what the system buffers, and no more.
 */
export class Outbox {
  readonly #socket: WebSocket;
  /** The connection below the WebSocket: a whole frame may be written between those of `ws`, which are whole too. */
  readonly #stream: Duplex;
  readonly #deliveries: Deliveries;
  #due: { readonly recipient: Recipient; readonly frame: Frame }[] = [];
  #waiting: Recipient[] = [];
  /** Bytes counted as unread. */
  #unread = 0;

  constructor(socket: WebSocket, stream: Duplex, deliveries: Deliveries) {
    this.#socket = socket;
    this.#stream = stream;
    this.#deliveries = deliveries;
    stream.on('drain', () => this.#drained());
    stream.once('close', () => this.#drained());
  }

  send(recipient: Recipient, frame: Frame): void {
    this.#due.push({ recipient, frame });
    if (this.#due.length === 1) this.#deliveries.add(this);
  }

  /** Writes what is due, in one piece. */
  write(): void {
    const due = this.#due;
    this.#due = [];
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    let bytes = '';
    for (const { recipient, frame } of due) {
      if (!recipient.isClosed) bytes += frame.endingWith(recipient.tail);
    }
    if (bytes !== '') this.#stream.write(bytes, 'latin1');
    if (this.#stream.writableNeedDrain) {
      for (const { recipient } of due) this.#waiting.push(recipient);
      this.#stalled();
    } else {
      for (const { recipient } of due) recipient.sent();
    }
  }

  #stalled(): void {
    const unread = this.#stream.writableLength;
    const hasRoom = this.#deliveries.hold(unread - this.#unread);
    this.#unread = unread;
    if (!hasRoom) this.#socket.close(TRY_AGAIN_LATER, 'Too slow');
  }

  #drained(): void {
    this.#deliveries.letGo(this.#unread);
    this.#unread = 0;
    for (const recipient of this.#waiting.splice(0)) recipient.sent();
  }
}
