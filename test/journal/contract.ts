import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Commit,
  MAX_NAME_BYTES,
  MAX_VALUE_BYTES,
  SeqTakenError,
  type Store,
  type StoredValue,
  StoreUnavailableError,
  ValueTooLargeError,
} from '../../src/journal/port.ts';

/** An empty store under test, and what the suite does to it from outside. */
export interface Subject {
  readonly store: Store;
  /** Closes the store that is open, and opens it again with what it kept. */
  reopen(): Promise<Store>;
  /** Closes the store that is open, and removes all that it kept. */
  destroy(): Promise<void>;
}

/** When chunks are put, where it does not matter. */
const NOW = 1_700_000_000_000;

/** What every store owes its callers: see the port. Each adapter runs it whole. */
export function journalContract(name: string, open: () => Promise<Subject>): void {
  describe(`${name} keeps the contract of the journal port`, () => {
    let subject: Subject;
    let store: Store;

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
    });
    afterEach(() => subject.destroy());

    describe('append and read', () => {
      it('gives commits back whole and in order, from any place', async () => {
        const commits = numbered(1, 30);
        for (const commit of commits) await store.append('project', commit);

        expect(await all(store.read('project', 0))).toStrictEqual(commits);
        expect(await all(store.read('project', 17))).toStrictEqual(commits.slice(17));
        expect(await all(store.read('project', 30))).toStrictEqual([]);
        expect(await all(store.read('project', 99))).toStrictEqual([]);
      });

      it('knows the head, which is 0 for a journal that does not exist', async () => {
        expect(await store.head('project')).toBe(0);
        for (const commit of numbered(1, 3)) await store.append('project', commit);
        expect(await store.head('project')).toBe(3);
        expect(await store.head('projec')).toBe(0);
        expect(await store.head('projects')).toBe(0);
        expect(await all(store.read('projects', 0))).toStrictEqual([]);
      });

      it('orders by number, not by digits', async () => {
        const commits = numbered(1, 300);
        await Promise.all(commits.map((commit) => store.append('project', commit)));
        expect(await seqs(store.read('project', 0))).toStrictEqual(commits.map(({ seq }) => seq));
        expect(await store.head('project')).toBe(300);
      });

      it.each([2, 3, 0, -1, 1.5, Number.NaN, Number.MAX_SAFE_INTEGER])(
        'refuses %d as the first place',
        async (seq) => {
          await expect(store.append('project', commitAt(seq))).rejects.toThrow(SeqTakenError);
          expect(await store.head('project')).toBe(0);
          expect(await store.journals()).toStrictEqual([]);
        },
      );

      it('refuses to leave a gap', async () => {
        await store.append('project', commitAt(1));
        await expect(store.append('project', commitAt(3))).rejects.toThrow(SeqTakenError);
        expect(await store.head('project')).toBe(1);
      });

      it('takes the same commit again for a success, at the head and behind it', async () => {
        for (const commit of numbered(1, 3)) await store.append('project', commit);
        for (const commit of numbered(1, 3)) await store.append('project', commit);
        expect(await all(store.read('project', 0))).toStrictEqual(numbered(1, 3));
      });

      it('keeps the first of two under one id, and says that both succeeded', async () => {
        const commit = commitAt(1);
        await Promise.all([store.append('project', commit), store.append('project', commit)]);
        expect(await all(store.read('project', 0))).toStrictEqual([commit]);
      });

      it('refuses another commit in a place that is taken, and names the place', async () => {
        for (const commit of numbered(1, 2)) await store.append('project', commit);
        for (const seq of [1, 2]) {
          const error = await store.append('project', { ...commitAt(seq), id: 'rival' }).catch((e) => e);
          expect(error).toBeInstanceOf(SeqTakenError);
          expect(error).toMatchObject({ journal: 'project', seq });
        }
        expect(await all(store.read('project', 0))).toStrictEqual(numbered(1, 2));
      });

      it('lets one of fifty racers win each place', async () => {
        for (let seq = 1; seq <= 5; seq++) {
          const racers = Array.from({ length: 50 }, (_, i) => ({ ...commitAt(seq), id: `${seq}-${i}` }));
          const outcomes = await Promise.allSettled(racers.map((commit) => store.append('project', commit)));
          const winners = racers.filter((_, i) => outcomes[i]?.status === 'fulfilled');
          expect(winners).toHaveLength(1);
          expect(await all(store.read('project', seq - 1))).toStrictEqual(winners);
          for (const outcome of outcomes) {
            if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(SeqTakenError);
          }
        }
      });

      it('reads without a gap while others append', async () => {
        const commits = numbered(1, 60);
        for (const commit of commits.slice(0, 20)) await store.append('project', commit);
        const rest = Promise.all(commits.slice(20).map((commit) => store.append('project', commit)));

        const read = await all(store.read('project', 0));
        expect(read.length).toBeGreaterThanOrEqual(20);
        expect(read).toStrictEqual(commits.slice(0, read.length));
        await rest;
        expect(await all(store.read('project', read.length))).toStrictEqual(commits.slice(read.length));
      });

      it('appends while a reader stands still in the middle', async () => {
        for (const commit of numbered(1, 4)) await store.append('project', commit);
        const read: Commit[] = [];
        for await (const commit of store.read('project', 1)) {
          read.push(commit);
          if (commit.seq === 2) await store.append('project', commitAt(5));
        }
        expect(read.slice(0, 3)).toStrictEqual(numbered(2, 4));
      });

      it('sees a commit as soon as it is acknowledged', async () => {
        for (const commit of numbered(1, 20)) {
          await store.append('project', commit);
          expect(await store.head('project')).toBe(commit.seq);
          expect(await all(store.read('project', commit.seq - 1))).toStrictEqual([commit]);
        }
      });

      it('has kept the commit that it was given, whatever the caller does to it afterwards', async () => {
        const numbers = Float64Array.of(1, 2, 3);
        const event: { list: StoredValue[]; numbers: Float64Array } = { list: [1], numbers };
        const appended = store.append('project', { ...commitAt(1), events: [event] });
        event.list.push(2);
        numbers.fill(9);
        await appended;
        const [commit] = await all(store.read('project', 0));
        expect(commit?.events).toStrictEqual([{ list: [1], numbers: Float64Array.of(1, 2, 3) }]);
      });
    });

    describe('many journals', () => {
      it('keeps them apart and lists them in order', async () => {
        const names = [
          'project',
          'directory',
          'projects',
          'p',
          'proje',
          'Ωmega',
          'z',
          '😀',
          '\u{fb00}',
          '10',
          '9',
          ' ',
        ];
        await Promise.all(
          names.flatMap((name, i) => numbered(1, i + 1).map((commit) => store.append(name, commit))),
        );

        expect(await store.journals()).toStrictEqual([...names].sort());
        for (const [i, name] of names.entries()) {
          expect(await store.head(name)).toBe(i + 1);
          expect(await seqs(store.read(name, 0))).toStrictEqual(numbered(1, i + 1).map(({ seq }) => seq));
        }
      });

      it('keeps many, written all at once', async () => {
        const names = Array.from({ length: 300 }, (_, i) => `project-${i}`);
        await Promise.all(names.map((name) => store.append(name, commitAt(1))));
        expect(await store.journals()).toStrictEqual(names.sort());
      });

      it.each([
        ['empty', ''],
        ['too long', 'n'.repeat(MAX_NAME_BYTES + 1)],
        ['with a zero character', 'a\0b'],
        ['with half a surrogate pair', 'a\ud800'],
      ])('refuses a name that is %s', async (_, bad) => {
        await expect(store.append(bad, commitAt(1))).rejects.toThrow(TypeError);
        await expect(store.head(bad)).rejects.toThrow(TypeError);
        await expect(all(store.read(bad, 0))).rejects.toThrow(TypeError);
        await expect(store.putDocument(bad, 'id', null)).rejects.toThrow(TypeError);
        await expect(store.putDocument('people', bad, null)).rejects.toThrow(TypeError);
      });

      it('takes the longest name', async () => {
        const longest = 'n'.repeat(MAX_NAME_BYTES);
        await store.append(longest, commitAt(1));
        await store.putDocument(longest, longest, 'value');
        expect(await store.head(longest)).toBe(1);
        expect(await store.getDocument(longest, longest)).toBe('value');
      });
    });

    describe('values', () => {
      const VALUES: readonly (readonly [string, StoredValue])[] = [
        ['null', null],
        ['booleans', [true, false]],
        ['whole numbers', [0, 1, -1, 127, 128, -33, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53, -(2 ** 53)]],
        ['fractions', [0.1, -1.5, Math.PI, 5e-324, Number.MAX_VALUE, Math.fround(0.95)]],
        ['numbers that are not quite numbers', [-0, Number.NaN, Infinity, -Infinity]],
        ['-0, nested', { a: [{ b: -0 }], c: 0 }],
        ['strings', ['', 'a', 'ä€😀', '\0\n"\\', 'x'.repeat(70_000), '日本語'.repeat(50)]],
        ['nested lists and objects', { a: [{ b: [] }, {}], 'key with space': { '': 1, '10': 2, '9': 3 } }],
        ['keys that JavaScript knows', { constructor: 1, toJSON: 'x', hasOwnProperty: null, length: 2 }],
        ['lists under keys that JavaScript knows', { valueOf: [[{ a: 1 }]], toString: [{ b: [2] }] }],
        [
          'keys that others give a meaning',
          { 'a.b': { $set: 1, '%2E': 2, '%': 3 }, a: { b: 4 }, 'a%2Eb': 5 },
        ],
        [
          'keys of references',
          [{ $ref: 'a', $id: 1, $db: 'b' }, { $oid: 'c' }, { _bsontype: 'Long', _id: 1 }],
        ],
        ['keys with a zero character', { 'a\0b': 1, '\0': 2, a: 3 }],
        ['keys named like arrays', [{ '%Float32Array': Uint8Array.of(1) }, { Float32Array: [1] }]],
        ['many keys', Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`k${i}`, i]))],
        ['empty arrays', [new Uint8Array(), new Uint16Array(), new Uint32Array(), new Int32Array()]],
        ['empty arrays of floats', [new Float32Array(), new Float64Array()]],
        ['bytes', Uint8Array.of(0, 1, 128, 255)],
        ['numbers of 16 bits', Uint16Array.of(0, 1, 65_535)],
        ['numbers of 32 bits', [Uint32Array.of(0, 2 ** 32 - 1), Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1)]],
        ['floats of 32 bits', Float32Array.of(0, -0, Number.NaN, 0.1, Infinity, -Infinity, 1e-45)],
        ['floats of 64 bits', Float64Array.of(0, -0, Number.NaN, 0.1, -Infinity, 5e-324)],
        [
          'arrays among others',
          { a: 1, b: Uint8Array.of(1), c: Float64Array.of(1), d: 'x', e: Int32Array.of(-1) },
        ],
      ];

      it.each(VALUES)('gives back %s as they were', async (_, value) => {
        await store.append('project', { ...commitAt(1), events: [value] });
        await store.putDocument('values', 'one', value);
        const [commit] = await all(store.read('project', 0));
        expect(commit?.events).toStrictEqual([value]);
        expect(await store.getDocument('values', 'one')).toStrictEqual(value);
      });

      it('gives back a part of a larger array as an array of its own', async () => {
        const whole = Uint8Array.from({ length: 64 }, (_, i) => i);
        const events = [
          whole.subarray(3, 9),
          new Float32Array(whole.buffer, 4, 3),
          new Float64Array(whole.buffer, 8, 2),
        ];
        await store.append('project', { ...commitAt(1), events });
        const [commit] = await all(store.read('project', 0));
        expect(commit?.events).toStrictEqual(events.map((part) => part.slice()));
      });

      it('gives back a Buffer as a Uint8Array', async () => {
        await store.putDocument('values', 'one', [Buffer.from('abc')]);
        expect(await store.getDocument('values', 'one')).toStrictEqual([new TextEncoder().encode('abc')]);
      });

      it('gives back arrays that the caller may write to', async () => {
        const events = [Float64Array.of(1, 2), Uint8Array.of(3), 'text', Uint8Array.of(4)];
        await store.append('project', { ...commitAt(1), events });
        for (let i = 0; i < 2; i++) {
          const [commit] = await all(store.read('project', 0));
          expect(commit?.events).toStrictEqual(events);
          for (const event of commit?.events ?? []) {
            if (event instanceof Float64Array || event instanceof Uint8Array) event.fill(99);
          }
        }
      });

      it('gives back keys without a value as such, or not at all', async () => {
        await store.putDocument('values', 'one', { a: undefined, b: 1 });
        expect(await store.getDocument('values', 'one')).toEqual({ b: 1 });
      });

      it.each([
        ['half a surrogate pair', 'a\ud800'],
        ['half a surrogate pair in a long text', `${'x'.repeat(200)}\udfff`],
        ['half a surrogate pair in a key', { '\ud800': 1 }],
        ['a key __proto__', JSON.parse('{"a":{"__proto__":1}}')],
        ['a date', new Date(0)],
        ['a set', new Set([1])],
        ['a big integer', 1n],
        ['a function', () => 1],
        ['undefined', undefined],
        ['undefined in a list', [undefined]],
        ['an array of a type it does not name', new BigInt64Array(1)],
      ])('refuses %s, which would not come back as it was', async (_, value) => {
        await expect(store.append('project', { ...commitAt(1), events: [value] })).rejects.toThrow(TypeError);
        await expect(store.putDocument('values', 'one', value)).rejects.toThrow(TypeError);
        expect(await store.head('project')).toBe(0);
        expect(await store.getDocument('values', 'one')).toBeUndefined();
      });

      it('takes values up to the limit, and refuses one over it whole', async () => {
        const large = new Uint8Array(MAX_VALUE_BYTES - 1024).fill(7);
        const tooLarge = new Uint8Array(MAX_VALUE_BYTES + 1);
        await store.append('project', { ...commitAt(1), events: [large] });
        await store.putDocument('values', 'large', large);
        await expect(store.append('project', { ...commitAt(2), events: [tooLarge] })).rejects.toThrow(
          ValueTooLargeError,
        );
        await expect(store.putDocument('values', 'large', tooLarge)).rejects.toThrow(ValueTooLargeError);

        const [commit, ...more] = await all(store.read('project', 0));
        expectSameBytes(commit?.events[0], large);
        expect(more).toStrictEqual([]);
        expectSameBytes(await store.getDocument('values', 'large'), large);
        await store.append('project', commitAt(2));
      });
    });

    describe('chunks', () => {
      it('are found by the hash of what they hold', async () => {
        for (const bytes of [new Uint8Array(), Uint8Array.of(1), new Uint8Array(100_000).fill(3)]) {
          const id = await store.putChunk(bytes, NOW);
          expect(id).toBe(createHash('sha256').update(bytes).digest('hex'));
          expect(await store.getChunk(id)).toStrictEqual(bytes);
        }
      });

      it('are stored once, however often and however many at a time', async () => {
        const bytes = Uint8Array.of(1, 2, 3);
        const ids = await Promise.all(Array.from({ length: 20 }, () => store.putChunk(bytes, NOW)));
        expect(new Set(ids).size).toBe(1);
        expect(await store.putChunk(bytes.slice(), NOW)).toBe(ids[0]);
      });

      it('are shown where they lie, if the store is at hand', async () => {
        const chunks = [new Uint8Array(), Uint8Array.of(1, 2), new Uint8Array(100_000).fill(3)];
        for (const bytes of chunks) {
          const id = await store.putChunk(bytes, NOW);
          expect(store.peekChunk?.(id, (seen) => seen.slice()) ?? bytes).toStrictEqual(bytes);
        }
        expect(store.peekChunk?.('0'.repeat(64), () => 'seen')).toBeUndefined();
      });

      it('may be a part of a larger array', async () => {
        const whole = Uint8Array.from({ length: 100 }, (_, i) => i);
        const id = await store.putChunk(whole.subarray(10, 20), NOW);
        expect(await store.getChunk(id)).toStrictEqual(whole.slice(10, 20));
      });

      it('have a limit', async () => {
        const largest = new Uint8Array(MAX_VALUE_BYTES).fill(5);
        expectSameBytes(await store.getChunk(await store.putChunk(largest, NOW)), largest);
        await expect(store.putChunk(new Uint8Array(MAX_VALUE_BYTES + 1), NOW)).rejects.toThrow(
          ValueTooLargeError,
        );
      });

      it.each(['', 'nothing', '0'.repeat(64), 'F'.repeat(64), '0'.repeat(63)])(
        'are undefined under %j if there are none',
        async (id) => {
          expect(await store.getChunk(id)).toBeUndefined();
        },
      );
    });

    describe('the age of chunks', () => {
      const listed = () => all(store.chunks());

      it('is known for each, in the order of ids', async () => {
        expect(await listed()).toStrictEqual([]);
        const ids: string[] = [];
        for (let i = 0; i < 40; i++) ids.push(await store.putChunk(Uint8Array.of(i), NOW + i));
        const expected = ids.map((id, i) => ({ id, putAt: NOW + i }));
        expect(await listed()).toStrictEqual(expected.sort((a, b) => (a.id < b.id ? -1 : 1)));
      });

      it('begins anew when a chunk is put or renewed, and never goes back', async () => {
        const bytes = Uint8Array.of(1);
        const id = await store.putChunk(bytes, NOW);
        await store.putChunk(bytes, NOW + 5);
        expect(await listed()).toStrictEqual([{ id, putAt: NOW + 5 }]);
        await store.renewChunks([id], NOW + 9);
        expect(await listed()).toStrictEqual([{ id, putAt: NOW + 9 }]);
        await Promise.all([store.putChunk(bytes, NOW), store.renewChunks([id], NOW + 1)]);
        expect(await listed()).toStrictEqual([{ id, putAt: NOW + 9 }]);
      });

      it('is kept when the store is closed and opened again', async () => {
        const id = await store.putChunk(Uint8Array.of(1), NOW);
        store = await subject.reopen();
        expect(await listed()).toStrictEqual([{ id, putAt: NOW }]);
      });

      it('can be renewed only for what is there: the rest is named', async () => {
        const id = await store.putChunk(Uint8Array.of(1), NOW);
        const missing = 'f'.repeat(64);
        expect(await store.renewChunks([missing, id, 'nothing'], NOW + 1)).toStrictEqual([
          missing,
          'nothing',
        ]);
        expect(await store.renewChunks([id], NOW + 1)).toStrictEqual([]);
        expect(await store.renewChunks([], NOW + 1)).toStrictEqual([]);
        expect(await listed()).toStrictEqual([{ id, putAt: NOW + 1 }]);
      });

      it('decides what is deleted: what is named and old enough', async () => {
        const [old = '', kept = '', young = ''] = await Promise.all(
          [1, 2, 3].map((i) => store.putChunk(Uint8Array.of(i), NOW + i)),
        );
        await store.putChunk(Uint8Array.of(0), NOW);
        await store.deleteChunks([], NOW + 10);
        expect(await listed()).toHaveLength(4);
        expect(await store.deleteChunks([old, young, 'f'.repeat(64), 'nothing'], NOW + 3)).toBe(1);
        expect(await store.getChunk(old)).toBeUndefined();
        expect(await store.getChunk(kept)).toStrictEqual(Uint8Array.of(2));
        expect(await store.getChunk(young)).toStrictEqual(Uint8Array.of(3));
        expect(await listed()).toHaveLength(3);
        expect(await store.deleteChunks([old], NOW + 10)).toBe(0);
      });

      it('may begin again after a deletion', async () => {
        const bytes = Uint8Array.of(1);
        const id = await store.putChunk(bytes, NOW + 5);
        expect(await store.deleteChunks([id], NOW + 6)).toBe(1);
        expect(await store.putChunk(bytes, NOW)).toBe(id);
        expect(await listed()).toStrictEqual([{ id, putAt: NOW }]);
        expect(await store.getChunk(id)).toStrictEqual(bytes);
      });

      it('leaves a chunk that is put while others delete it', async () => {
        const bytes = Uint8Array.of(1);
        const id = await store.putChunk(bytes, NOW);
        for (let round = 1; round <= 20; round++) {
          const now = NOW + round;
          await Promise.all([
            store.deleteChunks([id], now),
            store.putChunk(bytes, now),
            store.deleteChunks([id], now),
          ]);
          expect(await store.getChunk(id)).toStrictEqual(bytes);
        }
      });
    });

    describe('documents', () => {
      it('are written, written over, and deleted', async () => {
        expect(await store.getDocument('people', 'ada')).toBeUndefined();
        await store.putDocument('people', 'ada', { name: 'Ada' });
        expect(await store.getDocument('people', 'ada')).toStrictEqual({ name: 'Ada' });
        await store.putDocument('people', 'ada', { name: 'Ada L.' });
        expect(await store.getDocument('people', 'ada')).toStrictEqual({ name: 'Ada L.' });
        await store.deleteDocument('people', 'ada');
        expect(await store.getDocument('people', 'ada')).toBeUndefined();
        await store.deleteDocument('people', 'ada');
      });

      it('are told apart by collection and id', async () => {
        const places = [
          ['a', 'b'],
          ['b', 'a'],
          ['ab', 'c'],
          ['a', 'bc'],
          ['a', '😀'],
        ] as const;
        for (const [collection, id] of places) await store.putDocument(collection, id, [collection, id]);
        await store.deleteDocument('a', 'b');
        for (const [collection, id] of places.slice(1)) {
          expect(await store.getDocument(collection, id)).toStrictEqual([collection, id]);
        }
      });

      it('are listed by their collection', async () => {
        for (const [collection, id] of [
          ['a', 'b/c'],
          ['a', 'd'],
          ['a/b', 'c'],
          ['a0', 'x'],
          ['ab', 'y'],
        ] as const) {
          await store.putDocument(collection, id, 1);
        }
        expect((await store.documents('a')).sort()).toEqual(['b/c', 'd']);
        expect(await store.documents('a/b')).toEqual(['c']);
        await store.deleteDocument('a', 'd');
        expect(await store.documents('a')).toEqual(['b/c']);
        expect(await store.documents('none')).toEqual([]);
      });

      it('take writes in the order in which they were made', async () => {
        const writes = Array.from({ length: 50 }, (_, i) => store.putDocument('people', 'ada', i));
        const deletion = store.deleteDocument('people', 'ada');
        const last = store.putDocument('people', 'ada', 'last');
        await Promise.all([...writes, deletion, last]);
        expect(await store.getDocument('people', 'ada')).toBe('last');
      });

      it('are no journals', async () => {
        await store.putDocument('people', 'ada', 1);
        await store.putChunk(Uint8Array.of(1), NOW);
        expect(await store.journals()).toStrictEqual([]);
      });
    });

    describe('closing', () => {
      it('waits for what is under way, and keeps it', async () => {
        const commits = numbered(1, 50);
        const appended = Promise.all(commits.map((commit) => store.append('project', commit)));
        await store.close();
        await appended;
        const reopened = await subject.reopen();
        expect(await all(reopened.read('project', 0))).toStrictEqual(commits);
      });

      it('may be done twice', async () => {
        await Promise.all([store.close(), store.close()]);
        await store.close();
      });

      it('ends every use of the store', async () => {
        await store.append('project', commitAt(1));
        await store.append('project', commitAt(2));
        const reading = store.read('project', 0)[Symbol.asyncIterator]();
        await reading.next();
        const closing = store.close();
        for (let i = 0; i < 2; i++) {
          await expect(store.append('project', commitAt(3))).rejects.toThrow(StoreUnavailableError);
          await expect(all(store.read('project', 0))).rejects.toThrow(StoreUnavailableError);
          await expect(store.head('project')).rejects.toThrow(StoreUnavailableError);
          await expect(store.journals()).rejects.toThrow(StoreUnavailableError);
          await expect(store.putChunk(Uint8Array.of(1), NOW)).rejects.toThrow(StoreUnavailableError);
          await expect(store.getChunk('0'.repeat(64))).rejects.toThrow(StoreUnavailableError);
          await expect(store.renewChunks([], NOW)).rejects.toThrow(StoreUnavailableError);
          await expect(all(store.chunks())).rejects.toThrow(StoreUnavailableError);
          await expect(store.deleteChunks([], NOW)).rejects.toThrow(StoreUnavailableError);
          await expect(store.putDocument('a', 'b', 1)).rejects.toThrow(StoreUnavailableError);
          await expect(store.getDocument('a', 'b')).rejects.toThrow(StoreUnavailableError);
          await expect(store.deleteDocument('a', 'b')).rejects.toThrow(StoreUnavailableError);
          await closing;
        }
        await expect(reading.next()).rejects.toThrow(StoreUnavailableError);
      });
    });

    it('keeps everything when it is closed and opened again', async () => {
      const events = [{ numbers: Float32Array.of(0.5, -0) }];
      for (const { seq } of numbered(1, 5)) await store.append('project', { ...commitAt(seq), events });
      const id = await store.putChunk(Uint8Array.of(1, 2), NOW);
      await store.putDocument('people', 'ada', 'Ada');
      await store.putDocument('people', 'bob', 'Bob');
      await store.deleteDocument('people', 'bob');

      const reopened = await subject.reopen();
      expect(await all(reopened.read('project', 0))).toStrictEqual(
        numbered(1, 5).map((commit) => ({ ...commit, events })),
      );
      expect(await reopened.getChunk(id)).toStrictEqual(Uint8Array.of(1, 2));
      expect(await reopened.getDocument('people', 'ada')).toBe('Ada');
      expect(await reopened.getDocument('people', 'bob')).toBeUndefined();
      expect(await reopened.journals()).toStrictEqual(['project']);

      await expect(reopened.append('project', { ...commitAt(5), id: 'rival' })).rejects.toThrow(
        SeqTakenError,
      );
      await reopened.append('project', commitAt(6));
      expect(await reopened.head('project')).toBe(6);
    });

    it('agrees with a model through any history', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const run = await open();
          try {
            await follow(steps, run);
          } finally {
            await run.destroy();
          }
        }),
        { numRuns: 40 },
      );
    }, 60_000);
  });
}

/** A commit for a place, the same at every call. */
export function commitAt(seq: number): Commit {
  return { seq, id: `commit-${seq}`, time: 1_700_000_000_000 + seq, events: [{ type: 'counted', n: seq }] };
}

function numbered(first: number, last: number): Commit[] {
  return Array.from({ length: last - first + 1 }, (_, i) => commitAt(first + i));
}

/** As `toStrictEqual`, which takes minutes for the largest values. */
function expectSameBytes(actual: unknown, expected: Uint8Array): void {
  expect(actual).toBeInstanceOf(Uint8Array);
  expect(Buffer.compare(actual as Uint8Array, expected)).toBe(0);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function seqs(commits: AsyncIterable<Commit>): Promise<number[]> {
  return (await all(commits)).map(({ seq }) => seq);
}

const text = fc.string({ unit: 'binary', maxLength: 80 });

/** Any value that a store keeps. */
export const { value } = fc.letrec<{ value: StoredValue; leaf: StoredValue }>((tie) => ({
  leaf: fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.constantFrom(-0, Number.NaN),
    text,
    fc.uint8Array(),
    fc.uint16Array(),
    fc.uint32Array(),
    fc.int32Array(),
    fc.float32Array(),
    fc.float64Array(),
  ),
  value: fc.oneof(
    { depthSize: 'small' },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}));

const journal = fc.constantFrom('directory', 'p', 'p1', 'p2');
const document = fc.constantFrom('ada', 'bob');

/** One step of a history. An append goes `ahead` of the head: 1 is next, 0 and less is taken, 2 leaves a gap. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      journal,
      ahead: fc.constantFrom(1, 1, 1, 1, 0, -1, 2),
      isRetry: fc.boolean(),
      events: fc.array(value, { minLength: 1, maxLength: 3 }),
    }),
  },
  fc.record({ kind: fc.constant('race' as const), journal, racers: fc.integer({ min: 2, max: 5 }) }),
  fc.record({ kind: fc.constant('read' as const), journal, after: fc.nat(6) }),
  fc.record({ kind: fc.constant('list' as const) }),
  fc.record({ kind: fc.constant('put' as const), document, value }),
  fc.record({ kind: fc.constant('delete' as const), document }),
  fc.record({ kind: fc.constant('chunk' as const), bytes: fc.uint8Array({ maxLength: 5000 }) }),
  fc.record({ kind: fc.constant('reopen' as const) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Takes the steps one after another, and compares the store with a model after each. */
async function follow(steps: readonly Step[], subject: Subject): Promise<void> {
  let { store } = subject;
  const journals = new Map<string, Commit[]>();
  const documents = new Map<string, StoredValue>();
  const chunks = new Map<string, Uint8Array>();
  const commitsOf = (name: string) => journals.get(name) ?? [];

  for (const [i, step] of steps.entries()) {
    switch (step.kind) {
      case 'append': {
        const commits = commitsOf(step.journal);
        const seq = commits.length + step.ahead;
        const standing = commits[seq - 1];
        const id = step.isRetry && standing ? standing.id : `commit-${i}`;
        const commit = { seq, id, time: i, events: step.events };
        const outcome = await store.append(step.journal, commit).catch((error: unknown) => error);
        if (seq === commits.length + 1) journals.set(step.journal, [...commits, commit]);
        const succeeds = seq === commits.length + 1 || standing?.id === id;
        if (succeeds) expect(outcome).toBeUndefined();
        else expect(outcome).toBeInstanceOf(SeqTakenError);
        break;
      }
      case 'race': {
        const commits = commitsOf(step.journal);
        const racers = Array.from({ length: step.racers }, (_, racer) => ({
          ...commitAt(commits.length + 1),
          id: `race-${i}-${racer}`,
        }));
        const outcomes = await Promise.allSettled(racers.map((commit) => store.append(step.journal, commit)));
        const winners = racers.filter((_, racer) => outcomes[racer]?.status === 'fulfilled');
        expect(winners).toHaveLength(1);
        journals.set(step.journal, [...commits, ...winners]);
        break;
      }
      case 'read':
        expect(await all(store.read(step.journal, step.after))).toStrictEqual(
          commitsOf(step.journal).slice(step.after),
        );
        break;
      case 'list':
        expect(await store.journals()).toStrictEqual([...journals.keys()].sort());
        break;
      case 'put':
        await store.putDocument('people', step.document, step.value);
        documents.set(step.document, step.value);
        break;
      case 'delete':
        await store.deleteDocument('people', step.document);
        documents.delete(step.document);
        break;
      case 'chunk':
        chunks.set(await store.putChunk(step.bytes, NOW), step.bytes);
        break;
      case 'reopen':
        store = await subject.reopen();
        break;
    }
  }

  for (const [name, commits] of journals) {
    expect(await store.head(name)).toBe(commits.length);
    expect(await all(store.read(name, 0))).toStrictEqual(commits);
  }
  for (const id of ['ada', 'bob']) {
    expect(await store.getDocument('people', id)).toStrictEqual(documents.get(id));
  }
  for (const [id, bytes] of chunks) expect(await store.getChunk(id)).toStrictEqual(bytes);
}
