import { beforeEach, describe, expect, it } from 'vitest';
import { UnknownEventError } from '../../src/domain/events.ts';
import { sweepChunks } from '../../src/service/chunkSweep.ts';
import { publishPredictions, uploadPredictions } from '../../src/service/predictions.ts';
import { PROJECT_KIND } from '../../src/service/projectKind.ts';
import { takeSnapshot } from '../../src/service/snapshots.ts';
import type { MemoryStore } from '../support/memoryStore.ts';
import { openWorld, type World } from './world.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('the sweep', () => {
  let world: World;
  let store: MemoryStore;
  const pause = async () => undefined;
  const now = () => world.world.now();
  const sweep = () => sweepChunks(store, { now, pause });
  const ids = async () => {
    const all: string[] = [];
    for await (const { id } of store.chunks()) all.push(id);
    return all;
  };
  const upload = () =>
    uploadPredictions(world.concord, world.owner, {
      rows: { numbers: [0, 1] },
      classes: 2,
      probabilities: new Uint8Array(Float32Array.of(0.9, 0.1, 0.2, 0.8).buffer),
      passes: [],
    });

  beforeEach(async () => {
    world = await openWorld();
    ({ store } = world);
    await world.importSamples(3);
  });

  it('deletes what nobody has named within a day, and nothing else', async () => {
    const { receipt } = await upload();
    await publishPredictions(world.concord, world.owner, { model: 'm', receipts: [receipt] });
    await takeSnapshot(store, world.project, PROJECT_KIND, {
      now,
      pause,
      onUselessSnapshot: () => undefined,
    });
    // The record behind a receipt has done its work.
    const named = (await ids()).filter((id) => id !== receipt);
    const left = await store.putChunk(Uint8Array.of(1), now());
    await world.world.pass(DAY);
    expect(await sweep()).toEqual({ chunks: named.length + 2, deleted: 0 });
    await world.world.pass(1);
    const young = await store.putChunk(Uint8Array.of(2), now());
    expect(await sweep()).toEqual({ chunks: named.length + 3, deleted: 2 });
    expect(await store.getChunk(left)).toBeUndefined();
    expect(new Set(await ids())).toEqual(new Set([...named, young]));
  });

  it('leaves what was stored again and is about to be named', async () => {
    const bytes = Uint8Array.of(1);
    const id = await store.putChunk(bytes, now());
    await world.world.pass(2 * DAY);
    await store.putChunk(bytes, now());
    await sweep();
    expect(await store.getChunk(id)).toEqual(bytes);
  });

  it('leaves what is stored again after it has looked', async () => {
    const bytes = Uint8Array.of(1);
    const id = await store.putChunk(bytes, now());
    await world.world.pass(2 * DAY);
    let isPut = false;
    await sweepChunks(store, {
      now,
      async pause() {
        // The last pause comes just before the deletion.
        if (!isPut) await store.putChunk(bytes, now());
        isPut = true;
      },
    });
    expect(isPut).toBe(true);
    expect(await store.getChunk(id)).toEqual(bytes);
  });

  it('leaves uploaded predictions that are published late', async () => {
    const { receipt } = await upload();
    await world.world.pass(2 * DAY);
    await publishPredictions(world.concord, world.owner, { model: 'm', receipts: [receipt] });
    await sweep();
    const named = await world.owner.live.read(({ runs }) => runs[0]?.published.parts[0]);
    expect(await store.renewChunks([named?.matrix ?? '', named?.verdicts ?? ''], 0)).toEqual([]);
  });

  it('may have been quicker than who publishes, who is told so', async () => {
    const { receipt } = await upload();
    await world.world.pass(2 * DAY);
    expect(await sweep()).toMatchObject({ deleted: 4 });
    const publishing = publishPredictions(world.concord, world.owner, { model: 'm', receipts: [receipt] });
    await expect(publishing).rejects.toMatchObject({ code: 'UNKNOWN_PART', details: { part: 0 } });
  });

  it('deletes nothing where a newer Concord may have named it', async () => {
    const id = await store.putChunk(Uint8Array.of(1), now());
    const seq = (await store.head(world.project)) + 1;
    await store.append(world.project, {
      seq,
      id: 'new',
      time: now(),
      events: [{ type: 'videoAdded', chunk: id }],
    });
    await world.world.pass(2 * DAY);
    await expect(sweep()).rejects.toThrow(UnknownEventError);
    expect(await store.getChunk(id)).toBeDefined();
  });
});
