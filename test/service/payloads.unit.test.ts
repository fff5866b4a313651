import * as fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { blankPayloads, isSalted, PayloadReader, writePayloads } from '../../src/service/payloads.ts';
import { MemoryStore } from '../support/memoryStore.ts';

const NOW = { now: 1_700_000_000_000, salt: (count: number) => new Uint8Array(count).fill(7) };
/** What stands behind the payloads of a block. */
const SALT = 16;

describe('payloads', () => {
  let store: MemoryStore;

  beforeEach(() => {
    store = new MemoryStore();
  });

  const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value), 'utf8');

  async function readAll(payloads: readonly unknown[]) {
    const blocks = await writePayloads(store, payloads.map(bytesOf), NOW);
    const reader = new PayloadReader(store);
    const places = blocks.flatMap(({ chunk, count }) =>
      Array.from({ length: count }, (_, index) => ({ chunk, index })),
    );
    return Promise.all(places.map((place) => reader.read(place)));
  }

  it('come back as they were, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 600 }), async (payloads) => {
        const before = JSON.parse(JSON.stringify(payloads));
        expect(await readAll(payloads)).toEqual(before);
      }),
      { numRuns: 30 },
    );
  });

  it('lie in blocks of 256', async () => {
    const blocks = await writePayloads(
      store,
      Array.from({ length: 600 }, (_, i) => bytesOf(i)),
      NOW,
    );
    expect(blocks.map(({ count }) => count)).toEqual([256, 256, 88]);
  });

  it('lie in blocks of about a mebibyte, and the largest alone', async () => {
    const large = bytesOf('x'.repeat(600_000));
    const largest = bytesOf('x'.repeat(1024 * 1024 - 2));
    const blocks = await writePayloads(store, [large, large, bytesOf(1), largest, bytesOf(2)], NOW);
    expect(blocks.map(({ count }) => count)).toEqual([1, 2, 1, 1]);
  });

  it('need no block when there are none', async () => {
    expect(await writePayloads(store, [], NOW)).toEqual([]);
  });

  it('are read from the store once for a whole block', async () => {
    const reading = vi.spyOn(store, 'getChunk');
    await readAll([1, 2, 3]);
    const [block] = await writePayloads(store, [bytesOf('a'), bytesOf('b')], NOW);
    const reader = new PayloadReader(store);
    reading.mockClear();
    expect(await reader.read({ chunk: block?.chunk ?? '', index: 1 })).toBe('b');
    expect(await reader.read({ chunk: block?.chunk ?? '', index: 0 })).toBe('a');
    expect(reading).toHaveBeenCalledOnce();
  });

  it('name the block that the store has lost', async () => {
    const [block] = await writePayloads(store, [bytesOf('a')], NOW);
    const chunk = block?.chunk ?? '';
    store.loseChunk(chunk);
    await expect(new PayloadReader(store).read({ chunk, index: 0 })).rejects.toThrow(
      `chunk ${chunk}, which holds sample payloads, is missing from the store; restore a backup`,
    );
  });

  it.each([
    ['of which a part was zeroed', (block: Uint8Array) => block.fill(0, block.length - SALT - 2)],
    ['of which the end was lost', (block: Uint8Array) => block.subarray(0, block.length - SALT - 2)],
    ['that is none', () => Uint8Array.of(1, 2, 3)],
  ])('name the block %s', async (_, damage) => {
    const [block] = await writePayloads(store, [bytesOf('a'), bytesOf('b')], NOW);
    const chunk = block?.chunk ?? '';
    const damaged = damage((await store.getChunk(chunk)) ?? new Uint8Array());
    vi.spyOn(store, 'getChunk').mockResolvedValueOnce(damaged);
    await expect(new PayloadReader(store).read({ chunk, index: 1 })).rejects.toThrow(
      `chunk ${chunk}, which holds sample payloads, is damaged; restore a backup`,
    );
  });

  it('are taken out of their block one by one, and the others stay as they were', async () => {
    const [block] = await writePayloads(store, ['a', 'b', 'c'].map(bytesOf), NOW);
    const chunk = block?.chunk ?? '';
    const salt = (count: number) => new Uint8Array(count).fill(8);
    const without = (await blankPayloads(store, chunk, new Set([1]), { ...NOW, salt })) ?? '';
    const reader = new PayloadReader(store, async (id) => (id === chunk ? without : undefined));
    const all = async () => Promise.all([0, 1, 2].map((index) => reader.read({ chunk: without, index })));
    expect(await all()).toEqual(['a', null, 'c']);
    // Whoever was told of the block before finds its samples all the same.
    store.loseChunk(chunk);
    expect(await reader.read({ chunk, index: 2 })).toBe('c');
    await expect(new PayloadReader(store).read({ chunk, index: 2 })).rejects.toThrow('missing');
    // And whoever would take something else out of it is told to look again.
    expect(await blankPayloads(store, chunk, new Set([2]), { ...NOW, salt })).toBeNull();
  });

  it('are in blocks that are like no other, though they are the same', async () => {
    let salts = 0;
    const salt = (count: number) => new Uint8Array(count).fill(++salts);
    const write = () => writePayloads(store, [bytesOf('a')], { ...NOW, salt });
    const [one, other] = [await write(), await write()].map(([block]) => block?.chunk ?? '');
    expect(one).not.toBe(other);
    const bytes = (await store.getChunk(one ?? '')) ?? new Uint8Array();
    expect(isSalted(bytes)).toBe(true);
    expect(isSalted(bytes.subarray(0, bytes.length - SALT))).toBe(false);
  });
});
