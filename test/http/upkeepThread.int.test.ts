import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { UpkeepThread } from '../../src/http/upkeepThread.ts';
import { openLmdbStore } from '../../src/journal/lmdb.ts';
import type { Store } from '../../src/journal/port.ts';
import { foldFromZero, loadProjection } from '../../src/service/folding.ts';
import { PROJECT_KIND } from '../../src/service/projectKind.ts';
import { readManifest } from '../../src/service/snapshotFormat.ts';
import { dump } from '../domain/dump.ts';
import { pool, type Scenario } from '../domain/scenario.ts';

const DAY = 86_400_000;
const WORKER = fileURLToPath(new URL('../../src/http/upkeepWorker.ts', import.meta.url));
/** Below node_modules, so that the worker finds the packages that are not bundled into it. */
const BUNDLES = fileURLToPath(new URL('../../node_modules/.cache/concord-test', import.meta.url));

/** The threads that keep a store in order, on LMDB, beside a thread that writes. */
describe('the upkeep, in threads', () => {
  const bundle = join(BUNDLES, `upkeep-worker-${process.pid}.mjs`);
  const pause = async () => undefined;
  const onUselessSnapshot = vi.fn();
  let folder: string;
  let store: Store;
  let threads: UpkeepThread;

  beforeAll(async () => {
    await mkdir(BUNDLES, { recursive: true });
    await build({
      entryPoints: [WORKER],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
    });
  });
  afterAll(() => rm(bundle));

  beforeEach(async () => {
    vi.clearAllMocks();
    folder = await mkdtemp(join(tmpdir(), 'concord-upkeep-'));
    store = await openLmdbStore(folder);
    threads = new UpkeepThread(pathToFileURL(bundle), folder, onUselessSnapshot);
  });
  afterEach(async () => {
    await threads.close();
    await store.close();
    await rm(folder, { recursive: true });
  });

  /** A journal of some length: samples, claims and answers. */
  async function write({ commits }: Scenario, journal = 'p', from = 0): Promise<void> {
    await Promise.all(
      commits
        .slice(from)
        .map((commit) => store.append(journal, { ...commit, id: `c${commit.seq}` } as never)),
    );
  }

  function story(answers: number): Scenario {
    const scenario = pool(200);
    for (let i = 0; i < answers; i++) scenario.labels(`member ${i % 3}`);
    return scenario;
  }

  async function expectToLoad(journal = 'p'): Promise<void> {
    const loaded = await loadProjection(store, journal, PROJECT_KIND, { pause, onUselessSnapshot });
    expect(dump(loaded)).toEqual(dump(await foldFromZero(store, journal, PROJECT_KIND, { pause })));
  }

  it('take a snapshot of what is committed, while more is', async () => {
    const scenario = story(30);
    await write(scenario);
    const before = scenario.commits.length;
    for (let i = 0; i < 60; i++) scenario.labels(`member ${i % 3}`);
    const writing = write(scenario, 'p', before);
    const taken = await threads.snapshot('p');
    await writing;
    expect(taken?.seq).toBeGreaterThanOrEqual(before);
    expect(await readManifest(store, 'p')).toMatchObject({ seq: taken?.seq });
    await expectToLoad();
    await threads.snapshot('p');
    expect(await threads.snapshot('p')).toBeNull();
    expect(await readManifest(store, 'p')).toMatchObject({ seq: scenario.commits.length });
    await expectToLoad();
    expect(onUselessSnapshot).not.toHaveBeenCalled();
  });

  it('tell of a snapshot that is damaged, and put another in its place', async () => {
    await write(story(5));
    await threads.snapshot('p');
    const manifest = await readManifest(store, 'p');
    await store.deleteChunks([manifest?.parts[0]?.chunks[0] ?? ''], Date.now() + DAY);
    expect(await threads.snapshot('p')).not.toBeNull();
    expect(onUselessSnapshot).toHaveBeenCalledExactlyOnceWith('p', expect.stringContaining('is missing'));
    vi.clearAllMocks();
    await expectToLoad();
    expect(onUselessSnapshot).not.toHaveBeenCalled();
  });

  it('sweep what nothing names', async () => {
    await write(story(5));
    const old = await store.putChunk(Uint8Array.of(1), Date.now() - 2 * DAY);
    const young = await store.putChunk(Uint8Array.of(2), Date.now());
    expect(await threads.sweep()).toEqual({ chunks: 2, deleted: 1 });
    expect(await store.getChunk(old)).toBeUndefined();
    expect(await store.getChunk(young)).toBeDefined();
  });

  it('say why they have failed', async () => {
    await store.append('p', { seq: 1, id: 'c', time: 1, events: [{ type: 'videoAdded' }] });
    await expect(threads.snapshot('p')).rejects.toThrow(/newer version of Concord.*videoAdded/);
    await expect(threads.sweep()).resolves.toEqual({ chunks: 0, deleted: 0 });
    const nowhere = new UpkeepThread(pathToFileURL(bundle), join(folder, 'nowhere'));
    await expect(nowhere.sweep()).rejects.toThrow('there is no store');
    const nobody = new UpkeepThread(pathToFileURL(join(folder, 'none.mjs')), folder);
    await expect(nobody.sweep()).rejects.toThrow();
  });

  it('stop when they are asked to, and leave the store well', async () => {
    await write(story(100));
    const outcome = threads.snapshot('p').then(
      () => 'done',
      (error: Error) => error.message,
    );
    await threads.close();
    expect(['done', 'it was stopped']).toContain(await outcome);
    await expect(threads.sweep()).rejects.toThrow('has ended');
    await store.append('q', { seq: 1, id: 'c', time: 1, events: [1] });
    await expectToLoad();
  });
});
