import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backUpLmdbStore, openLmdbStore, readLmdbStore } from '../../src/journal/lmdb.ts';
import { openStore } from '../../src/journal/open.ts';
import { type Store, StoreError, StoreLockedError, StoreUnavailableError } from '../../src/journal/port.ts';
import { commitAt } from './contract.ts';
import { expectRefusal, temporaryFolder } from './folders.ts';
import { bundleChild, Child } from './processes.ts';

/** What others do to a folder that a process has open: read it, and back it up. */
describe('A store in use', () => {
  let parent: string;
  let folder: string;

  beforeEach(async () => {
    parent = await temporaryFolder();
    folder = join(parent, 'store');
  });
  afterEach(() => rm(parent, { recursive: true }));

  async function seqs(store: Store, journal: string): Promise<number[]> {
    const read: number[] = [];
    for await (const { seq } of store.read(journal, 0)) read.push(seq);
    return read;
  }

  describe('by another process', () => {
    let child: Child;
    let script: string;

    beforeEach(async () => {
      script = await bundleChild();
      child = new Child([process.execPath, script, folder]);
      expect(await child.greeting).toBe('open');
    });
    afterEach(async () => {
      await child.end();
      await rm(script);
    });

    it('is read while it is written, and is not written by who reads', async () => {
      await child.ask('sequence p 1 50');
      const reader = await openStore(folder, 'READ');
      expect(await seqs(reader, 'p')).toHaveLength(50);
      await child.ask('sequence p 51 60');
      expect(await seqs(reader, 'p')).toHaveLength(60);
      expect(await reader.journals()).toEqual(['p']);
      for (const write of [
        reader.append('p', commitAt(61)),
        reader.putChunk(Uint8Array.of(1), 1),
        reader.renewChunks(['a'], 1),
        reader.deleteChunks([], 1),
        reader.putDocument('a', 'b', 1),
        reader.deleteDocument('a', 'b'),
      ]) {
        await expect(write).rejects.toThrow(StoreUnavailableError);
      }
      await reader.close();
      await expectRefusal(openLmdbStore(folder), StoreLockedError, /open in another process/);
      expect(await child.ask('sequence p 61 61')).toEqual(['acknowledged <p-61>']);
    });

    it('is backed up whole, as it is at one moment', async () => {
      await child.ask('sequence p 1 20 100000');
      const writing = child.ask('sequence p 21 400 20000');
      const backups: string[] = [];
      for (let i = 0; i < 3; i++) {
        const backup = join(parent, `backup-${i}`);
        await backUpLmdbStore(folder, backup);
        backups.push(backup);
      }
      expect(await writing).toHaveLength(380);
      let before = 20;
      for (const backup of backups) {
        expect(await readdir(backup)).toEqual(['concord.mdb']);
        const copy = await openLmdbStore(backup);
        const read = await seqs(copy, 'p');
        expect(read).toEqual(Array.from({ length: read.length }, (_, i) => i + 1));
        expect(read.length).toBeGreaterThanOrEqual(before);
        before = read.length;
        // It is a store like any other.
        await copy.append('p', commitAt(read.length + 1));
        await copy.close();
      }
    });
  });

  it('that nobody has open is read and backed up as well', async () => {
    const store = await openLmdbStore(folder);
    await store.append('p', commitAt(1));
    await store.close();
    const backup = join(parent, 'deep', 'backup');
    await backUpLmdbStore(folder, backup);
    const reader = await readLmdbStore(backup);
    expect(await seqs(reader, 'p')).toEqual([1]);
    await reader.close();
  });

  it('is not backed up over something else', async () => {
    await (await openLmdbStore(folder)).close();
    const target = join(parent, 'target');
    await mkdir(target);
    await writeFile(join(target, 'file'), 'mine');
    const outcome = await backUpLmdbStore(folder, target).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(StoreUnavailableError);
    expect(String(outcome)).toMatch(/target is not empty \(it has file\); choose a folder that is/);
    expect(await readdir(target)).toEqual(['file']);
  });

  it.each([
    ['is missing', async () => undefined, StoreUnavailableError, /there is no store in .*concord\.mdb/],
    ['is an empty file', () => writeAs(''), StoreUnavailableError, /there is no store in .*is empty/],
    [
      'is none',
      () => writeAs(Buffer.alloc(10_000, 'garbage')),
      StoreError,
      /damaged, or is none of Concord's/,
    ],
  ])('that %s is neither read nor backed up, nor made', async (_, prepare, kind, message) => {
    await prepare();
    for (const outcome of [
      await readLmdbStore(folder).catch((error: unknown) => error),
      await backUpLmdbStore(folder, join(parent, 'backup')).catch((error: unknown) => error),
    ]) {
      expect(outcome).toBeInstanceOf(kind);
      expect(String(outcome)).toMatch(message);
    }
    expect(await readdir(parent)).not.toContain('backup');
  });

  async function writeAs(content: string | Buffer): Promise<void> {
    await mkdir(folder);
    await writeFile(join(folder, 'concord.mdb'), content);
  }
});
