import { createHash } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Database } from 'lmdb';
import { decodeCommit, decodeValue, encodeCommit, encodeValue } from './codec.ts';
import { failureOf } from './failures.ts';
import { GroupCommit } from './group.ts';
import { commitKey, documentIn, documentKey, documentKeys, journalOf, SEQ_END, seqOf } from './keys.ts';
import {
  BYTES,
  checkHeader,
  checkLength,
  checkSpace,
  DATA_FILE,
  isPurgeDue,
  type LmdbEnvironment,
  LOCK_FILE,
  makeFolder,
  markFormat,
  markPurge,
  mustBeEmpty,
  mustBeWhole,
  mustExist,
  openEnvironment,
  openToRead,
  syncFile,
  UNFINISHED_FILE,
} from './lmdbFiles.ts';
import { writeAnew } from './lmdbPurge.ts';
import { FolderLock } from './lock.ts';
import {
  type ChunkId,
  type Commit,
  MAX_VALUE_BYTES,
  type Purge,
  SeqTakenError,
  type Store,
  type StoredChunk,
  type StoredValue,
  type StoreError,
  StoreUnavailableError,
  ValueTooLargeError,
} from './port.ts';

/**
 * Opens the store in a folder, which is made if it is missing.
 * @throws {StoreLockedError} a running process has it open
 * @throws {StoreTooNewError} a newer version of Concord wrote it
 * @throws {StoreUnavailableError} the folder cannot be used; the message says what to do
 * @throws {StoreFullError} no space is left to make the store
 * @throws {StoreError} the store is damaged
 */
export async function openLmdbStore(folder: string): Promise<Store> {
  const path = resolve(folder);
  try {
    makeFolder(path);
    mustBeWhole(path);
    const lock = new FolderLock(join(path, LOCK_FILE), path);
    // Before LMDB is touched, which would have this process wait for itself if it is committing there.
    lock.check();
    checkHeader(path);
    let env = openEnvironment(path);
    try {
      checkLength(env, path);
      // LMDB lets one process at a time into a write transaction, which is what taking the lock asks for.
      env.transactionSync(() => {
        lock.take();
        markFormat(env, path);
      });
      if (isPurgeDue(env)) env = await writeAnew(env, path);
      // A store that was just made is a file that the folder lists.
      syncFile(path);
      return new LmdbStore(env, path, lock);
    } catch (error) {
      await env.close();
      lock.release();
      throw error;
    }
  } catch (error) {
    throw failureOf(error, path);
  }
}

/**
 * Opens the store that this process has open already, from another of its threads: LMDB shares it between them. The
 * folder must stay open elsewhere for as long as this one is used.
 * @throws {StoreError} as {@link openLmdbStore}
 */
export async function joinLmdbStore(folder: string): Promise<Store> {
  const path = resolve(folder);
  try {
    mustExist(path);
    return new LmdbStore(openEnvironment(path), path, null);
  } catch (error) {
    throw failureOf(error, path);
  }
}

/**
 * Opens the store in a folder to read it, be it open in another process or not: LMDB gives each reader the state of a
 * moment, and writers do not wait for it. Every write is refused.
 * @throws {StoreError} as {@link openLmdbStore}; {@link StoreUnavailableError} too if there is no store
 */
export async function readLmdbStore(folder: string): Promise<Store> {
  const path = resolve(folder);
  try {
    const env = await openToRead(path);
    try {
      return new LmdbStore(env, path, null, true);
    } catch (error) {
      await env.close();
      throw error;
    }
  } catch (error) {
    throw failureOf(error, path);
  }
}

/**
 * Copies the store in a folder, as it is at one moment, into a folder that it makes; the store may be open and written
 * to meanwhile. The copy is a store like any other, without the space that lay idle, and on disk when it resolves.
 * @throws {StoreError} the copy cannot be made, or there is something in its place already
 */
export async function backUpLmdbStore(folder: string, target: string): Promise<void> {
  const path = resolve(folder);
  const copy = resolve(target);
  let env: LmdbEnvironment | undefined;
  try {
    env = await openToRead(path);
    makeFolder(copy);
    mustBeEmpty(copy);
    await copyTo(env, copy);
  } catch (error) {
    throw failureOf(error, env === undefined ? path : copy);
  } finally {
    await env?.close();
  }
}

async function copyTo(env: LmdbEnvironment, folder: string): Promise<void> {
  // Under another name until it is whole: a copy that was cut short is never taken for a store.
  const unfinished = join(folder, UNFINISHED_FILE);
  try {
    await env.backup(unfinished, true);
    syncFile(unfinished);
    renameSync(unfinished, join(folder, DATA_FILE));
    syncFile(folder);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

class LmdbStore implements Store {
  readonly #env: LmdbEnvironment;
  readonly #commits: Database<Uint8Array, Buffer>;
  readonly #chunks: Database<Uint8Array, Buffer>;
  /** When each chunk was last put or renewed. */
  readonly #chunkTimes: Database<Uint8Array, Buffer>;
  readonly #documents: Database<Uint8Array, Buffer>;
  readonly #folder: string;
  readonly #lock: FolderLock | null;
  readonly #isReadOnly: boolean;
  readonly #group = new GroupCommit((run) => this.#transact(run));
  /** Why no more writes are taken. */
  #broken: StoreError | undefined;
  #closing: Promise<void> | undefined;

  /** @param lock held for as long as the store is open; null: somebody else holds it, or nobody need to */
  constructor(env: LmdbEnvironment, folder: string, lock: FolderLock | null, isReadOnly = false) {
    this.#env = env;
    this.#commits = env.openDB({ ...BYTES, name: 'commits' });
    this.#chunks = env.openDB({ ...BYTES, name: 'chunks' });
    this.#chunkTimes = env.openDB({ ...BYTES, name: 'chunkTimes' });
    this.#documents = env.openDB({ ...BYTES, name: 'documents' });
    this.#folder = folder;
    this.#lock = lock;
    this.#isReadOnly = isReadOnly;
  }

  async append(journal: string, commit: Commit): Promise<void> {
    const { seq, id } = commit;
    if (!Number.isInteger(seq) || seq < 1 || seq >= SEQ_END) throw new SeqTakenError(journal, seq);
    const key = commitKey(journal, seq);
    const previous = commitKey(journal, seq - 1);
    const value = encodeCommit(commit);
    await this.#write('commit', value.length, () => {
      const standing = this.#commits.getBinary(key);
      if (standing !== undefined) {
        return decodeCommit(journal, seq, standing).id === id ? undefined : new SeqTakenError(journal, seq);
      }
      if (seq > 1 && !this.#commits.doesExist(previous)) return new SeqTakenError(journal, seq);
      this.#commits.putSync(key, value);
      return undefined;
    });
  }

  // One look-up a commit, not a cursor: a cursor would keep an old state of the store alive for as long as
  // the reader takes.
  async *read(journal: string, after: number): AsyncGenerator<Commit, void, void> {
    for (let seq = after + 1; ; seq++) {
      const key = commitKey(journal, seq);
      const value = this.#look(() => this.#commits.getBinary(key));
      if (value === undefined) return;
      yield decodeCommit(journal, seq, value);
    }
  }

  async head(journal: string): Promise<number> {
    const [start, end] = [commitKey(journal, SEQ_END), commitKey(journal, 0)];
    const key = this.#look(() => first(this.#commits.getKeys({ start, end, reverse: true, limit: 1 })));
    return key === undefined ? 0 : seqOf(key);
  }

  async journals(): Promise<string[]> {
    const names: string[] = [];
    for (let start: Buffer = Buffer.of(0); ; ) {
      const key = this.#look(() => first(this.#commits.getKeys({ start, limit: 1 })));
      if (key === undefined) return names.sort();
      const name = journalOf(key);
      names.push(name);
      start = commitKey(name, SEQ_END);
    }
  }

  async putChunk(bytes: Uint8Array, now: number): Promise<ChunkId> {
    const digest = createHash('sha256').update(bytes).digest();
    await this.#write('chunk', bytes.length, () => {
      if (!this.#chunks.doesExist(digest)) this.#chunks.putSync(digest, bytes);
      this.#renew(digest, now);
      return undefined;
    });
    return digest.toString('hex');
  }

  async renewChunks(ids: readonly ChunkId[], now: number): Promise<ChunkId[]> {
    const missing: ChunkId[] = [];
    await this.#write('chunk', 0, () => {
      for (const id of ids) {
        const digest = digestOf(id);
        if (digest !== undefined && this.#chunks.doesExist(digest)) this.#renew(digest, now);
        else missing.push(id);
      }
      return undefined;
    });
    return missing;
  }

  // One look-up a chunk, as for commits.
  async *chunks(): AsyncGenerator<StoredChunk, void, void> {
    for (let after: Buffer | undefined; ; ) {
      const start = after === undefined ? Buffer.alloc(DIGEST_BYTES) : following(after);
      const digest = this.#look(() => first(this.#chunks.getKeys({ start, limit: 1 })));
      if (digest === undefined) return;
      const putAt = this.#look(() => this.#putAt(digest));
      yield { id: digest.toString('hex'), putAt };
      after = digest;
    }
  }

  async deleteChunks(ids: readonly ChunkId[], before: number): Promise<number> {
    let deleted = 0;
    await this.#write('chunk', 0, () => {
      for (const id of ids) {
        const digest = digestOf(id);
        if (digest === undefined || this.#putAt(digest) >= before) continue;
        if (this.#chunks.removeSync(digest)) deleted++;
        this.#chunkTimes.removeSync(digest);
      }
      return undefined;
    });
    // A reader that was killed would keep the space from being used again.
    this.#look(() => this.#env.readerCheck());
    return deleted;
  }

  async getChunk(id: ChunkId): Promise<Uint8Array | undefined> {
    const digest = digestOf(id);
    const bytes = this.#look(() => digest && this.#chunks.getBinary(digest));
    return bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  peekChunk<R>(id: ChunkId, look: (bytes: Uint8Array) => R): R | undefined {
    const digest = digestOf(id);
    // One large buffer, of which the first `length` bytes are the chunk's until the next read.
    const bytes = this.#look(() => digest && this.#chunks.getBinaryFast(digest));
    return bytes && look(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  }

  async putDocument(collection: string, id: string, value: StoredValue): Promise<void> {
    const key = documentKey(collection, id);
    const bytes = encodeValue(value);
    await this.#write('document', bytes.length, () => {
      this.#documents.putSync(key, bytes);
      return undefined;
    });
  }

  async getDocument(collection: string, id: string): Promise<StoredValue | undefined> {
    const key = documentKey(collection, id);
    const bytes = this.#look(() => this.#documents.getBinary(key));
    return bytes && decodeValue(bytes);
  }

  async documents(collection: string): Promise<string[]> {
    const [start, end] = documentKeys(collection);
    return this.#look(() =>
      [...this.#documents.getKeys({ start, end })].map((key) => documentIn(collection, key)),
    );
  }

  async deleteDocument(collection: string, id: string): Promise<void> {
    const key = documentKey(collection, id);
    await this.#write('document', 0, () => {
      this.#documents.removeSync(key);
      return undefined;
    });
  }

  readonly purge: Purge = {
    mark: () =>
      this.#write('mark', 0, () => {
        markPurge(this.#env);
        return undefined;
      }),
    isDue: () => this.#look(() => isPurgeDue(this.#env)),
  };

  close(): Promise<void> {
    this.#closing ??= this.#letGo();
    return this.#closing;
  }

  async #letGo(): Promise<void> {
    await this.#group.settled();
    await this.#env.close();
    this.#lock?.release();
  }

  #putAt(digest: Buffer): number {
    return this.#chunkTimes.getBinary(digest)?.readDoubleBE() ?? 0;
  }

  #renew(digest: Buffer, now: number): void {
    const time = Buffer.alloc(8);
    time.writeDoubleBE(Math.max(now, this.#putAt(digest)));
    this.#chunkTimes.putSync(digest, time);
  }

  #checkOpen(): void {
    if (this.#closing) throw new StoreUnavailableError(`the store in ${this.#folder} is closed`);
  }

  #look<T>(look: () => T): T {
    this.#checkOpen();
    try {
      return look();
    } catch (error) {
      throw failureOf(error, this.#folder);
    }
  }

  async #write(what: string, bytes: number, apply: () => Error | undefined): Promise<void> {
    this.#checkOpen();
    if (this.#isReadOnly) throw new StoreUnavailableError(`the store in ${this.#folder} is open to be read`);
    if (bytes > MAX_VALUE_BYTES) {
      throw new ValueTooLargeError(`a ${what} of ${bytes} bytes is over the limit of ${MAX_VALUE_BYTES}`);
    }
    await this.#group.add(bytes, apply);
  }

  async #transact(run: () => void): Promise<void> {
    if (this.#broken) throw this.#broken;
    let fault: unknown;
    try {
      checkSpace(this.#folder);
      await this.#env.transaction(() => {
        try {
          run();
        } catch (error) {
          fault = error;
        }
      });
      if (fault !== undefined) throw fault;
    } catch (error) {
      const failure = failureOf(fault ?? (await causeOf(error)), this.#folder);
      this.#broken = this.#whyBroken(failure);
      throw failure;
    }
  }

  /**
   * A failed transaction leaves the store as it was and is no hindrance to the next, unless it was LMDB's
   * own header that could not be written. Then LMDB refuses every later one, and lmdb-js, given one that
   * runs in the background, would never answer.
   */
  #whyBroken(failure: StoreError): StoreError | undefined {
    try {
      this.#env.transactionSync(() => {});
      return undefined;
    } catch {
      return new StoreUnavailableError(
        `the store in ${this.#folder} takes no more writes after a failure; restart Concord`,
        { cause: failure },
      );
    }
  }
}

const DIGEST_BYTES = 32;

/** The key of a chunk; undefined if no chunk can have this id. */
function digestOf(id: ChunkId): Buffer | undefined {
  const digest = Buffer.from(id, 'hex');
  return digest.length === DIGEST_BYTES && digest.toString('hex') === id ? digest : undefined;
}

/** The smallest key that is greater. */
function following(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)]);
}

function first<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}

/** What made a transaction fail. lmdb-js gives it away only by way of a second promise. */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    return await error.commitError;
  } catch (cause) {
    return cause;
  }
}
