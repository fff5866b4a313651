import type { FormattedExecutionResult } from 'graphql';

/**
 * A push as it goes over WebSockets, made once for all who get it. The readers' operation ids come last in the
 * message, so that everything before them is shared: the text, its encoding, and the frame's header.
 *
 * Bytes are kept as strings with one character a byte ("latin1"): Node writes such a string without a copy in
 * JavaScript, at a third less than a buffer put together for each reader.
 */
export class Frame {
  readonly #message: string;
  /** With the header of the frame, by the length of what follows: ids are mostly of one length. */
  readonly #begun = new Map<number, string>();

  constructor(payload: FormattedExecutionResult) {
    this.#message = bytesOf(`{"type":"next","payload":${JSON.stringify(payload)}`);
  }

  /** Without the reader's part. */
  get size(): number {
    return this.#message.length;
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
