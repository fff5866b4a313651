/** A write that waits, and how to tell who waits for it. */
interface Waiting {
  readonly bytes: number;
  readonly apply: () => Error | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A group is closed when it holds so much, so that neither memory nor those who wait behind it suffer. */
export const MAX_GROUP_BYTES = 4 * 1024 * 1024;

/** Takes the next group from those that wait: at least one, if there is any. */
export function takeGroup<W extends { readonly bytes: number }>(waiting: W[]): W[] {
  let bytes = 0;
  let count = 0;
  for (const write of waiting) {
    if (bytes >= MAX_GROUP_BYTES) break;
    bytes += write.bytes;
    count++;
  }
  return waiting.splice(0, count);
}

/**
 * Group commit: whoever waits when a transaction begins shares it, and so shares its one sync to disk. The
 * slower the disk, the larger the groups.
 */
export class GroupCommit {
  readonly #transact: (run: () => void) => Promise<void>;
  #waiting: Waiting[] = [];
  #working: Promise<void> | undefined;

  /**
   * @param transact runs what it is given inside one transaction, and resolves when that is on disk; when
   * it rejects, nothing of the transaction is acknowledged
   */
  constructor(transact: (run: () => void) => Promise<void>) {
    this.#transact = transact;
  }

  /**
   * Resolves when the write is on disk.
   * @param apply makes the write. It may refuse to, by returning why before it has written anything: that
   * rejects this write alone
   */
  add(bytes: number, apply: () => Error | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, apply, resolve, reject });
      this.#working ??= this.#work();
    });
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) await this.#commit();
    this.#working = undefined;
  }

  async #commit(): Promise<void> {
    let group: Waiting[] = [];
    let refusals: (Error | undefined)[] = [];
    try {
      await this.#transact(() => {
        group = takeGroup(this.#waiting);
        refusals = group.map((write) => write.apply());
      });
    } catch (error) {
      // A transaction that did not even begin has no group: those who wait would have been it.
      for (const write of group.length > 0 ? group : takeGroup(this.#waiting)) write.reject(error);
      return;
    }
    for (const [i, write] of group.entries()) {
      const refusal = refusals[i];
      if (refusal === undefined) write.resolve();
      else write.reject(refusal);
    }
  }
}
