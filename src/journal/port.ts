/**
 * The journal port: what Concord asks of a store. One file an adapter implements it (`lmdb.ts`,
 * `mongodb.ts`), and one contract suite (`test/journal/contract.ts`) runs over each.
 *
 * A store holds three kinds of thing:
 * - **journals**: append-only lists of commits, one list a project and one called `directory`;
 * - **chunks**: large immutable values beside the journal, addressed by their content;
 * - **documents**: small mutable values that may be deleted, such as people's names.
 *
 * Journals, collections and documents are called by names that {@link checkName} accepts.
 */

/**
 * A value that a store can keep: JSON, and bytes or numbers in typed arrays. It comes back as it was, -0 and
 * NaN included, in arrays of its own that nothing else writes to; only a key whose value is undefined may
 * come back missing. Whatever could not come back as it was is a `TypeError`: a string or a key with half a
 * surrogate pair, a key `__proto__`, other types.
 */
export type StoredValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | readonly StoredValue[]
  | { readonly [key: string]: StoredValue | undefined };

/** One step of a journal: everything in it happened together, or did not happen. */
export interface Commit {
  /** Place in the journal: 1, 2, 3 … without a gap. */
  readonly seq: number;
  /** Chosen by who appends. A retried append is told from a rival's by it. */
  readonly id: string;
  /** Milliseconds since 1970, never smaller than the previous commit's. */
  readonly time: number;
  /** At least one. */
  readonly events: readonly StoredValue[];
}

/** SHA-256 of a chunk's bytes, in 64 hexadecimal digits. */
export type ChunkId = string;

/** A chunk that a store holds. */
export interface StoredChunk {
  readonly id: ChunkId;
  /** When it was last put or renewed, by the clock of whoever did so. */
  readonly putAt: number;
}

/** The largest commit, chunk or document that a store takes, in bytes; as encoded, where it is encoded. */
export const MAX_VALUE_BYTES = 4 * 1024 * 1024;

/** The longest name, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 256;

/** @throws {TypeError} the name is empty, too long, holds a zero character or half a surrogate pair */
export function checkName(name: string): void {
  if (name.length === 0 || Buffer.byteLength(name) > MAX_NAME_BYTES || /[\0\p{Surrogate}]/u.test(name)) {
    throw new TypeError(
      `a name in a store has 1 to ${MAX_NAME_BYTES} bytes of UTF-8: ${JSON.stringify(name)}`,
    );
  }
}

/** What nodes tell each other of: that one is at work (`node`), or which one decides a journal (`journal`). */
export type LeaseKind = 'node' | 'journal';

/** Who holds something for a time. */
export interface Holder {
  /** The node's id, which it has for as long as its process lives. */
  readonly node: string;
  /** Where the other nodes reach it. */
  readonly address: string;
}

export interface Lease extends Holder {
  readonly name: string;
  /** How often it was written, from 1. */
  readonly turn: number;
}

/**
 * Leases that the nodes over a store see alike. They are advice: they say who should decide, and save the others a
 * lost append. What is safe is so by {@link Store.append} alone. A store has no clock: whether a lease is over is for
 * those who read it to say.
 */
export interface LeaseTable {
  get(kind: LeaseKind, name: string): Promise<Lease | undefined>;

  /** Every lease of a kind, in any order. */
  all(kind: LeaseKind): Promise<Lease[]>;

  /**
   * Writes a lease in one step, if its turn is still `turn`; 0: if there is none. It has the next turn then.
   * @returns whether it was written
   * @throws {StoreUnavailableError} the outcome may be unknown
   */
  swap(kind: LeaseKind, name: string, turn: number, holder: Holder): Promise<boolean>;

  /** Removes a lease in one step, if its turn is still `turn`. */
  remove(kind: LeaseKind, name: string, turn: number): Promise<void>;
}

/** What is deleted may lie in a store's files until something is written over it. */
export interface Purge {
  /** Has the files written anew when the store is opened next, with what is there then and nothing else. */
  mark(): Promise<void>;

  /** Whether that is still to be done; after opening: there was no space for it. */
  isDue(): boolean;
}

export interface Store {
  /**
   * Adds a commit to a journal. Resolves only when the commit is synced to disk (or, in a cluster, held by
   * a majority). Succeeds only if `commit.seq` is the head plus one; appending again a commit that already
   * stands there under the same id is a success.
   * @throws {SeqTakenError} another commit holds that place, or the place is not next
   * @throws {ValueTooLargeError} the commit is larger than {@link MAX_VALUE_BYTES}
   * @throws {StoreFullError} no space is left
   * @throws {StoreUnavailableError} the store cannot be reached or is closed; the outcome may be unknown
   */
  append(journal: string, commit: Commit): Promise<void>;

  /**
   * The commits after `after` in order, as they stood when reading began or later. Reading may go on without
   * giving way to other work; who reads a long journal pauses now and then.
   * @throws {StoreError} a commit cannot be read
   */
  read(journal: string, after: number): AsyncIterable<Commit>;

  /** The `seq` of the newest commit; 0 for a journal that does not exist. */
  head(journal: string): Promise<number>;

  /** The names of all journals, in the order of their code units. */
  journals(): Promise<string[]>;

  /**
   * Stores bytes, synced when it resolves; storing the same bytes again only renews them. The caller must not
   * write to them until then. Throws as {@link append} does.
   * @param now when this is, in milliseconds since 1970: a store has no clock
   */
  putChunk(bytes: Uint8Array, now: number): Promise<ChunkId>;

  /**
   * Makes chunks as young as if they were put now, synced when it resolves: for who is about to name chunks in a
   * commit and has not just put them. One that was renewed at a later time already stays as it is.
   * @returns the ids of which there is no chunk
   */
  renewChunks(ids: readonly ChunkId[], now: number): Promise<ChunkId[]>;

  /**
   * Every chunk, in the order of their ids. What is put, renewed or deleted while this is read may be given as it
   * was or as it is.
   */
  chunks(): AsyncIterable<StoredChunk>;

  /**
   * Deletes those of the chunks that were last put or renewed before a time, synced when it resolves. Each is looked
   * at and deleted in one step: one that somebody puts or renews meanwhile either stays, or is put anew.
   * @returns how many it has deleted
   */
  deleteChunks(ids: readonly ChunkId[], before: number): Promise<number>;

  /** The bytes, or undefined if there is no such chunk. The caller must not write to them. */
  getChunk(id: ChunkId): Promise<Uint8Array | undefined>;

  /**
   * Shows `look` a chunk where it lies, for who wants a few bytes of it often. The bytes are there during the call
   * only: `look` must keep nothing of them but copies. Stores in other processes have none.
   * @returns what `look` returned, or undefined if there is no such chunk
   */
  peekChunk?<R>(id: ChunkId, look: (bytes: Uint8Array) => R): R | undefined;

  /** Writes a document, synced when it resolves. Throws as {@link append} does. */
  putDocument(collection: string, id: string, value: StoredValue): Promise<void>;

  getDocument(collection: string, id: string): Promise<StoredValue | undefined>;

  /** The ids of a collection's documents, in any order. */
  documents(collection: string): Promise<string[]>;

  /** Deletes a document, synced when it resolves; one that does not exist is no error. */
  deleteDocument(collection: string, id: string): Promise<void>;

  /**
   * Calls back when somebody has appended a commit to a journal, another node as well. It is only a hint: it may come
   * late, twice, for what this store appended itself, or not at all, and it begins some time after the call. Who
   * must miss nothing reads the tail, now and then and whenever this calls. The answer ends it. Stores that one
   * process alone can write have none.
   * @param onEnd called once if the hints end by themselves: the server has none, or has lost its place
   */
  watch?(onAppend: (journal: string, seq: number) => void, onEnd?: () => void): () => void;

  /** Stores that one process alone can write have none. */
  readonly leases?: LeaseTable;

  /** How what was deleted goes from the store's own files too. Stores whose server sees to those have none. */
  readonly purge?: Purge;

  /** Waits for what is under way, then lets go of the store. Later calls throw {@link StoreUnavailableError}. */
  close(): Promise<void>;
}

/** What a store may throw. `cause` holds the adapter's own error. */
export class StoreError extends Error {
  override name = 'StoreError';
}

/** The place in the journal is not free: somebody else decided first. Reload, and decide again. */
export class SeqTakenError extends StoreError {
  override name = 'SeqTakenError';
  readonly journal: string;
  readonly seq: number;
  constructor(journal: string, seq: number) {
    super(`commit ${seq} of journal ${journal} is taken or not next`);
    this.journal = journal;
    this.seq = seq;
  }
}

/** No space is left for the write. Nothing of it was kept. */
export class StoreFullError extends StoreError {
  override name = 'StoreFullError';
}

/** The store cannot be reached, cannot be written, or is closed. Whether a write happened is unknown. */
export class StoreUnavailableError extends StoreError {
  override name = 'StoreUnavailableError';
}

/** Another process has this store open. */
export class StoreLockedError extends StoreError {
  override name = 'StoreLockedError';
}

/** The store was written by a newer version of Concord than this one. */
export class StoreTooNewError extends StoreError {
  override name = 'StoreTooNewError';
}

/** A value is over {@link MAX_VALUE_BYTES}. */
export class ValueTooLargeError extends StoreError {
  override name = 'ValueTooLargeError';
}
