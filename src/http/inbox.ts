import { CloseCode, MessageType } from 'graphql-ws';

/** An operation that is being dealt with. */
interface Operation {
  /** Its client has said that it is complete; it is being wound up. */
  isCompleted: boolean;
  /** The message that asks for the next under its id; null: none does. */
  next: string | null;
}

export interface InboxOptions {
  /** Deals with a message: of one that subscribes, until its operation is over. */
  readonly handle: (text: string) => Promise<void>;
  readonly close: (code: number, reason: string) => void;
  /** Told when a client has said that an operation is complete which was not over: it wants nothing more of it. */
  readonly onCompleted: (id: string) => void;
}

/**
 * What a client says, on its way to graphql-ws's core. The protocol lets an id be taken anew as soon as its operation
 * was completed. The core keeps operations by their ids alone: while one that was completed is still being wound up,
 * it would take the next under that id for it, let go of neither, and answer one in the other's name. So the next waits
 * here until the one before is over.
 */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #operations = new Map<string, Operation>();

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** Deals with a message; of one that subscribes, until its operation is over, or while it waits. */
  async receive(text: string): Promise<void> {
    const { type, id } = read(text);
    switch (type) {
      case MessageType.Subscribe:
        return typeof id === 'string' ? this.#subscribe(id, text) : this.#options.handle(text);
      case MessageType.Complete:
        return typeof id === 'string' ? this.#complete(id, text) : this.#options.handle(text);
      // What only a server may say is as wrong as what nobody may.
      case MessageType.ConnectionAck:
      case MessageType.Next:
      case MessageType.Error:
        return this.#options.close(CloseCode.BadRequest, `'${type}' is not for clients to send`);
      default:
        return this.#options.handle(text);
    }
  }

  async #subscribe(id: string, text: string): Promise<void> {
    const before = this.#operations.get(id);
    if (before?.isCompleted) {
      if (before.next === null) before.next = text;
      else this.#options.close(CloseCode.SubscriberAlreadyExists, `Subscriber for ${id} already exists`);
      return;
    }
    // In use, the core says so and closes.
    if (before !== undefined) return this.#options.handle(text);
    for (let next: string | null = text; next !== null; ) {
      const operation: Operation = { isCompleted: false, next: null };
      this.#operations.set(id, operation);
      try {
        await this.#options.handle(next);
      } finally {
        this.#operations.delete(id);
      }
      next = operation.next;
    }
  }

  async #complete(id: string, text: string): Promise<void> {
    const operation = this.#operations.get(id);
    if (operation?.isCompleted) {
      operation.next = null;
      return;
    }
    if (operation !== undefined) {
      operation.isCompleted = true;
      this.#options.onCompleted(id);
    }
    return this.#options.handle(text);
  }
}

/** What a message says of itself; whether it is one at all is for the core to say. */
function read(text: string): { readonly type?: unknown; readonly id?: unknown } {
  try {
    return (JSON.parse(text) as object | null) ?? {};
  } catch {
    return {};
  }
}
