import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Delivery, Line } from './outbox.ts';
import { dropSlow } from './socket.ts';

/** A WebSocket as what shared streams are written to. */
export class SocketLine implements Line {
  readonly #socket: WebSocket;
  /** The connection below the WebSocket: a whole frame may be written between those of `ws`, which are whole too. */
  readonly #stream: Duplex;

  constructor(socket: WebSocket, stream: Duplex) {
    this.#socket = socket;
    this.#stream = stream;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  write(deliveries: readonly Delivery[]): void {
    let bytes = '';
    let isCorked = false;
    for (const { recipient, frame } of deliveries) {
      if (recipient.isClosed) continue;
      if (!frame.isLarge) {
        bytes += frame.endingWith(recipient.tail);
        continue;
      }
      if (!isCorked) this.#stream.cork();
      isCorked = true;
      if (bytes !== '') this.#stream.write(bytes, 'latin1');
      bytes = '';
      for (const part of frame.parts(recipient.tail)) this.#stream.write(part);
    }
    if (bytes !== '') this.#stream.write(bytes, 'latin1');
    if (isCorked) this.#stream.uncork();
  }

  get isFull(): boolean {
    return this.#stream.writableNeedDrain;
  }

  get unread(): number {
    return this.#stream.writableLength;
  }

  onRoom(callback: () => void): void {
    this.#stream.on('drain', callback);
    this.#stream.once('close', callback);
  }

  refuse(): void {
    dropSlow(this.#socket);
  }
}
