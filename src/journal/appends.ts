import { type Collection, MongoBulkWriteError } from 'mongodb';
import type { Causality } from './causality.ts';
import { takeGroup } from './group.ts';
import { type CommitDocument, commitsAt, DUPLICATE_KEY, placeOf } from './places.ts';
import { SeqTakenError, StoreUnavailableError } from './port.ts';

interface Waiting {
  readonly commit: CommitDocument;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Appends, with no transaction over several documents. What holds, for any number of nodes:
 *
 * - **A place is taken once**: `_id` is unique.
 * - **No gaps**: a commit is sent only when the one before it is known to stand. Commits are never deleted, and
 *   what is known was confirmed or shown by a majority, so it outlives every election; what was true when it
 *   was looked up is therefore still true when the commit arrives, and no lock is needed between the two. Within
 *   a group, an ordered insert gives up at the first failure, so that nothing arrives without what precedes it.
 * - **Acknowledged means kept by a majority**, on disk. So does "it stands already under the same id": that is
 *   asked of a majority as well.
 *
 * Group commit: what waits while a group is under way is the next group, one insert for all journals. The
 * outcome of each append is its own.
 */
export class AppendQueue {
  readonly #commits: Collection<CommitDocument>;
  readonly #causality: Causality;
  readonly #failure: (error: unknown) => unknown;
  /** A place of each journal that a majority holds, and with it all before; the newest that is known. */
  readonly #heads = new Map<string, number>();
  readonly #waiting: Waiting[] = [];
  #working: Promise<void> | undefined;

  /** @param failure what an error of the driver is to those who wait */
  constructor(
    commits: Collection<CommitDocument>,
    causality: Causality,
    failure: (error: unknown) => unknown,
  ) {
    this.#commits = commits;
    this.#causality = causality;
    this.#failure = failure;
  }

  /** Resolves when a majority has the commit on disk. Throws as the port's `append` does. */
  add(commit: CommitDocument, bytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commit, bytes, resolve, reject });
      this.#working ??= this.#work();
    });
  }

  /** Takes note that a majority holds a journal up to a place, which saves asking. */
  learn(journal: string, seq: number): void {
    if (seq > this.#headOf(journal)) this.#heads.set(journal, seq);
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    // Lets everything that arrives in this turn of the event loop share the group.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#settle(takeGroup(this.#waiting));
    this.#working = undefined;
  }

  /** Brings every write of a group to its outcome, or back to those who wait. */
  async #settle(group: readonly Waiting[]): Promise<void> {
    const next: Waiting[] = [];
    const others: Waiting[] = [];
    const planned = new Map<string, number>();
    for (const write of group) {
      const { journal, seq } = write.commit;
      const isNext = seq === (planned.get(journal) ?? this.#headOf(journal)) + 1;
      if (isNext) planned.set(journal, seq);
      (isNext ? next : others).push(write);
    }
    const taken = await this.#insert(next);
    if (taken === undefined) return this.#compare(others, taken);
    // The insert went no further: what came later waits again, in its order.
    const later = group.slice(group.indexOf(taken) + 1);
    this.#waiting.unshift(...later);
    const isLater = new Set(later);
    await this.#compare([...others.filter((write) => !isLater.has(write)), taken], taken);
  }

  /**
   * Inserts writes whose predecessors stand, or are among them.
   * @returns the write whose place was taken, if there is one; those after it were not tried
   */
  async #insert(writes: readonly Waiting[]): Promise<Waiting | undefined> {
    if (writes.length === 0) return undefined;
    const commits = writes.map(({ commit }) => commit);
    try {
      await this.#causality.run((session) =>
        this.#commits.insertMany(commits, { ordered: true, ...session }),
      );
    } catch (error) {
      const failed = failedWrite(error);
      const landed = failed?.index ?? 0;
      for (const write of writes.slice(0, landed)) this.#land(write);
      if (failed?.code === DUPLICATE_KEY) return writes[landed];
      for (const write of writes.slice(landed)) write.reject(this.#failure(error));
      return undefined;
    }
    for (const write of writes) this.#land(write);
    return undefined;
  }

  /**
   * Compares writes with what stands at their places: they are done already, too late, or too early, unless it
   * turns out that they are next.
   * @param taken the one of them for which the server has just said that its place is taken
   */
  async #compare(writes: readonly Waiting[], taken: Waiting | undefined): Promise<void> {
    if (writes.length === 0) return;
    let standing: ReadonlyMap<string, string>;
    try {
      standing = await this.#idsAt(writes.flatMap(({ commit }) => [commit._id, placeBefore(commit)]));
    } catch (error) {
      for (const { reject } of writes) reject(this.#failure(error));
      return;
    }
    const again: Waiting[] = [];
    /** How far each journal goes with those that wait again. */
    const planned = new Map<string, number>();
    for (const write of writes) {
      const { _id, id, journal, seq } = write.commit;
      const standingId = standing.get(_id);
      if (standingId !== undefined) {
        this.learn(journal, seq);
        if (standingId === id) write.resolve();
        else write.reject(new SeqTakenError(journal, seq));
        continue;
      }
      if (write === taken || seq <= this.#headOf(journal)) {
        // What stands there could still be rolled back, or was deleted by hand: it may be this very commit.
        write.reject(
          new StoreUnavailableError(`a majority does not show commit ${seq} of journal ${journal}`),
        );
        continue;
      }
      if (standing.has(placeBefore(write.commit))) this.learn(journal, seq - 1);
      const head = planned.get(journal) ?? this.#headOf(journal);
      if (seq <= head + 1) {
        planned.set(journal, Math.max(seq, head));
        again.push(write);
      } else write.reject(new SeqTakenError(journal, seq));
    }
    this.#waiting.unshift(...again);
  }

  /** The ids of the commits that a majority holds at some places. */
  async #idsAt(places: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { filter, options } = commitsAt(places);
    const found = await this.#causality.run((session) =>
      this.#commits.find(filter, { ...options, ...session }).toArray(),
    );
    return new Map(found.map(({ _id, id }) => [_id, id]));
  }

  #land({ commit, resolve }: Waiting): void {
    this.learn(commit.journal, commit.seq);
    resolve();
  }

  #headOf(journal: string): number {
    return this.#heads.get(journal) ?? 0;
  }
}

function placeBefore({ journal, seq }: CommitDocument): string {
  return placeOf(journal, seq - 1);
}

/** The write at which an ordered insert has stopped. Undefined if nothing is known of any write in it. */
function failedWrite(error: unknown): { readonly index: number; readonly code: number } | undefined {
  if (!(error instanceof MongoBulkWriteError)) return undefined;
  // Those before the failed one were written, but a majority has not confirmed that.
  if (error.result.getWriteConcernError() !== undefined) return undefined;
  return [error.writeErrors].flat()[0];
}
