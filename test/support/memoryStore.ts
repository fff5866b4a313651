import { createHash } from 'node:crypto';
import { decodeCommit, decodeValue, encodeCommit, encodeValue } from '../../src/journal/codec.ts';
import {
  type ChunkId,
  type Commit,
  checkName,
  type Lease,
  type LeaseTable,
  MAX_VALUE_BYTES,
  SeqTakenError,
  type Store,
  type StoredChunk,
  type StoredValue,
  StoreUnavailableError,
  ValueTooLargeError,
} from '../../src/journal/port.ts';

/** What outlives a store in memory that is closed. */
export class Disk {
  readonly commits = new Map<string, Uint8Array[]>();
  readonly chunks = new Map<ChunkId, Uint8Array>();
  readonly chunkTimes = new Map<ChunkId, number>();
  readonly documents = new Map<string, Uint8Array>();
  readonly leases = new Map<string, Lease>();
  /** Nobody reaches it. */
  isAway = false;
}

/**
 * What happens to one append, instead of what should: it may wait, throw, or both. The append itself is done by
 * `land`, before or after that, or not at all; where it was not called, returning is a lie.
 */
export type Mishap = (land: () => void, commit: Commit) => void | Promise<void>;

/**
 * A store that keeps the whole contract of the port but for outliving its process, and in which a test can make
 * happen what a real one does not do on demand. It is no stand-in for the real one in any other test.
 */
export class MemoryStore implements Store {
  /** Befall the next appends, one each, in order. */
  readonly mishaps: Mishap[] = [];
  /** Commits as they were appended and have landed, of all journals. */
  readonly landed: Commit[] = [];
  readonly disk: Disk;
  readonly #underWay = new Set<Promise<void>>();
  #isClosed = false;

  constructor(disk = new Disk()) {
    this.disk = disk;
  }

  async append(journal: string, commit: Commit): Promise<void> {
    this.#checkOpen();
    checkName(journal);
    const bytes = measured('commit', encodeCommit(commit));
    const land = () => this.#land(journal, commit, bytes);
    const mishap = this.mishaps.shift();
    if (mishap === undefined) return land();
    const outcome = Promise.resolve(mishap(land, commit));
    const settled = outcome.catch(() => undefined);
    this.#underWay.add(settled);
    try {
      await outcome;
    } finally {
      this.#underWay.delete(settled);
    }
  }

  #land(journal: string, commit: Commit, bytes: Uint8Array): void {
    const { seq, id } = commit;
    const commits = this.disk.commits.get(journal) ?? [];
    const standing = commits[seq - 1];
    if (standing !== undefined && decodeCommit(journal, seq, standing).id === id) return;
    if (seq !== commits.length + 1) throw new SeqTakenError(journal, seq);
    this.disk.commits.set(journal, [...commits, bytes]);
    this.landed.push(commit);
  }

  async *read(journal: string, after: number): AsyncGenerator<Commit, void, void> {
    this.#checkOpen();
    checkName(journal);
    for (let seq = after + 1; ; seq++) {
      this.#checkOpen();
      const bytes = this.disk.commits.get(journal)?.[seq - 1];
      if (bytes === undefined) return;
      yield decodeCommit(journal, seq, bytes.slice());
    }
  }

  async head(journal: string): Promise<number> {
    this.#checkOpen();
    checkName(journal);
    return this.disk.commits.get(journal)?.length ?? 0;
  }

  async journals(): Promise<string[]> {
    this.#checkOpen();
    return [...this.disk.commits.keys()].sort();
  }

  async putChunk(bytes: Uint8Array, now: number): Promise<ChunkId> {
    this.#checkOpen();
    const id = createHash('sha256').update(measured('chunk', bytes)).digest('hex');
    if (!this.disk.chunks.has(id)) this.disk.chunks.set(id, bytes.slice());
    this.#renew(id, now);
    return id;
  }

  async renewChunks(ids: readonly ChunkId[], now: number): Promise<ChunkId[]> {
    this.#checkOpen();
    const [standing, missing] = [[], []] as [ChunkId[], ChunkId[]];
    for (const id of ids) (this.disk.chunks.has(id) ? standing : missing).push(id);
    for (const id of standing) this.#renew(id, now);
    return missing;
  }

  async *chunks(): AsyncGenerator<StoredChunk, void, void> {
    this.#checkOpen();
    for (const id of [...this.disk.chunks.keys()].sort()) {
      this.#checkOpen();
      yield { id, putAt: this.#putAt(id) };
    }
  }

  async deleteChunks(ids: readonly ChunkId[], before: number): Promise<number> {
    this.#checkOpen();
    const old = ids.filter((id) => this.#putAt(id) < before);
    for (const id of old) this.disk.chunkTimes.delete(id);
    return old.filter((id) => this.disk.chunks.delete(id)).length;
  }

  #putAt(id: ChunkId): number {
    return this.disk.chunkTimes.get(id) ?? 0;
  }

  #renew(id: ChunkId, now: number): void {
    this.disk.chunkTimes.set(id, Math.max(now, this.#putAt(id)));
  }

  async getChunk(id: ChunkId): Promise<Uint8Array | undefined> {
    this.#checkOpen();
    return this.disk.chunks.get(id);
  }

  /** All bytes that it holds, of commits, chunks and documents. */
  everything(): Uint8Array[] {
    const { commits, chunks, documents } = this.disk;
    return [...[...commits.values()].flat(), ...chunks.values(), ...documents.values()];
  }

  /** Changes a chunk behind the store's back, as a damaged disk does. */
  damageChunk(id: ChunkId): void {
    const bytes = this.disk.chunks.get(id)?.slice() ?? new Uint8Array();
    bytes.fill((bytes[0] ?? 0) ^ 1, 0, 1);
    this.disk.chunks.set(id, bytes);
  }

  /** Loses a chunk, as a damaged disk does. */
  loseChunk(id: ChunkId): void {
    this.disk.chunks.delete(id);
  }

  async putDocument(collection: string, id: string, value: StoredValue): Promise<void> {
    this.#checkOpen();
    this.disk.documents.set(documentKey(collection, id), measured('document', encodeValue(value)));
  }

  async getDocument(collection: string, id: string): Promise<StoredValue | undefined> {
    this.#checkOpen();
    const bytes = this.disk.documents.get(documentKey(collection, id));
    return bytes && decodeValue(bytes.slice());
  }

  async documents(collection: string): Promise<string[]> {
    this.#checkOpen();
    checkName(collection);
    const start = `${collection}\0`;
    return [...this.disk.documents.keys()]
      .filter((key) => key.startsWith(start))
      .map((key) => key.slice(start.length));
  }

  async deleteDocument(collection: string, id: string): Promise<void> {
    this.#checkOpen();
    this.disk.documents.delete(documentKey(collection, id));
  }

  /** As if others had the same disk: a service of several nodes can be tried over it. */
  readonly leases: LeaseTable = {
    get: async (kind, name) => this.#leases().get(documentKey(kind, name)),
    all: async (kind) =>
      [...this.#leases()].filter(([key]) => key.startsWith(`${kind}\0`)).map(([, lease]) => lease),
    swap: async (kind, name, turn, { node, address }) => {
      const key = documentKey(kind, name);
      if ((this.#leases().get(key)?.turn ?? 0) !== turn) return false;
      this.#leases().set(key, { name, node, address, turn: turn + 1 });
      return true;
    },
    remove: async (kind, name, turn) => {
      const key = documentKey(kind, name);
      if (this.#leases().get(key)?.turn === turn) this.#leases().delete(key);
    },
  };

  #leases(): Map<string, Lease> {
    this.#checkOpen();
    return this.disk.leases;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#underWay);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new StoreUnavailableError('the store is closed');
    if (this.disk.isAway) throw new StoreUnavailableError('the store is away');
  }
}

function documentKey(collection: string, id: string): string {
  checkName(collection);
  checkName(id);
  return `${collection}\0${id}`;
}

function measured(what: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_VALUE_BYTES) {
    throw new ValueTooLargeError(
      `a ${what} of ${bytes.length} bytes is over the limit of ${MAX_VALUE_BYTES}`,
    );
  }
  // The codec reuses its buffers.
  return bytes.slice();
}
