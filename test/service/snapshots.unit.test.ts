import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProjectEvent } from '../../src/domain/events.ts';
import type { Project } from '../../src/domain/project.ts';
import { StoreUnavailableError } from '../../src/journal/port.ts';
import { foldFromZero, type JournalKind, loadProjection } from '../../src/service/folding.ts';
import { JournalHost } from '../../src/service/journalHost.ts';
import { PROJECT_KIND } from '../../src/service/projectKind.ts';
import { chunksOf, readManifest } from '../../src/service/snapshotFormat.ts';
import { takeSnapshot } from '../../src/service/snapshots.ts';
import { dump } from '../domain/dump.ts';
import type { MemoryStore } from '../support/memoryStore.ts';
import { openWorld, type World } from './world.ts';

const pause = async () => undefined;

describe('a snapshot', () => {
  let world: World;
  let store: MemoryStore;
  let project: string;
  const useless: string[] = [];

  const options = () => ({
    pause,
    now: () => world.world.now(),
    onUselessSnapshot: (problem: string) => useless.push(problem),
  });
  const take = (kind: JournalKind<Project, ProjectEvent> = PROJECT_KIND) =>
    takeSnapshot(store, project, kind, options());
  const load = (kind: JournalKind<Project, ProjectEvent> = PROJECT_KIND) =>
    loadProjection(store, project, kind, options());
  const folded = () => foldFromZero(store, project, PROJECT_KIND, { pause });
  /** How many commits a load reads. */
  const commitsRead = async () => {
    let read = 0;
    await loadProjection(store, project, PROJECT_KIND, { ...options(), onCommit: () => read++ });
    return read;
  };
  const manifest = async () => {
    const standing = await readManifest(store, project);
    if (standing === null) throw new Error('there is no snapshot');
    return standing;
  };
  const someChunk = async () => [...chunksOf(await manifest())][3] ?? '';
  const listed = async () => {
    const ids: string[] = [];
    for await (const { id } of store.chunks()) ids.push(id);
    return ids;
  };

  beforeEach(async () => {
    useless.length = 0;
    world = await openWorld();
    ({ store, project } = world);
    await world.importSamples(30);
    await world.openRound(5);
    const ann = await world.member('ANNOTATOR');
    await ann.live.execute('claim', { by: ann.viewer.member, hold: 3 }, () => undefined);
  });

  const expectToLoad = async () => expect(dump(await load())).toEqual(dump(await folded()));

  it('stands for the commits before it', async () => {
    const head = await store.head(project);
    expect(await commitsRead()).toBe(head);
    const taken = await take();
    expect(taken).toMatchObject({ seq: head, bytes: expect.any(Number) });
    expect(await commitsRead()).toBe(0);
    await world.importSamples(3, 1);
    expect(await commitsRead()).toBe(1);
    await expectToLoad();
    expect(useless).toEqual([]);
  });

  it('that is followed by the next while it is loaded is left for that one', async () => {
    await take();
    await world.importSamples(3, 1);
    let isTaken = false;
    const loaded = await loadProjection(store, project, PROJECT_KIND, {
      ...options(),
      async pause() {
        if (!isTaken) await take();
        isTaken = true;
      },
    });
    expect(dump(loaded)).toEqual(dump(await folded()));
    expect(isTaken).toBe(true);
    expect(useless).toEqual([]);
  });

  it('is not taken again when nothing is new', async () => {
    expect(await take()).not.toBeNull();
    expect(await take()).toBeNull();
  });

  it('of an empty journal there is none', async () => {
    expect(await takeSnapshot(store, 'nobody', PROJECT_KIND, options())).toBeNull();
  });

  it('begins at the one before, and takes its place with all its chunks', async () => {
    const others = await listed();
    await take();
    const before = chunksOf(await manifest());
    await world.importSamples(3, 1);
    const blocks = await listed();
    await take();
    const after = chunksOf(await manifest());
    expect(new Set(await listed())).toEqual(
      new Set([...others, ...blocks.filter((id) => !before.has(id)), ...after]),
    );
    // What was imported at first stands in both.
    expect([...after].some((id) => before.has(id))).toBe(true);
    await expectToLoad();
  });

  it('shares no chunk with another journal that came to the same', async () => {
    await take();
    let seq = 0;
    for await (const commit of store.read(project, 0)) {
      await store.append('twin', { ...commit, seq: ++seq });
    }
    await takeSnapshot(store, 'twin', PROJECT_KIND, options());
    const [own, twins] = [chunksOf(await manifest()), chunksOf(await readManifest(store, 'twin'))];
    expect([...own].filter((id) => twins.has(id))).toEqual([]);
  });

  it('stands only when all of it is stored', async () => {
    await take();
    const standing = await manifest();
    await world.importSamples(3, 1);
    let steps = 0;
    const stopping = takeSnapshot(store, project, PROJECT_KIND, {
      ...options(),
      pause: async () => {
        if (++steps > 40) throw new Error('stopped');
      },
    });
    await expect(stopping).rejects.toThrow('stopped');
    expect(await manifest()).toEqual(standing);
    await expectToLoad();
  });

  it.each([
    ['a missing chunk', async () => store.loseChunk(await someChunk()), /chunk [0-9a-f]{64} is missing/],
    ['a damaged chunk', async () => store.damageChunk(await someChunk()), /chunk [0-9a-f]{64} is damaged/],
    ['a manifest that is cut short', async () => putManifest({ parts: [] }), /lacks/],
    ['a manifest without sense', async () => putManifest({ parts: 7 }), /./],
    ['a manifest of another journal', async () => putManifest({ commit: 'other' }), /another journal/],
    ['a manifest ahead of the journal', async () => putManifest({ seq: 99 }), /another journal/],
    ['chunks in each other’s place', swapParts, /is none of/],
    ['a length that is wrong', async () => resizePart(), /bytes/],
  ])(
    'with %s is of no use: the journal is folded, and the next one stands again',
    async (_, damage, says) => {
      await take();
      await damage();
      await expectToLoad();
      expect(useless).toEqual([expect.stringMatching(says)]);
      expect(await take()).not.toBeNull();
      useless.length = 0;
      expect(await commitsRead()).toBe(0);
      await expectToLoad();
      expect(useless).toEqual([]);
    },
  );

  async function putManifest(change: object): Promise<void> {
    await store.putDocument('snapshots', project, { ...(await manifest()), ...change } as never);
  }

  async function swapParts(): Promise<void> {
    const { parts } = await manifest();
    const [live, skips] = ['samples.live', 'samples.skips'].map((wanted) =>
      parts.find(({ name }) => name === wanted),
    );
    const swapped = parts.map((part) => (part === live ? { ...part, chunks: skips?.chunks } : part));
    await putManifest({ parts: swapped });
  }

  async function resizePart(): Promise<void> {
    const { parts } = await manifest();
    await putManifest({
      parts: parts.map((part) => (part.name === 'samples.live' ? { ...part, bytes: 31 } : part)),
    });
  }

  it('of another fold is passed over in silence, and replaced', async () => {
    await take();
    const { form } = PROJECT_KIND;
    if (form === null) throw new Error('projects have snapshots');
    const newer = { ...PROJECT_KIND, form: { ...form, version: form.version + 1 } };
    expect((await load(newer)).seq).toBe(await store.head(project));
    expect(useless).toEqual([]);
    expect(await take(newer)).not.toBeNull();
    expect((await manifest()).version).toBe(form.version + 1);
  });

  it('does not hide that the store is out of reach', async () => {
    await take();
    vi.spyOn(store, 'getChunk').mockRejectedValue(new StoreUnavailableError('gone'));
    await expect(load()).rejects.toThrow(StoreUnavailableError);
    expect(useless).toEqual([]);
  });

  it('is loaded by a host, which tells how much it has folded since', async () => {
    await take();
    await world.importSamples(10, 1);
    const listener = { onUselessSnapshot: vi.fn(), onFolded: vi.fn() };
    const host = new JournalHost(PROJECT_KIND, project, store, world.world, listener);
    const reading = host.read(({ samples }) => samples.size);
    await world.world.pass(1_000);
    expect(await reading).toBe(40);
    // An imported sample costs a fifth of an ordinary event.
    expect(listener.onFolded.mock.calls).toEqual([[project, 2]]);
    expect(listener.onUselessSnapshot).not.toHaveBeenCalled();
    store.loseChunk(await someChunk());
    const other = new JournalHost(PROJECT_KIND, project, store, world.world, listener);
    const again = other.read(({ samples }) => samples.size);
    await world.world.pass(1_000);
    expect(await again).toBe(40);
    expect(listener.onUselessSnapshot).toHaveBeenCalledExactlyOnceWith(
      project,
      expect.stringContaining('is missing'),
    );
  });
});
