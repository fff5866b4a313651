import { createHash } from 'node:crypto';
import { Binary, BSON, type Collection, type Db, type FindCursor, type MongoClient } from 'mongodb';
import { shownAddress } from './address.ts';
import { AppendQueue } from './appends.ts';
import { fromBson, toBson } from './bson.ts';
import { Causality, type Part } from './causality.ts';
import { encodeCommit, encodeValue } from './codec.ts';
import { clientFor, databaseOf, hasSessions } from './mongoConnection.ts';
import { mongoFailure } from './mongoFailures.ts';
import { checkFormat, damaged, isDuplicate, markFormat } from './mongoFormat.ts';
import { MongoLeases } from './mongoLeases.ts';
import {
  ALL_CHUNKS,
  CHUNKS_INDEX,
  type ChunkDocument,
  COLLECTIONS,
  type CommitDocument,
  commitsAfter,
  documentsIn,
  FIRST_COMMITS,
  idOf,
  JOURNALS_INDEX,
  newestCommit,
  placeOf,
  SEQ_END,
  standingAt,
} from './places.ts';
import {
  type ChunkId,
  type Commit,
  type LeaseTable,
  MAX_VALUE_BYTES,
  SeqTakenError,
  type Store,
  type StoredChunk,
  type StoredValue,
  StoreUnavailableError,
  ValueTooLargeError,
} from './port.ts';
import { Turns } from './turns.ts';
import { makeViews } from './views.ts';

/** What MongoDB takes as one document, in bytes. */
const MAX_BSON_BYTES = 16 * 1024 * 1024;

/** How often a chunk is put that others put and delete at the same time. */
const MAX_TRIES = 5;

/** What a change stream tells of new commits: where they stand, and not what is in them. */
const INSERTIONS = [
  { $match: { operationType: 'insert' } },
  { $project: { operationType: 1, documentKey: 1 } },
];

interface DocumentDocument {
  /** See `idOf`. */
  readonly _id: string;
  readonly collection: string;
  readonly id: string;
  readonly value: unknown;
}

/**
 * Opens the store in the database that a connection string names, `concord` if it names none.
 * @param isToWrite what is missing of it is made; else nothing is, and it must be there
 * @throws {StoreTooNewError} a newer version of Concord wrote it
 * @throws {StoreUnavailableError} the server cannot be reached or used; the message says what to do
 * @throws {StoreError} the database holds something else under the names that Concord uses
 */
export async function openMongoStore(url: string, isToWrite = true): Promise<Store> {
  const shown = shownAddress(url);
  const client = clientFor(url);
  try {
    await client.connect();
    const db = databaseOf(client, url);
    if (isToWrite) await prepare(db, shown);
    else await checkFormat(db, shown);
    return new MongoStore(client, db, shown, await hasSessions(db));
  } catch (error) {
    await client.close();
    throw mongoFailure(error, shown);
  }
}

async function prepare(db: Db, shown: string): Promise<void> {
  await markFormat(db, shown);
  await db.collection(COLLECTIONS.commits).createIndex(JOURNALS_INDEX.key, JOURNALS_INDEX.options);
  await db.collection(COLLECTIONS.chunks).createIndex(CHUNKS_INDEX.key, CHUNKS_INDEX.options);
  await makeViews(db);
}

class MongoStore implements Store {
  readonly #client: MongoClient;
  readonly #commits: Collection<CommitDocument>;
  readonly #chunks: Collection<ChunkDocument>;
  readonly #documents: Collection<DocumentDocument>;
  readonly leases: LeaseTable;
  readonly #shown: string;
  readonly #causality: Causality;
  readonly #appends: AppendQueue;
  readonly #turns = new Turns();
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(client: MongoClient, db: Db, shown: string, hasSessions: boolean) {
    this.#client = client;
    this.#commits = db.collection(COLLECTIONS.commits);
    this.#chunks = db.collection(COLLECTIONS.chunks);
    this.#documents = db.collection(COLLECTIONS.documents);
    this.leases = new MongoLeases(db.collection(COLLECTIONS.leases), (operation) => this.#use(operation));
    this.#shown = shown;
    this.#causality = new Causality(client, hasSessions);
    this.#appends = new AppendQueue(this.#commits, this.#causality, (error) => mongoFailure(error, shown));
  }

  async append(journal: string, commit: Commit): Promise<void> {
    this.#checkOpen();
    const { seq } = commit;
    if (!Number.isInteger(seq) || seq < 1 || seq >= SEQ_END) throw new SeqTakenError(journal, seq);
    const bytes = encodeCommit(commit).length;
    const document = toDocument(journal, commit);
    checkSize('commit', bytes, document);
    await this.#appends.add(document, bytes);
  }

  async *read(journal: string, after: number): AsyncGenerator<Commit, void, void> {
    const { filter, options } = commitsAfter(journal, after);
    const find = (session: Part['options']) => this.#commits.find(filter, { ...options, ...session });
    let seq = after;
    for await (const document of this.#each(find)) {
      seq++;
      if (document.seq !== seq) throw damaged(this.#shown, `commit ${seq} of journal ${journal} is missing`);
      this.#appends.learn(journal, seq);
      yield fromDocument(document);
    }
  }

  async head(journal: string): Promise<number> {
    const { filter, options } = newestCommit(journal);
    const newest = await this.#use((session) => this.#commits.findOne(filter, { ...options, ...session }));
    return newest?.seq ?? 0;
  }

  async journals(): Promise<string[]> {
    const { filter, options } = FIRST_COMMITS;
    const firsts = await this.#use((session) =>
      this.#commits.find(filter, { ...options, ...session }).toArray(),
    );
    return firsts.map(({ journal }) => journal).sort();
  }

  async putChunk(bytes: Uint8Array, now: number): Promise<ChunkId> {
    checkLength('chunk', bytes.length);
    const _id = createHash('sha256').update(bytes).digest('hex');
    await this.#use(async (session) => {
      for (let tries = 1; ; tries++) {
        if (await this.#renew(_id, now, session)) return;
        try {
          await this.#chunks.insertOne({ _id, bytes: new Binary(bytes), putAt: now }, session);
          return;
        } catch (error) {
          // Somebody else has put it meanwhile, and may also have deleted it again by now.
          if (!isDuplicate(error) || tries === MAX_TRIES) throw error;
        }
      }
    });
    return _id;
  }

  /** Renews a chunk. Tells whether there is one that a majority has. */
  async #renew(_id: ChunkId, now: number, session: Part['options']): Promise<boolean> {
    const update = { $max: { putAt: now } };
    const { matchedCount, modifiedCount } = await this.#chunks.updateOne({ _id }, update, session);
    if (matchedCount === 0 || modifiedCount > 0) return matchedCount > 0;
    // Nothing was written that a majority could have confirmed.
    return null !== (await this.#chunks.findOne({ _id }, { projection: { _id: 1 }, ...session }));
  }

  async renewChunks(ids: readonly ChunkId[], now: number): Promise<ChunkId[]> {
    const asked = { _id: { $in: [...ids] } };
    return this.#use(async (session) => {
      await this.#chunks.updateMany(asked, { $max: { putAt: now } }, session);
      const renewed = { ...asked, putAt: { $gte: now } };
      const found = await this.#chunks.find(renewed, { projection: { _id: 1 }, ...session }).toArray();
      const standing = new Set(found.map(({ _id }) => _id));
      return ids.filter((id) => !standing.has(id));
    });
  }

  async *chunks(): AsyncGenerator<StoredChunk, void, void> {
    const { filter, options } = ALL_CHUNKS;
    const find = (session: Part['options']) => this.#chunks.find(filter, { ...options, ...session });
    for await (const { _id, putAt } of this.#each(find)) yield { id: _id, putAt };
  }

  async deleteChunks(ids: readonly ChunkId[], before: number): Promise<number> {
    const old = { _id: { $in: [...ids] }, putAt: { $lt: before } };
    const { deletedCount } = await this.#use((session) => this.#chunks.deleteMany(old, session));
    return deletedCount;
  }

  async getChunk(id: ChunkId): Promise<Uint8Array | undefined> {
    const chunk = await this.#use((session) => this.#chunks.findOne({ _id: id }, session));
    if (chunk === null) return undefined;
    const { buffer, position } = chunk.bytes;
    return new Uint8Array(buffer.buffer, buffer.byteOffset, position);
  }

  async putDocument(collection: string, id: string, value: StoredValue): Promise<void> {
    const _id = idOf(collection, id);
    const bytes = encodeValue(value).length;
    const document = { collection, id, value: toBson(value) };
    checkSize('document', bytes, document);
    await this.#use((session) =>
      this.#turns.take(_id, () =>
        this.#documents.replaceOne({ _id }, document, { upsert: true, ...session }),
      ),
    );
  }

  async getDocument(collection: string, id: string): Promise<StoredValue | undefined> {
    const _id = idOf(collection, id);
    const document = await this.#use((session) => this.#documents.findOne({ _id }, session));
    return document === null ? undefined : fromBson(document.value);
  }

  async documents(collection: string): Promise<string[]> {
    const { filter, options } = documentsIn(collection);
    const found = await this.#use((session) =>
      this.#documents.find(filter, { ...options, ...session }).toArray(),
    );
    return found.map(({ id }) => id);
  }

  async deleteDocument(collection: string, id: string): Promise<void> {
    const _id = idOf(collection, id);
    await this.#use((session) => this.#turns.take(_id, () => this.#documents.deleteOne({ _id }, session)));
  }

  watch(onAppend: (journal: string, seq: number) => void, onEnd: () => void = () => {}): () => void {
    this.#checkOpen();
    const stream = this.#commits.watch(INSERTIONS);
    let isEnded = false;
    const end = () => {
      if (isEnded) return false;
      isEnded = true;
      stream.close().catch(() => {});
      return true;
    };
    stream.on('change', (change) => {
      if (change.operationType !== 'insert') return;
      const { journal, seq } = standingAt(change.documentKey._id);
      onAppend(journal, seq);
    });
    // The driver goes on by itself where that can help. Else the server has no change streams, or has lost the place.
    stream.on('error', () => {
      if (end()) onEnd();
    });
    return end;
  }

  close(): Promise<void> {
    this.#closing ??= this.#letGo();
    return this.#closing;
  }

  async #letGo(): Promise<void> {
    await Promise.all([this.#appends.settled(), ...this.#underWay]);
    await this.#client.close();
  }

  #checkOpen(): void {
    if (this.#closing) throw new StoreUnavailableError(`the store in ${this.#shown} is closed`);
  }

  /** Does something with the server, for which {@link close} waits. */
  async #use<T>(operation: (session: Part['options']) => Promise<T>): Promise<T> {
    this.#checkOpen();
    const result = this.#causality.run(operation);
    const settled = result.then(
      () => {},
      () => {},
    );
    this.#underWay.add(settled);
    try {
      return await result;
    } catch (error) {
      throw mongoFailure(error, this.#shown);
    } finally {
      this.#underWay.delete(settled);
    }
  }

  /** The documents that are found, one after another, for as long as the store is open. */
  async *#each<T>(find: (session: Part['options']) => FindCursor<T>): AsyncGenerator<T, void, void> {
    this.#checkOpen();
    const part = this.#causality.begin();
    try {
      for await (const document of find(part.options)) {
        yield document;
        this.#checkOpen();
      }
    } catch (error) {
      throw mongoFailure(error, this.#shown);
    } finally {
      await part.end();
    }
  }
}

function toDocument(journal: string, { seq, id, time, events }: Commit): CommitDocument {
  const date = new Date(time);
  return {
    _id: placeOf(journal, seq),
    journal,
    seq,
    id,
    time: date.getTime() === time ? date : time,
    events: events.map(toBson),
  };
}

function fromDocument({ seq, id, time, events }: CommitDocument): Commit {
  return { seq, id, time: Number(time), events: events.map(fromBson) };
}

/** @throws {ValueTooLargeError} the value is over the port's limit, or so odd that only its BSON is too large */
function checkSize(what: string, bytes: number, document: object): void {
  checkLength(what, bytes);
  const bsonBytes = BSON.calculateObjectSize(document);
  if (bsonBytes > MAX_BSON_BYTES) {
    throw new ValueTooLargeError(`a ${what} of ${bsonBytes} bytes is more than MongoDB takes`);
  }
}

function checkLength(what: string, bytes: number): void {
  if (bytes > MAX_VALUE_BYTES) {
    throw new ValueTooLargeError(`a ${what} of ${bytes} bytes is over the limit of ${MAX_VALUE_BYTES}`);
  }
}
