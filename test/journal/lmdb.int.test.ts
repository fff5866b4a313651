import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLmdbStore } from '../../src/journal/lmdb.ts';
import {
  type Commit,
  type Store,
  StoreError,
  StoreTooNewError,
  StoreUnavailableError,
} from '../../src/journal/port.ts';
import { commitAt, journalContract } from './contract.ts';
import { expectRefusal, temporaryFolder } from './folders.ts';
import { bundleChild, Child, canMount, onDisk } from './processes.ts';

journalContract('LMDB', async () => {
  const folder = await temporaryFolder();
  let store = await openLmdbStore(folder);
  return {
    store,
    async reopen() {
      await store.close();
      store = await openLmdbStore(folder);
      return store;
    },
    async destroy() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

const LARGE_BYTES = 2_000_000;

function large(seq: number): Commit {
  return { ...commitAt(seq), events: [new Uint8Array(LARGE_BYTES)] };
}

describe('LMDB', () => {
  let parent: string;
  let folder: string;

  it('does not begin anew where a copy was cut short', async () => {
    await mkdir(folder);
    await writeFile(join(folder, 'concord.mdb.unfinished'), 'half');
    await expectRefusal(openLmdbStore(folder), StoreUnavailableError, /cut short: make it again/);
    await rm(join(folder, 'concord.mdb.unfinished'));
    await (await openLmdbStore(folder)).close();
  });

  beforeEach(async () => {
    parent = await temporaryFolder();
    folder = join(parent, 'store');
  });
  afterEach(() => rm(parent, { recursive: true }));

  /** Makes a store with one commit in it. */
  async function makeStore(): Promise<void> {
    const store = await openLmdbStore(folder);
    await store.append('project', commitAt(1));
    await store.close();
  }

  describe('the folder', () => {
    it('is made, with those above it', async () => {
      const deep = join(folder, 'a', 'b.c');
      await (await openLmdbStore(deep)).close();
      expect((await stat(join(deep, 'concord.mdb'))).isFile()).toBe(true);
    });

    it('may not be a file', async () => {
      await writeFile(folder, 'in the way');
      await expectRefusal(
        openLmdbStore(folder),
        StoreUnavailableError,
        /store.*file is in the way.*choose another/,
      );
      await expectRefusal(openLmdbStore(join(folder, 'below')), StoreUnavailableError, /file is in the way/);
    });

    it('may not hold a folder where the data file should be', async () => {
      await mkdir(join(folder, 'concord.mdb'), { recursive: true });
      await expectRefusal(openLmdbStore(folder), StoreUnavailableError, /a folder is where/);
    });

    it.runIf(process.platform === 'linux')('must be one that can be written', async () => {
      await expectRefusal(
        openLmdbStore('/proc/concord'),
        StoreUnavailableError,
        /\/proc\/concord.*choose another/,
      );
      await expectRefusal(openLmdbStore('/proc'), StoreUnavailableError, /\/proc.*choose another/);
      await expectRefusal(
        openLmdbStore('/sys/kernel'),
        StoreUnavailableError,
        /\/sys\/kernel.*choose another/,
      );
    });

    it.skipIf(!canMount)('may not be on a disk that is read-only', async () => {
      await mkdir(folder);
      const script = await bundleChild();
      const child = new Child(onDisk('ro', folder, [process.execPath, script, folder]));
      expect(await child.greeting).toMatch(/^failed StoreUnavailableError: .*read-only; make it writable/);
      await child.end();
      await rm(script);
    });
  });

  describe('what lies in the folder', () => {
    it('may be of a newer Concord, and is then left alone', async () => {
      await makeStore();
      const env = open({
        path: join(folder, 'concord.mdb'),
        noSubdir: true,
        encoding: 'binary',
        keyEncoding: 'binary',
      });
      await env.put(Buffer.from('format'), Buffer.from('2'));
      await env.close();

      await expectRefusal(openLmdbStore(folder), StoreTooNewError, /has format 2.*reads up to 1/);
      await expectRefusal(openLmdbStore(folder), StoreTooNewError, /has format 2/);
    });

    it('may be of another program', async () => {
      await mkdir(folder);
      const env = open({ path: join(folder, 'concord.mdb'), noSubdir: true });
      await env.put('key', 'value');
      await env.close();
      await expectRefusal(openLmdbStore(folder), StoreError, /none of Concord's/);
    });

    it.each([
      ['garbage', Buffer.alloc(100_000, 'garbage')],
      ['zeros', Buffer.alloc(100_000)],
      ['a few bytes', Buffer.from('x')],
    ])('may be %s', async (_, content) => {
      await mkdir(folder);
      await writeFile(join(folder, 'concord.mdb'), content);
      await expectRefusal(openLmdbStore(folder), StoreError, /damaged.*restore it from a backup/);
      expect(await readFile(join(folder, 'concord.mdb'))).toStrictEqual(content);
    });

    it('may have lost its end', async () => {
      const store = await openLmdbStore(folder);
      for (let seq = 1; seq <= 3; seq++) await store.append('project', large(seq));
      await store.close();
      await truncate(join(folder, 'concord.mdb'), LARGE_BYTES);
      await expectRefusal(openLmdbStore(folder), StoreError, /damaged.*lacks its last \d+ bytes/);
    });

    it.each([
      ['zeros', Buffer.alloc(4_096)],
      ['garbage', Buffer.alloc(4_096, 0xa5)],
    ])('may have %s for one of its two headers', async (_, page) => {
      const store = await openLmdbStore(folder);
      for (let seq = 1; seq <= 3; seq++) await store.append('project', commitAt(seq));
      await store.close();
      const file = await readFile(join(folder, 'concord.mdb'));
      page.copy(file, 4_096);
      await writeFile(join(folder, 'concord.mdb'), file);
      await expectRefusal(openLmdbStore(folder), StoreError, /damaged.*restore it from a backup/);
    });

    it('may have lost a little of its end, which LMDB leaves unwritten at times: if something was in it, that is told', async () => {
      const store = await openLmdbStore(folder);
      for (let seq = 1; seq <= 3; seq++) await store.append('project', large(seq));
      await store.close();
      const { size } = await stat(join(folder, 'concord.mdb'));
      await truncate(join(folder, 'concord.mdb'), size - 500_000);
      const opened = await openLmdbStore(folder);
      const read = async () => {
        for await (const _ of opened.read('project', 0));
      };
      await expect(read()).rejects.toThrow(
        /commit 3 of journal project cannot be read: the store is damaged; restore/,
      );
      await opened.close();
    });

    it('may be an empty file, which is a new store', async () => {
      await mkdir(folder);
      await writeFile(join(folder, 'concord.mdb'), '');
      await makeStore();
    });

    it('grows far beyond the space that it began with', async () => {
      const store = await openLmdbStore(folder);
      const count = 60;
      await Promise.all(Array.from({ length: count }, (_, i) => store.append('project', large(i + 1))));
      let read = 0;
      for await (const { seq, events } of store.read('project', 0)) {
        expect(seq).toBe(++read);
        expect(events[0]).toHaveLength(LARGE_BYTES);
      }
      expect(read).toBe(count);
      await store.close();
    });
  });
});

describe('what was deleted from a folder', () => {
  const SECRET = 'a name that is to go';
  let folder: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => rm(folder, { recursive: true }));

  const isInFile = async () => {
    const found: string[] = [];
    for (const file of await readdir(folder))
      if ((await readFile(join(folder, file))).includes(SECRET)) found.push(file);
    return found;
  };

  /** A store with a secret among much else, which is deleted. */
  async function withDeleted(): Promise<Uint8Array> {
    const store = await openLmdbStore(folder);
    const chunk = await store.putChunk(Buffer.from(`${SECRET} ${'x'.repeat(50_000)}`), 1);
    for (let i = 0; i < 50; i++)
      await store.putDocument('people', `p${i}`, i === 20 ? SECRET : `person ${i}`);
    const kept = new Uint8Array(3_000_000).fill(7);
    await store.putChunk(kept, 5);
    for (let seq = 1; seq <= 30; seq++) await store.append('project', commitAt(seq));
    await store.deleteDocument('people', 'p20');
    await store.deleteChunks([chunk], 2);
    await store.purge?.mark();
    expect(store.purge?.isDue()).toBe(true);
    await store.close();
    return kept;
  }

  async function expectWhole(store: Store, kept: Uint8Array): Promise<void> {
    expect(await store.head('project')).toBe(30);
    const commits = [];
    for await (const commit of store.read('project', 0)) commits.push(commit);
    expect(commits).toEqual(Array.from({ length: 30 }, (_, i) => commitAt(i + 1)));
    expect(await store.documents('people')).toHaveLength(49);
    const chunks = [];
    for await (const chunk of store.chunks()) chunks.push(chunk);
    expect(chunks).toMatchObject([{ putAt: 5 }]);
    expect(Buffer.compare((await store.getChunk(chunks[0]?.id ?? '')) ?? new Uint8Array(), kept)).toBe(0);
  }

  it('lies in its file until the next start, which writes that anew, and then nowhere', async () => {
    const kept = await withDeleted();
    // Else this test could not fail.
    expect(await isInFile()).toEqual(['concord.mdb']);
    const store = await openLmdbStore(folder);
    expect(await isInFile()).toEqual([]);
    expect(store.purge?.isDue()).toBe(false);
    await expectWhole(store, kept);
    await store.append('project', commitAt(31));
    await store.close();
    const again = await openLmdbStore(folder);
    expect(await again.head('project')).toBe(31);
    await again.close();
    expect((await readdir(folder)).sort()).toEqual(['concord.mdb', 'concord.mdb-lock']);
  });

  it('goes all the same where an earlier try was cut short', async () => {
    const kept = await withDeleted();
    await writeFile(join(folder, 'concord.mdb.unfinished'), 'half of it');
    const store = await openLmdbStore(folder);
    expect(await isInFile()).toEqual([]);
    await expectWhole(store, kept);
    await store.close();
  });

  it('stays for another process that reads the folder meanwhile, and whose reading goes on', async () => {
    const kept = await withDeleted();
    const reader = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      READER,
      join(folder, 'concord.mdb'),
    ]);
    const lines = createInterface(reader.stdout)[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('49');
    const store = await openLmdbStore(folder);
    await expectWhole(store, kept);
    for (let i = 0; i < 50; i++) await store.putDocument('people', `new ${i}`, i);
    reader.stdin.end('go on\n');
    expect((await lines.next()).value).toBe('49');
    await store.close();
  });
});

/** Counts the documents of a store, says how many, and again when it is told to go on. */
const READER = `
  import { open } from 'lmdb';
  const env = open({ path: process.argv[1], noSubdir: true, readOnly: true });
  const documents = env.openDB({ name: 'documents', encoding: 'binary', keyEncoding: 'binary' });
  console.log(documents.getKeysCount());
  process.stdin.once('data', () => console.log(documents.getKeysCount()));
`;
