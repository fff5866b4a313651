import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freePort } from '../../bench/scale/freePort.ts';
import { openStore } from '../../src/journal/open.ts';
import { type Commit, type Store, StoreUnavailableError } from '../../src/journal/port.ts';
import { describeNeeding } from '../support/needing.ts';
import { commitAt } from './contract.ts';
import { temporaryFolder } from './folders.ts';
import { all } from './wire.ts';

/** What starts a server, given a port and a folder: see `test/servers`. */
describeNeeding('CONCORD_TEST_SECANTUSDB', 'A server that is killed and comes back', (command) => {
  let folder: string;
  let port: number;
  let url: string;
  let server: ChildProcess;
  const opened: Store[] = [];

  async function open(): Promise<Store> {
    const store = await openStore(url);
    opened.push(store);
    return store;
  }

  async function start(): Promise<void> {
    server = spawn(command, [String(port), folder], { stdio: 'ignore' });
    const client = new MongoClient(url, { serverSelectionTimeoutMS: 60_000 });
    await client.connect();
    await client.close();
  }

  async function kill(): Promise<void> {
    const exit = once(server, 'exit');
    server.kill('SIGKILL');
    await exit;
  }

  beforeEach(async () => {
    folder = await temporaryFolder();
    port = await freePort();
    url = `mongodb://127.0.0.1:${port}/?directConnection=true&serverSelectionTimeoutMS=2000`;
    await start();
  }, 120_000);
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await kill();
    await rm(folder, { recursive: true });
  });

  it('has every acknowledged commit, once and in order', async () => {
    const store = await open();
    const kills = 4;
    const acknowledged = new Map<string, Commit[]>();
    let count = 0;
    let isDone = false;

    /** Appends as a host does: a commit of unknown outcome is tried again, until it is known. */
    async function write(journal: string): Promise<void> {
      const commits: Commit[] = [];
      acknowledged.set(journal, commits);
      while (!isDone) {
        const commit = { ...commitAt(commits.length + 1), id: `${journal}-${commits.length + 1}` };
        try {
          await store.append(journal, commit);
          commits.push(commit);
          count++;
        } catch (error) {
          expect(error).toBeInstanceOf(StoreUnavailableError);
          await pause(50);
        }
      }
    }

    const writers = ['a', 'b', 'c', 'd'].map(write);
    for (let i = 0; i < kills; i++) {
      const before = count;
      await expect.poll(() => count, { timeout: 30_000 }).toBeGreaterThan(before + 40);
      // In the midst of whatever it does.
      await pause(7 * i);
      await kill();
      await start();
    }
    const before = count;
    await expect.poll(() => count, { timeout: 30_000 }).toBeGreaterThan(before + 20);
    isDone = true;
    await Promise.all(writers);

    for (const reader of [store, await open()]) {
      expect(await reader.journals()).toStrictEqual([...acknowledged.keys()]);
      for (const [journal, commits] of acknowledged) {
        expect(await all(reader.read(journal, 0))).toStrictEqual(commits);
      }
    }
  }, 180_000);

  it('has chunks and documents', async () => {
    const store = await open();
    const chunk = await store.putChunk(new Uint8Array(1_000_000).fill(7), 1);
    await store.putDocument('people', 'ada', { name: 'Ada' });
    await store.putDocument('people', 'bob', { name: 'Bob' });
    await store.deleteDocument('people', 'bob');
    await kill();
    await start();
    const after = await open();
    expect((await after.getChunk(chunk))?.length).toBe(1_000_000);
    expect(await after.getDocument('people', 'ada')).toStrictEqual({ name: 'Ada' });
    expect(await after.getDocument('people', 'bob')).toBeUndefined();
  }, 60_000);

  it('goes on waking those who follow', async () => {
    const [writer, follower] = [await open(), await open()];
    let rings = 0;
    const stop = follower.watch?.(() => rings++);
    let seq = 0;
    const appendUntilRung = async () => {
      const before = rings;
      for (let i = 0; i < 200 && rings === before; i++) {
        await writer.append('project', commitAt(++seq));
        await pause(20);
      }
      expect(rings).toBeGreaterThan(before);
    };
    await appendUntilRung();
    await kill();
    await start();
    await appendUntilRung();
    stop?.();
  }, 60_000);
});
