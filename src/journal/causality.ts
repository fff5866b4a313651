import type { ClientSession, MongoClient, Timestamp } from 'mongodb';

/** A use of the server that takes part. Its `options` go with each operation, and `end` must be called. */
export interface Part {
  readonly options: { readonly session?: ClientSession };
  end(): Promise<void>;
}

/**
 * Lets every operation see what those before it have seen or written, also when another server has been elected
 * meanwhile: that one may not yet know that a majority holds the newest commits, and what it reads from the
 * majority would for a moment be older. Each operation tells the server how new a state it must wait for.
 *
 * Operations run at the same time, which one session does not allow: each has its own, and the time is shared.
 */
export class Causality {
  readonly #client: MongoClient;
  readonly #hasSessions: boolean;
  #newest: Timestamp | undefined;

  /** @param hasSessions whether the server knows sessions; without them there is no election to fear */
  constructor(client: MongoClient, hasSessions: boolean) {
    this.#client = client;
    this.#hasSessions = hasSessions;
  }

  begin(): Part {
    if (!this.#hasSessions) return { options: {}, end: async () => {} };
    const session = this.#client.startSession({ causalConsistency: true });
    if (this.#newest !== undefined) session.advanceOperationTime(this.#newest);
    const end = async () => {
      this.#see(session.operationTime);
      await session.endSession();
    };
    return { options: { session }, end };
  }

  async run<T>(operation: (options: Part['options']) => Promise<T>): Promise<T> {
    const part = this.begin();
    try {
      return await operation(part.options);
    } finally {
      await part.end();
    }
  }

  #see(time: Timestamp | undefined): void {
    if (time === undefined || this.#newest?.greaterThanOrEqual(time)) return;
    this.#newest = time;
  }
}
