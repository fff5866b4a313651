import { beforeEach, describe, expect, it, vi } from 'vitest';
import { PROJECT_KIND } from '../../src/service/projectKind.ts';
import { readManifest } from '../../src/service/snapshotFormat.ts';
import { takeSnapshot } from '../../src/service/snapshots.ts';
import { verifyProject } from '../../src/service/verifying.ts';
import type { MemoryStore } from '../support/memoryStore.ts';
import { openWorld, type World } from './world.ts';

describe('verification', () => {
  let world: World;
  let store: MemoryStore;
  const pause = async () => undefined;
  const onProgress = vi.fn();
  const verify = () => verifyProject(store, world.project, { pause, onProgress });
  const snapshot = () =>
    takeSnapshot(store, world.project, PROJECT_KIND, {
      pause,
      now: () => world.world.now(),
      onUselessSnapshot: () => undefined,
    });
  const manifest = async () => {
    const standing = await readManifest(store, world.project);
    if (standing === null) throw new Error('there is no snapshot');
    return standing;
  };
  const someBlock = async () => {
    const { chunk } = await world.owner.live.read(({ samples }) => samples.payload(0));
    return chunk;
  };

  beforeEach(async () => {
    world = await openWorld();
    ({ store } = world);
    await world.importSamples(5);
    await world.importSamples(6, 1);
  });

  it('finds a sound project identical, with a snapshot and without', async () => {
    expect(await verify()).toEqual({
      journal: world.project,
      seq: 3,
      chunks: 2,
      snapshot: null,
      problems: [],
    });
    await snapshot();
    await world.openRound(3);
    expect(await verify()).toMatchObject({ seq: 4, snapshot: 3, problems: [] });
    expect(onProgress).toHaveBeenCalledWith('commits', 4, 4);
    expect(onProgress).toHaveBeenCalledWith('chunks', 2, 2);
  });

  it('names a chunk that is missing, and one that is damaged', async () => {
    const chunk = await someBlock();
    store.damageChunk(chunk);
    expect(await verify()).toMatchObject({
      problems: [`chunk ${chunk} is damaged: it holds other bytes than it was named after`],
    });
    store.loseChunk(chunk);
    expect(await verify()).toMatchObject({ problems: [`chunk ${chunk} is missing from the store`] });
  });

  it('says when a snapshot is of no use', async () => {
    await snapshot();
    const [part] = (await manifest()).parts;
    store.loseChunk(part?.chunks[0] ?? '');
    const { problems } = await verify();
    expect(problems).toEqual([expect.stringMatching(/snapshot is of no use: chunk [0-9a-f]{64} is missing/)]);
  });

  it('says in what a snapshot differs', async () => {
    await snapshot();
    const standing = await manifest();
    const skips = standing.parts.find(({ name }) => name === 'samples.skips');
    const wrong = Buffer.concat([
      Buffer.from(`snapshot of ${world.project}: samples.skips\n`),
      Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0),
    ]);
    const id = await store.putChunk(wrong, 0);
    const parts = standing.parts.map((part) => (part === skips ? { ...part, chunks: [id] } : part));
    await store.putDocument('snapshots', world.project, { ...standing, parts });
    const { problems } = await verify();
    expect(problems).toEqual(['its snapshot differs from its commits: samples.skips at 3']);
  });

  it('says when the journal ends before its snapshot does', async () => {
    await snapshot();
    await store.putDocument('snapshots', world.project, { ...(await manifest()), seq: 7 });
    expect((await verify()).problems).toEqual([
      'it ends at commit 3, and its snapshot is of commit 7: commits are lost',
    ]);
  });

  it('says when the journal cannot be folded, and still looks at its chunks', async () => {
    const chunk = await someBlock();
    store.loseChunk(chunk);
    await store.append(world.project, { seq: 4, id: 'x', time: 2e12, events: [{ type: 'videoAdded' }] });
    const { problems } = await verify();
    expect(problems).toEqual([
      expect.stringContaining('newer version'),
      `chunk ${chunk} is missing from the store`,
    ]);
  });

  it('names some of very many', async () => {
    for (let part = 2; part < 40; part++) await world.importSamples(part + 6, part);
    for await (const { id } of store.chunks()) store.loseChunk(id);
    const { problems } = await verify();
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe('and 20 more chunks');
  });
});
