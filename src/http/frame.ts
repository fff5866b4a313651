import type { FormattedExecutionResult } from 'graphql';

/** From so many bytes on, copying a message for each reader costs more than a second piece in each write. */
const LARGE_BYTES = 4096;

/**
 * A push as it goes to its readers, made once for all who get it. Over WebSockets the readers' operation ids come last in
 * the message, so that everything before them is shared: the text, its encoding, and the frame's header. As a
 * server-sent event all of it is.
 *
 * Bytes of a small one are kept as strings with one character a byte ("latin1"): Node writes such a string without a
 * copy in JavaScript, at a third less than a buffer put together for each reader.
 */
export class Frame {
  readonly #payload: string;
  readonly #message: string;
  readonly #cursor: string | null;
  /** With the header of the frame, by the length of what follows: ids are mostly of one length. */
  readonly #begun = new Map<number, string>();
  readonly #begunBytes = new Map<number, Buffer>();
  #event: Buffer | null = null;

  /** @param cursor where a reader goes on behind it; null: at the newest */
  constructor(payload: FormattedExecutionResult, cursor: string | null = null) {
    this.#payload = bytesOf(JSON.stringify(payload));
    this.#message = `{"type":"next","payload":${this.#payload}`;
    this.#cursor = cursor;
  }

  /** Without the reader's part. */
  get size(): number {
    return this.#message.length;
  }

  /** Whether it is better written as {@link parts}. */
  get isLarge(): boolean {
    return this.#message.length >= LARGE_BYTES;
  }

  /** The whole frame for a reader; see {@link tailOf}. */
  endingWith(tail: string): string {
    let begun = this.#begun.get(tail.length);
    if (begun === undefined) {
      begun = headerOf(this.#message.length + tail.length) + this.#message;
      this.#begun.set(tail.length, begun);
    }
    return begun + tail;
  }

  /** The same in two pieces, of which the long one is shared. */
  parts(tail: string): readonly [Buffer, Buffer] {
    let begun = this.#begunBytes.get(tail.length);
    if (begun === undefined) {
      begun = Buffer.from(headerOf(this.#message.length + tail.length) + this.#message, 'latin1');
      this.#begunBytes.set(tail.length, begun);
    }
    return [begun, Buffer.from(tail, 'latin1')];
  }

  /** As a server-sent event of graphql-sse's protocol; a cursor is its id, which browsers bring back. */
  get event(): Buffer {
    const id = this.#cursor === null ? '' : `id: ${this.#cursor}\n`;
    this.#event ??= Buffer.from(`${id}event: next\ndata: ${this.#payload}\n\n`, 'latin1');
    return this.#event;
  }
}

/** What ends a message for the reader whose operation has this id. */
export function tailOf(id: string): string {
  return bytesOf(`,"id":${JSON.stringify(id)}}`);
}

/** A text's UTF-8, one character a byte. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1');
}

const FINAL_TEXT = 0x81;

/** The header of an unfragmented, unmasked text frame (RFC 6455, section 5.2). */
function headerOf(length: number): string {
  if (length < 126) return String.fromCharCode(FINAL_TEXT, length);
  const [marker, digits] = length < 0x1_0000 ? [126, 2] : [127, 8];
  const header = Buffer.alloc(2 + digits);
  header[0] = FINAL_TEXT;
  header[1] = marker;
  header.writeUIntBE(length, header.length - Math.min(digits, 6), Math.min(digits, 6));
  return header.toString('latin1');
}
