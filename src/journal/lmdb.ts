import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readSync, statfsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { decodeCommit, decodeValue, encodeCommit, encodeValue } from './codec.ts';
import { damaged, failureOf, noSpace } from './failures.ts';
import { GroupCommit, MAX_GROUP_BYTES } from './group.ts';
import { commitKey, documentKey, journalOf, SEQ_END, seqOf } from './keys.ts';
import { FolderLock } from './lock.ts';
import {
  type ChunkId,
  type Commit,
  MAX_VALUE_BYTES,
  SeqTakenError,
  type Store,
  type StoredValue,
  type StoreError,
  StoreTooNewError,
  StoreUnavailableError,
  ValueTooLargeError,
} from './port.ts';

/** The version of what is written here. Raise it when an older Concord would misread that. */
const FORMAT = 1;
const FORMAT_KEY = Buffer.from('format');

const DATA_FILE = 'concord.mdb';
const LOCK_FILE = 'concord.pid';

/** Keys and values are bytes: what they mean is decided here, not by a library's defaults. */
const BYTES = { encoding: 'binary', keyEncoding: 'binary' } as const;

/**
 * A write is refused when less than this is free. LMDB should not be the one to find the disk full: it
 * reports half a write as an input error, and lmdb-js formats its message into a buffer that is too small.
 * The largest group, twice over, leaves room for the pages that change along with it.
 */
const SPARE_BYTES = 2 * (MAX_GROUP_BYTES + MAX_VALUE_BYTES);

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
    const lock = new FolderLock(join(path, LOCK_FILE), path);
    // Before LMDB is touched, which would have this process wait for itself if it is committing there.
    lock.check();
    checkHeader(path);
    const env = open<Uint8Array, Buffer>({
      ...BYTES,
      path: join(path, DATA_FILE),
      noSubdir: true,
      // A commit is not acknowledged, nor seen by a reader, before it is on disk.
      overlappingSync: false,
      // Groups are made here. Those of lmdb-js begin with a promise of their own that nobody can catch, and
      // a failed commit would end the process.
      eventTurnBatching: false,
    });
    try {
      checkLength(env, path);
      // LMDB lets one process at a time into a write transaction, which is what taking the lock asks for.
      env.transactionSync(() => {
        lock.take();
        markFormat(env, path);
      });
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

class LmdbStore implements Store {
  readonly #env: RootDatabase<Uint8Array, Buffer>;
  readonly #commits: Database<Uint8Array, Buffer>;
  readonly #chunks: Database<Uint8Array, Buffer>;
  readonly #documents: Database<Uint8Array, Buffer>;
  readonly #folder: string;
  readonly #lock: FolderLock;
  readonly #group = new GroupCommit((run) => this.#transact(run));
  /** Why no more writes are taken. */
  #broken: StoreError | undefined;
  #closing: Promise<void> | undefined;

  constructor(env: RootDatabase<Uint8Array, Buffer>, folder: string, lock: FolderLock) {
    this.#env = env;
    this.#commits = env.openDB({ ...BYTES, name: 'commits' });
    this.#chunks = env.openDB({ ...BYTES, name: 'chunks' });
    this.#documents = env.openDB({ ...BYTES, name: 'documents' });
    this.#folder = folder;
    this.#lock = lock;
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
        return decodeCommit(seq, standing).id === id ? undefined : new SeqTakenError(journal, seq);
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
      yield decodeCommit(seq, value);
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

  async putChunk(bytes: Uint8Array): Promise<ChunkId> {
    const digest = createHash('sha256').update(bytes).digest();
    const stands = this.#look(() => this.#chunks.doesExist(digest));
    if (!stands) {
      await this.#write('chunk', bytes.length, () => {
        this.#chunks.putSync(digest, bytes);
        return undefined;
      });
    }
    return digest.toString('hex');
  }

  async getChunk(id: ChunkId): Promise<Uint8Array | undefined> {
    const digest = Buffer.from(id, 'hex');
    const isId = digest.length === 32 && digest.toString('hex') === id;
    const bytes = this.#look(() => (isId ? this.#chunks.getBinary(digest) : undefined));
    return bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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

  async deleteDocument(collection: string, id: string): Promise<void> {
    const key = documentKey(collection, id);
    await this.#write('document', 0, () => {
      this.#documents.removeSync(key);
      return undefined;
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#letGo();
    return this.#closing;
  }

  async #letGo(): Promise<void> {
    await this.#group.settled();
    await this.#env.close();
    this.#lock.release();
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

function first<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}

/** Makes a folder and those above it. Node 20's own way to do that never returns below /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    const wasMadeMeanwhile = existsSync(path);
    if (!wasMadeMeanwhile) throw error;
  }
}

/** Refuses a file that is not LMDB's. LMDB does as well, but lmdb-js then crashes the process. */
function checkHeader(folder: string): void {
  const file = join(folder, DATA_FILE);
  if (!existsSync(file)) return;
  const header = new Uint32Array(8);
  const fd = openSync(file, 'r');
  try {
    const length = readSync(fd, header);
    const [magic, version] = header.subarray(6);
    const isNew = length === 0;
    if (!isNew && (magic !== 0xbeefc0de || version !== 2)) {
      throw damaged(folder, `${DATA_FILE} does not begin like a file of LMDB`);
    }
  } finally {
    closeSync(fd);
  }
}

/**
 * Refuses a file that has lost its end, as when a copy was cut short: to read there would crash the process.
 * LMDB may leave the last few pages unwritten, so that a little is allowed to be missing.
 */
function checkLength(env: RootDatabase<Uint8Array, Buffer>, folder: string): void {
  const { lastPageNumber, pageSize } = env.getStats() as { lastPageNumber: number; pageSize: number };
  const missing = (lastPageNumber + 1) * pageSize - statSync(join(folder, DATA_FILE)).size;
  if (missing > 1024 * 1024) throw damaged(folder, `${DATA_FILE} lacks its last ${missing} bytes`);
}

/** Leaves the version of the format in a new store, and checks that of an old one. */
function markFormat(env: RootDatabase<Uint8Array, Buffer>, folder: string): void {
  const mark = env.getBinary(FORMAT_KEY);
  if (mark === undefined) {
    if (env.getKeysCount({ limit: 1 }) > 0) throw damaged(folder, `${DATA_FILE} has no mark of Concord`);
    env.putSync(FORMAT_KEY, Buffer.from(String(FORMAT)));
    return;
  }
  const format = Number(mark);
  if (!Number.isInteger(format)) throw damaged(folder, `${DATA_FILE} has no mark of Concord`);
  if (format > FORMAT) {
    throw new StoreTooNewError(
      `the store in ${folder} has format ${format}, and this version of Concord reads up to ${FORMAT}; use the version that wrote it, or a newer one`,
    );
  }
}

/** @throws {StoreFullError} too little is free for the next group */
function checkSpace(folder: string): void {
  const { blocks, bavail, bsize } = statfsSync(folder);
  const tellsSize = blocks > 0;
  if (tellsSize && bavail * bsize < SPARE_BYTES) throw noSpace(folder);
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
