import type { ServerResponse } from 'node:http';
import type { Delivery, Line } from './outbox.ts';

/** An answer of server-sent events as what a shared stream is written to. */
export class EventLine implements Line {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  write(deliveries: readonly Delivery[]): void {
    for (const { recipient, frame } of deliveries) {
      if (!recipient.isClosed) this.#response.write(frame.event);
    }
  }

  get isFull(): boolean {
    return this.#response.writableNeedDrain;
  }

  get unread(): number {
    return this.#response.writableLength;
  }

  onRoom(callback: () => void): void {
    this.#response.on('drain', callback);
    this.#response.once('close', callback);
  }

  refuse(): void {
    this.#response.destroy();
  }
}
