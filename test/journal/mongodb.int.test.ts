import { type Document, Long, MongoClient, MongoServerError } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/journal/open.ts';
import {
  type Commit,
  SeqTakenError,
  type Store,
  StoreFullError,
  StoreUnavailableError,
} from '../../src/journal/port.ts';
import { describeNeeding } from '../support/needing.ts';
import { commitAt, journalContract } from './contract.ts';
import { leaseContract } from './leaseContract.ts';
import { all, TestDatabase, useAll } from './wire.ts';
import { WireTap } from './wireTap.ts';

describeNeeding('CONCORD_TEST_MONGODB', 'MongoDB over the wire', (server) => {
  journalContract('MongoDB', async () => {
    const database = new TestDatabase(server);
    let store = await openStore(database.url);
    return {
      store,
      async reopen() {
        await store.close();
        store = await openStore(database.url);
        return store;
      },
      async destroy() {
        await store.close();
        await database.drop();
      },
    };
  });

  leaseContract('MongoDB', async () => {
    const database = new TestDatabase(server);
    const store = await openStore(database.url);
    return {
      leases: store.leases,
      async destroy() {
        await store.close();
        await database.drop();
      },
    };
  });

  describe('MongoDB', () => {
    let database: TestDatabase;
    let tap: WireTap;
    const opened: Store[] = [];

    /** Opens a store; each is a node of its own. */
    async function open(url = database.url): Promise<Store> {
      const store = await openStore(url);
      opened.push(store);
      return store;
    }

    beforeEach(async () => {
      database = new TestDatabase(server);
      tap = await WireTap.open(database.url);
    });
    afterEach(async () => {
      tap.mend();
      await Promise.all(opened.splice(0).map((store) => store.close()));
      await tap.close();
      await database.drop();
    });

    describe('what the driver is told', () => {
      it('is to wait for a majority and to read from it, whatever the address says', async () => {
        const store = await open(tap.url('w=1&journal=false&readConcernLevel=local&wtimeoutMS=1'));
        await useAll(store);

        const writes = tap.sent('insert', 'update', 'delete');
        expect(new Set(writes.map((command) => Object.keys(command)[0]))).toStrictEqual(
          new Set(['insert', 'update', 'delete']),
        );
        for (const command of writes) {
          expect(command['writeConcern']).toStrictEqual({ w: 'majority', j: true, wtimeout: 15_000 });
        }
        const reads = tap.sent('find');
        expect(reads.length).toBeGreaterThan(5);
        for (const command of reads) {
          expect(command['readConcern']).toMatchObject({ level: 'majority' });
          expect(command['$readPreference'] ?? { mode: 'primary' }).toMatchObject({ mode: /^primary/ });
        }
      });

      it('is to read nothing older than what was written, and to try writes again, where there are sessions', async (context) => {
        const store = await open(tap.url());
        await store.append('project', commitAt(1));
        const [insert] = tap.sent('insert').slice(-1);
        context.skip(insert?.['lsid'] === undefined, 'this server has no sessions');
        expect(insert).toHaveProperty('txnNumber');

        await store.head('project');
        const [find] = tap.sent('find').slice(-1);
        expect(find?.['readConcern']).toHaveProperty('afterClusterTime');
      });

      it('is one insert for all commits that wait, of however many journals', async () => {
        const store = await open(tap.url());
        const before = tap.sent('insert').length;
        const names = Array.from({ length: 50 }, (_, i) => `project-${i}`);
        await Promise.all(names.flatMap((name) => [1, 2].map((seq) => store.append(name, commitAt(seq)))));
        const [insert, ...more] = tap.sent('insert').slice(before);
        expect(insert?.['documents']).toHaveLength(100);
        // So that nothing arrives without what precedes it.
        expect(insert).toMatchObject({ ordered: true });
        expect(more).toStrictEqual([]);
      });

      it("is no look-up for a commit that follows the store's own, or one that it has read", async () => {
        const store = await open(tap.url());
        await store.append('project', commitAt(1));
        const reader = await open(tap.url());
        await all(reader.read('project', 0));
        const before = tap.sent('find').length;
        await reader.append('project', commitAt(2));
        await reader.append('project', commitAt(3));
        expect(tap.sent('find')).toHaveLength(before);
      });
    });

    describe('appends', () => {
      it('have each their own outcome in one group', async () => {
        const other = await open();
        for (const name of ['a', 'b', 'c', 'd']) await other.append(name, commitAt(1));
        const store = await open();
        const rival = (seq: number) => ({ ...commitAt(seq), id: 'rival' });
        const outcomes = await Promise.allSettled([
          store.append('new', commitAt(1)),
          store.append('a', commitAt(1)),
          store.append('b', rival(1)),
          store.append('b', commitAt(2)),
          store.append('c', commitAt(3)),
          store.append('d', commitAt(2)),
          store.append('d', commitAt(3)),
          store.append('d', rival(3)),
          store.append('fresh', rival(1)),
          store.append('fresh', commitAt(1)),
          store.append('fresh', commitAt(2)),
        ]);
        expect(outcomes.map(({ status }) => status === 'fulfilled')).toStrictEqual([
          true,
          true,
          false,
          true,
          false,
          true,
          true,
          false,
          true,
          false,
          true,
        ]);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(SeqTakenError);
        }
        expect(await ids(store, 'new')).toStrictEqual(['commit-1']);
        expect(await ids(store, 'a')).toStrictEqual(['commit-1']);
        expect(await ids(store, 'b')).toStrictEqual(['commit-1', 'commit-2']);
        expect(await ids(store, 'c')).toStrictEqual(['commit-1']);
        expect(await ids(store, 'd')).toStrictEqual(['commit-1', 'commit-2', 'commit-3']);
        expect(await ids(store, 'fresh')).toStrictEqual(['rival', 'commit-2']);
      });

      it('of many nodes in a race leave one journal without a gap, each commit in it once', async () => {
        const nodes = await Promise.all(Array.from({ length: 5 }, () => open()));
        const each = 15;
        await Promise.all(
          nodes.map(async (store, node) => {
            for (let n = 0; n < each; n++) {
              // As a host does: what it knows, and the next place; whoever was faster is read first.
              for (let isIn = false; !isIn; ) {
                const seq = (await store.head('project')) + 1;
                const commit = { ...commitAt(seq), id: `${node}-${n}` };
                isIn = await store.append('project', commit).then(
                  () => true,
                  (error: unknown) => {
                    expect(error).toBeInstanceOf(SeqTakenError);
                    return false;
                  },
                );
              }
            }
          }),
        );
        const [reader] = nodes;
        const standing = reader ? await ids(reader, 'project') : [];
        const made = nodes.flatMap((_, node) => Array.from({ length: each }, (_, n) => `${node}-${n}`));
        expect(standing.toSorted()).toStrictEqual(made.toSorted());
      });

      it('whose answer was lost succeed when they are made again, and stand once', async () => {
        const store = await open(tap.url());
        await store.append('project', commitAt(1));
        tap.loseAnswers('insert');
        await expect(store.append('project', commitAt(2))).rejects.toThrow(StoreUnavailableError);
        tap.mend();
        await expect(store.append('project', { ...commitAt(2), id: 'rival' })).rejects.toThrow(SeqTakenError);
        await store.append('project', commitAt(2));
        await store.append('project', commitAt(3));
        expect(await ids(store, 'project')).toStrictEqual(['commit-1', 'commit-2', 'commit-3']);
      });

      it('that wait together fail together when the answer is lost, and all are there', async () => {
        const store = await open(tap.url());
        tap.loseAnswers('insert');
        const commits = [1, 2, 3, 4, 5].map(commitAt);
        const outcomes = await Promise.allSettled(commits.map((commit) => store.append('project', commit)));
        for (const outcome of outcomes)
          expect(outcome).toMatchObject({ reason: { name: 'StoreUnavailableError' } });
        tap.mend();
        await Promise.all(commits.map((commit) => store.append('project', commit)));
        expect(await all(store.read('project', 0))).toStrictEqual(commits);
      });

      it('are not acknowledged before a majority has them', async () => {
        const store = await open(tap.url());
        tap.answer('insert', {
          ok: 1,
          n: 1,
          writeConcernError: { code: 64, codeName: 'WriteConcernTimeout', errmsg: 'waiting timed out' },
        });
        const outcome = await store.append('project', commitAt(1)).catch((error: unknown) => error);
        expect(outcome).toBeInstanceOf(StoreUnavailableError);
        expect(outcome).toMatchObject({ message: expect.stringMatching(/majority.*did not confirm/) });
      });

      it('are of unknown outcome when their place is taken by what a majority does not show', async () => {
        const other = await open();
        await other.append('project', commitAt(1));
        const store = await open(tap.url());
        tap.answer('find', {
          ok: 1,
          cursor: { id: Long.ZERO, ns: `${database.name}.commits`, firstBatch: [] },
        });
        const outcome = await store.append('project', commitAt(1)).catch((error: unknown) => error);
        expect(outcome).toBeInstanceOf(StoreUnavailableError);
        expect(outcome).toMatchObject({ message: expect.stringMatching(/majority does not show commit 1/) });
        tap.mend();
        await store.append('project', commitAt(1));
      });
    });

    describe('failures', () => {
      it('of a server that went away are told, and over when it is back', async () => {
        const store = await open(tap.url('serverSelectionTimeoutMS=300'));
        await store.append('project', commitAt(1));
        tap.cut();
        await expect(store.append('project', commitAt(2))).rejects.toThrow(StoreUnavailableError);
        await expect(all(store.read('project', 0))).rejects.toThrow(StoreUnavailableError);
        await expect(store.head('project')).rejects.toThrow(/no server that takes writes can be reached/);
        await expect(store.putChunk(Uint8Array.of(1), 1)).rejects.toThrow(StoreUnavailableError);
        await expect(store.getDocument('a', 'b')).rejects.toThrow(StoreUnavailableError);
        tap.mend();
        const isIn = () =>
          store.append('project', commitAt(2)).then(
            () => true,
            () => false,
          );
        await expect.poll(isIn, { timeout: 10_000 }).toBe(true);
        expect(await ids(store, 'project')).toStrictEqual(['commit-1', 'commit-2']);
      });

      it.each([
        ['no space', { ok: 1, n: 0, writeErrors: [{ index: 0, code: 14031, errmsg: 'x' }] }, StoreFullError],
        ['a full quota', { ok: 0, code: 8000, errmsg: 'you are over your space quota' }, StoreFullError],
        ['no permission', { ok: 0, code: 13, errmsg: 'not authorized' }, StoreUnavailableError],
        ['no primary', { ok: 0, code: 10107, errmsg: 'not primary' }, StoreUnavailableError],
      ])('of a server with %s are told, and keep nothing', async (_, reply: Document, kind) => {
        const store = await open(tap.url());
        tap.answer('insert', reply);
        const writes = [commitAt(1), commitAt(2)].map((commit) => store.append('project', commit));
        for (const outcome of await Promise.allSettled(writes)) {
          expect(outcome).toMatchObject({ status: 'rejected', reason: { name: kind.name } });
        }
        expect(await all(store.read('project', 0))).toStrictEqual([]);
      });
    });

    describe('following another node', () => {
      it('by the tail gives every commit once and in order', async () => {
        const [writer, follower] = [await open(), await open()];
        const seen: Commit[] = [];
        let isDone = false;
        const following = (async () => {
          while (!isDone || seen.length < 100) {
            for await (const commit of follower.read('project', seen.length)) seen.push(commit);
          }
        })();
        const written = Array.from({ length: 100 }, (_, i) => commitAt(i + 1));
        for (const commit of written) await writer.append('project', commit);
        isDone = true;
        await following;
        expect(seen).toStrictEqual(written);
      });

      it('is woken by what the other appends, where the server has change streams', async (context) => {
        context.skip(!(await hasChangeStreams(database.url)), 'this server has no change streams');

        const [writer, follower] = [await open(), await open()];
        const rung = new Set<string>();
        const stop = follower.watch?.((journal) => rung.add(journal));
        // It begins some time after the call.
        for (let seq = 1; rung.size < 2 && seq < 200; seq++) {
          await writer.append('team/a', commitAt(seq));
          await writer.append('ü%', commitAt(seq));
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        expect([...rung].sort()).toStrictEqual(['team/a', 'ü%']);
        stop?.();
      });

      it('goes on by the tail where it has none', async () => {
        const follower = await open(tap.url());
        tap.answer('aggregate', { ok: 0, code: 40573, errmsg: 'only supported on replica sets' });
        let ends = 0;
        const stop = follower.watch?.(
          () => {},
          () => ends++,
        );
        await expect.poll(() => ends).toBe(1);
        await (await open()).append('project', commitAt(1));
        expect(await ids(follower, 'project')).toStrictEqual(['commit-1']);
        stop?.();
      });
    });
  });
});

async function ids(store: Store, journal: string): Promise<string[]> {
  return (await all(store.read(journal, 0))).map(({ id }) => id);
}

async function hasChangeStreams(url: string): Promise<boolean> {
  const client = new MongoClient(url);
  try {
    await client.db().collection('commits').watch().tryNext();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(MongoServerError);
    return false;
  } finally {
    await client.close();
  }
}
