import type { Viewer } from '../service/access.ts';
import { type Frame, tailOf } from './frame.ts';
import type { Group } from './group.ts';
import type { Outbox, Recipient } from './outbox.ts';

/**
 * One subscriber in a group. To graphql-ws it is a stream that gives nothing until it ends: what is pushed goes to
 * the connection's outbox beside it.
 */
export class GroupReader implements Recipient, AsyncIterableIterator<never, undefined> {
  readonly viewer: Viewer;
  readonly tail: string;
  /** Where it is in the source. */
  place: unknown = null;
  /** At which ring of the group there was nothing new for it; below 0: it may have something in store. */
  seenAt = -1;
  readonly #group: Group;
  readonly #outbox: Outbox;
  #begun = false;
  #isClosed = false;
  #error: Error | null = null;
  #settle: (() => void) | null = null;

  constructor(group: Group, outbox: Outbox, viewer: Viewer, id: string) {
    this.#group = group;
    this.#outbox = outbox;
    this.viewer = viewer;
    this.tail = tailOf(id);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends it a frame; it waits for the next once its client has taken that. */
  send(frame: Frame): void {
    if (!this.#isClosed) this.#outbox.send(this, frame);
  }

  sent(): void {
    if (!this.#isClosed) this.#group.wait(this);
  }

  /** Ends the stream with an error. */
  fail(error: Error): void {
    if (this.#isClosed) return;
    this.#error = error;
    this.end();
  }

  /** Ends the stream. */
  end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#group.leave(this);
    this.#settle?.();
  }

  /** Pends until it ends. */
  async next(): Promise<IteratorReturnResult<undefined>> {
    if (!this.#begun && !this.#isClosed) {
      this.#begun = true;
      this.#group.wait(this);
    }
    if (!this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#settle = resolve;
      });
    }
    const error = this.#error;
    this.#error = null;
    if (error !== null) throw error;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.end();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<never> {
    this.end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
