import { Binary, type Document, type FindOptions, MongoServerError } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/journal/open.ts';
import {
  ALL_CHUNKS,
  commitsAfter,
  commitsAt,
  FIRST_COMMITS,
  newestCommit,
  placeOf,
} from '../../src/journal/places.ts';
import {
  type Store,
  type StoredValue,
  StoreError,
  StoreTooNewError,
  StoreUnavailableError,
  ValueTooLargeError,
} from '../../src/journal/port.ts';
import { describeNeeding } from '../support/needing.ts';
import { commitAt } from './contract.ts';
import { expectRefusal } from './folders.ts';
import { all, TestDatabase, useAll } from './wire.ts';

describeNeeding('CONCORD_TEST_MONGODB', 'What lies in MongoDB', (server) => {
  let database: TestDatabase;
  const opened: Store[] = [];

  async function open(): Promise<Store> {
    const store = await openStore(database.url);
    opened.push(store);
    return store;
  }

  function collection(name: string) {
    return database.db.collection<Document & { _id: string }>(name);
  }

  /** The server's plan for a query, as it has run; undefined if it explains nothing. */
  async function explain(
    name: string,
    { filter, options }: { readonly filter: Document; readonly options: FindOptions },
  ): Promise<Document | undefined> {
    try {
      return await collection(name).find(filter, options).explain('executionStats');
    } catch (error) {
      if (error instanceof MongoServerError && error.code === 59) return undefined;
      throw error;
    }
  }

  beforeEach(() => {
    database = new TestDatabase(server);
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await database.drop();
  });

  describe('the database', () => {
    it('is not made by who only reads', async () => {
      await expectRefusal(openStore(database.url, 'READ'), StoreUnavailableError, /there is no store in/);
      expect(await database.db.listCollections().toArray()).toEqual([]);
      await open();
      const reader = await openStore(database.url, 'READ');
      opened.push(reader);
      expect(await reader.journals()).toEqual([]);
    });

    it('may be of a newer Concord, and is then left alone', async () => {
      await (await open()).append('project', commitAt(1));
      await collection('concord').updateOne({ _id: 'format' }, { $set: { version: 2 } });
      await expectRefusal(openStore(database.url), StoreTooNewError, /has format 2.*reads up to 1/);
      expect(await collection('concord').findOne()).toStrictEqual({ _id: 'format', version: 2 });
    });

    it.each(['one', null, 1.5])('may not have %j for the mark of its format', async (version) => {
      await collection('concord').insertOne({ _id: 'format', version });
      await expectRefusal(openStore(database.url), StoreError, /damaged, or is none of Concord's/);
    });

    it.each(['commits', 'chunks', 'documents'])('may not have %s of another program', async (name) => {
      await collection(name).insertOne({ _id: 'any' });
      await expectRefusal(openStore(database.url), StoreError, /none of Concord's.*choose another database/);
    });

    it('may be opened by many at once', async () => {
      const stores = await Promise.all(Array.from({ length: 8 }, () => open()));
      await Promise.all(stores.map((store, i) => store.append(`project-${i}`, commitAt(1))));
      expect(await collection('concord').countDocuments()).toBe(1);
      expect(await stores[0]?.journals()).toHaveLength(8);
    });

    it('that has lost a commit is found out', async () => {
      const store = await open();
      for (const seq of [1, 2, 3]) await store.append('project', commitAt(seq));
      await collection('commits').deleteOne({ _id: placeOf('project', 2) });
      await expect(all(store.read('project', 0))).rejects.toThrow(/commit 2 of journal project is missing/);
    });

    it('that holds what Concord did not write is found out', async () => {
      const store = await open();
      await store.append('project', commitAt(1));
      await collection('commits').updateOne({}, { $set: { 'events.0.at': new Date(0) } });
      await expect(all(store.read('project', 0))).rejects.toThrow(StoreError);
    });
  });

  describe('what lies in the database', () => {
    it('can be read by people', async () => {
      const store = await open();
      const time = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
      const events = [
        { type: 'submitted', label: 3, counted: true },
        { scores: Float64Array.of(0.5, -0), seen: Uint8Array.of(1), 'a.b': { $c: 1 }, none: undefined },
      ];
      await store.append('team/a', { seq: 1, id: 'c1', time, events });
      const chunk = await store.putChunk(Uint8Array.of(1, 2), 5);
      await store.putDocument('people', 'ada', { name: 'Ada' });

      expect(plain(await collection('commits').findOne())).toStrictEqual({
        _id: 'team%2Fa/000000000000001',
        journal: 'team/a',
        seq: 1,
        id: 'c1',
        time: new Date(time),
        events: [
          { type: 'submitted', label: 3, counted: true },
          {
            scores: { '%Float64Array': Buffer.from('000000000000e03f0000000000000080', 'hex') },
            seen: Buffer.of(1),
            'a%2Eb': { '%24c': 1 },
          },
        ],
      });
      expect(plain(await collection('chunks').findOne())).toStrictEqual({
        _id: chunk,
        bytes: Buffer.of(1, 2),
        putAt: 5,
      });
      expect(plain(await collection('documents').findOne())).toStrictEqual({
        _id: 'people/ada',
        collection: 'people',
        id: 'ada',
        value: { name: 'Ada' },
      });
      expect(plain(await collection('concord').findOne())).toStrictEqual({ _id: 'format', version: 1 });
    });

    it('can be queried by what is in the events', async () => {
      const store = await open();
      await store.append('p1', { ...commitAt(1), events: [{ type: 'submitted', label: 3 }] });
      await store.append('p1', { ...commitAt(2), events: [{ type: 'submitted', label: 4 }] });
      await store.append('p10', { ...commitAt(1), events: [{ type: 'submitted', label: 4 }] });
      const find = async (filter: Document) =>
        (await collection('commits').find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id);
      expect(await find({ 'events.label': 4 })).toStrictEqual([placeOf('p1', 2), placeOf('p10', 1)]);
      expect(await find({ _id: /^p1\// })).toStrictEqual([placeOf('p1', 1), placeOf('p1', 2)]);
      expect(await find({ journal: 'p1', seq: 2 })).toStrictEqual([placeOf('p1', 2)]);
    });

    it('takes no value that MongoDB would not', async () => {
      const store = await open();
      let deep: StoredValue = 'x';
      for (let i = 0; i < 91; i++) deep = [deep];
      await expect(store.putDocument('values', 'deep', deep)).rejects.toThrow(TypeError);
      // A byte each as the port counts, and a dozen as MongoDB does.
      const wide = new Array<number>(1_600_000).fill(1);
      await expect(store.putDocument('values', 'wide', wide)).rejects.toThrow(ValueTooLargeError);
      await store.putDocument('values', 'deep', (deep as readonly StoredValue[])[0] ?? null);
      expect(await collection('documents').countDocuments()).toBe(1);
    });

    it('has the indexes that are documented, and no others', async () => {
      const store = await open();
      await useAll(store);
      const indexes = async (name: string) => (await collection(name).indexes()).map(({ key }) => key);
      expect(await indexes('commits')).toStrictEqual([{ _id: 1 }, { seq: 1, journal: 1 }]);
      expect(await indexes('chunks')).toStrictEqual([{ _id: 1 }, { _id: 1, putAt: 1 }]);
      expect(await indexes('documents')).toStrictEqual([{ _id: 1 }]);
    });

    it.for([
      ['the list of chunks', 'chunks', ALL_CHUNKS, 'chunks', 4],
      ['the tail of a journal', 'commits', commitsAfter('p3', 5), '_id_', 15],
      ['commits at places', 'commits', commitsAt([placeOf('p3', 1), placeOf('p4', 2)]), '_id_', 2],
      ['the list of journals', 'commits', FIRST_COMMITS, 'journals', 10],
      ['the head of a journal', 'commits', newestCommit('p3'), '_id_', 20],
    ] as const)(
      'is found by an index, and nothing else is looked at: %s',
      async ([, name, query, index, most], context) => {
        const store = await open();
        const places = Array.from({ length: 200 }, (_, i) => ({
          name: `p${i % 10}`,
          seq: Math.floor(i / 10) + 1,
        }));
        await Promise.all(places.map(({ name, seq }) => store.append(name, commitAt(seq))));
        for (let i = 0; i < 4; i++) await store.putChunk(Uint8Array.of(i), i);
        const plan = await explain(name, query);
        context.skip(plan === undefined, 'this server explains nothing');

        const stages = stagesOf(plan?.['queryPlanner'].winningPlan);
        expect(stages.map(({ stage }) => stage)).not.toContain('COLLSCAN');
        expect(stages.map(({ stage }) => stage)).not.toContain('SORT');
        expect(stages.map(({ indexName }) => indexName)).toContain(index);
        expect(plan?.['executionStats'].totalDocsExamined).toBeLessThanOrEqual(most);
      },
    );
  });
});

/** A document as a person sees it: binary data by what is in it. */
function plain(value: unknown): unknown {
  if (value instanceof Binary) return Buffer.from(value.value());
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}

/** The stages of a plan, outermost first. */
function stagesOf(plan: Document | undefined): Document[] {
  return plan === undefined ? [] : [plan, ...stagesOf(plan['inputStage'])];
}
