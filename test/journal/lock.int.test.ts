import { spawnSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openLmdbStore } from '../../src/journal/lmdb.ts';
import { FolderLock } from '../../src/journal/lock.ts';
import { StoreError, StoreLockedError } from '../../src/journal/port.ts';
import { commitAt } from './contract.ts';
import { expectRefusal, temporaryFolder } from './folders.ts';
import { bundleChild, Child } from './processes.ts';

describe('the lock on a folder', () => {
  let script: string;
  let folder: string;
  let children: Child[];

  beforeAll(async () => {
    script = await bundleChild();
  });
  afterAll(() => rm(script));
  beforeEach(async () => {
    folder = await temporaryFolder();
    children = [];
  });
  afterEach(async () => {
    await Promise.all(children.map((child) => child.kill()));
    await rm(folder, { recursive: true });
  });

  function start(): Child {
    const child = new Child([process.execPath, script, folder]);
    children.push(child);
    return child;
  }

  async function openElsewhere(): Promise<Child> {
    const child = start();
    expect(await child.greeting).toBe('open');
    return child;
  }

  async function expectFree(): Promise<void> {
    await (await openLmdbStore(folder)).close();
  }

  async function expectHeldBy(whose: 'this' | 'another', pid: number): Promise<void> {
    await expectRefusal(
      openLmdbStore(folder),
      StoreLockedError,
      new RegExp(`${whose} process \\(pid ${pid}\\)`),
    );
  }

  it('keeps other processes out, names the one that is in, and leaves that in peace', async () => {
    const holder = await openElsewhere();
    await expectHeldBy('another', holder.pid);
    expect(await holder.ask('sequence project 1 2')).toStrictEqual([
      'acknowledged <project-1>',
      'acknowledged <project-2>',
    ]);
    await expectHeldBy('another', holder.pid);
  });

  it('keeps the same process out until it closes the store', async () => {
    const store = await openLmdbStore(folder);
    await expectHeldBy('this', process.pid);
    await store.append('project', commitAt(1));
    await expectHeldBy('this', process.pid);
    await store.close();
    await expectFree();
  });

  it('does not wait for a commit of the same process that waits for it', async () => {
    const store = await openLmdbStore(folder);
    for (let seq = 1; seq <= 30; seq++) {
      const appended = store.append('project', commitAt(seq));
      // At one of these moments the commit has its transaction open.
      for (let turn = 0; turn < seq % 5; turn++) await setImmediate();
      await expectHeldBy('this', process.pid);
      await appended;
    }
    await store.close();
  });

  it('is given to one of two that both found it free', async () => {
    const file = join(folder, 'concord.pid');
    const [one, other] = [new FolderLock(file, folder), new FolderLock(file, folder)];
    one.check();
    other.check();
    one.take();
    expect(() => other.take()).toThrow(StoreLockedError);
    other.release();
    expect(() => other.check()).toThrow(StoreLockedError);
    one.release();
    other.take();
    other.release();
  });

  it('goes by the folder, not by how it is called', async () => {
    const store = await openLmdbStore(folder);
    await expectRefusal(
      openLmdbStore(`${folder}/../${folder.split('/').at(-1)}/`),
      StoreLockedError,
      /this process/,
    );
    await store.close();
  });

  it('lets one of ten in who come at once within a process', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => openLmdbStore(folder)));
    const stores = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(stores).toHaveLength(1);
    await stores[0]?.close();
  });

  it('lets one of six processes in that come at once, over the lock of one that was killed', async () => {
    const killed = await openElsewhere();
    await killed.kill();
    const greetings = await Promise.all(Array.from({ length: 6 }, () => start().greeting));
    expect(greetings.filter((greeting) => greeting === 'open')).toHaveLength(1);
    expect(greetings.filter((greeting) => greeting.startsWith('failed StoreLockedError'))).toHaveLength(5);
  });

  it('falls when its holder closes the store', async () => {
    const holder = await openElsewhere();
    await holder.end();
    await expectFree();
  });

  it('falls at once when its holder is killed, and all that was acknowledged is there', async () => {
    const holder = await openElsewhere();
    await holder.ask('sequence project 1 3');
    await holder.kill();
    const store = await openLmdbStore(folder);
    expect(await store.head('project')).toBe(3);
    await store.close();
  });

  it('falls when its holder was killed while it took the lock', async () => {
    await writeFile(join(folder, 'concord.pid'), '{"pid":1,"be');
    await expectFree();
  });

  it.runIf(process.platform === 'linux')('is not held by a later process of the same number', async () => {
    const killed = await openElsewhere();
    const mark = await readFile(join(folder, 'concord.pid'), 'utf8');
    await killed.kill();
    await writeFile(join(folder, 'concord.pid'), mark.replace(`${killed.pid}`, `${process.pid}`));
    await expectFree();
  });

  it('goes by the number alone where the system does not tell when a process began', async () => {
    await writeFile(join(folder, 'concord.pid'), JSON.stringify({ pid: process.ppid }));
    await expectHeldBy('another', process.ppid);

    const ended = spawnSync(process.execPath, ['--version']);
    await writeFile(join(folder, 'concord.pid'), JSON.stringify({ pid: ended.pid }));
    await expectFree();
  });

  it('is not left behind by a store that could not be opened', async () => {
    const data = join(folder, 'concord.mdb');
    await writeFile(data, 'garbage');
    await expectRefusal(openLmdbStore(folder), StoreError, /damaged/);
    await rm(data);
    await mkdir(data);
    await expect(openLmdbStore(folder)).rejects.toThrow();
    await rm(data, { recursive: true });
    await expectFree();
  });
});
