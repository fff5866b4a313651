import type { Frame } from './frame.ts';

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

/** A frame on its way to somebody. */
export interface Delivery {
  readonly recipient: Recipient;
  readonly frame: Frame;
}

/** What an outbox writes to: a connection, of whatever protocol. */
export interface Line {
  readonly isOpen: boolean;
  /** Writes frames, in one piece. */
  write(deliveries: readonly Delivery[]): void;
  /** Whether its client has more before it than it should be given. */
  readonly isFull: boolean;
  /** Bytes that lie in this process, for its client does not read them. */
  readonly unread: number;
  /** Has a callback called whenever it is full no more, and at its end. */
  onRoom(callback: () => void): void;
  /** Ends the connection of a client that is too slow, so that it comes back. */
  refuse(): void;
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
  readonly #line: Line;
  readonly #deliveries: Deliveries;
  #due: Delivery[] = [];
  #waiting: Recipient[] = [];
  /** Bytes counted as unread. */
  #unread = 0;

  constructor(line: Line, deliveries: Deliveries) {
    this.#line = line;
    this.#deliveries = deliveries;
    line.onRoom(() => this.#drained());
  }

  send(recipient: Recipient, frame: Frame): void {
    this.#due.push({ recipient, frame });
    if (this.#due.length === 1) this.#deliveries.add(this);
  }

  /** Writes what is due, in one piece. */
  write(): void {
    const due = this.#due;
    this.#due = [];
    if (!this.#line.isOpen) return;
    this.#line.write(due);
    if (this.#line.isFull) {
      for (const { recipient } of due) this.#waiting.push(recipient);
      this.#stalled();
    } else {
      for (const { recipient } of due) recipient.sent();
    }
  }

  #stalled(): void {
    const { unread } = this.#line;
    const hasRoom = this.#deliveries.hold(unread - this.#unread);
    this.#unread = unread;
    // Whose client has read everything does not go for what others hold.
    if (!hasRoom && unread > 0) this.#line.refuse();
  }

  #drained(): void {
    this.#deliveries.letGo(this.#unread);
    this.#unread = 0;
    for (const recipient of this.#waiting.splice(0)) recipient.sent();
  }
}
