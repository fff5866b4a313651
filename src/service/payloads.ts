import { LRUCache } from 'lru-cache';
import type { PayloadBlock } from '../domain/events.ts';
import type { PayloadPlace } from '../domain/sampleTable.ts';
import type { ChunkId, Store } from '../journal/port.ts';
import { DamagedChunkError } from './chunks.ts';
import { orRefusal } from './trouble.ts';

/**
 * Sample payloads are stored in blocks of consecutive samples: small enough that reading one sample is cheap,
 * large enough that a million of them are not a million writes.
 *
 * A block is, little-endian: uint32 count, uint32 × (count + 1) offsets, then the payloads' JSON in UTF-8.
 */
const SAMPLES_PER_BLOCK = 256;
const BYTES_PER_BLOCK = 1024 * 1024;
const CACHE_BYTES = 16 * 1024 * 1024;

/** The largest payload of one sample, in bytes of JSON. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;

/** Stores payloads (JSON texts in UTF-8) and tells in which blocks they lie, in their order. */
export async function writePayloads(
  store: Store,
  payloads: readonly Uint8Array[],
  now: number,
): Promise<PayloadBlock[]> {
  const writes: Promise<PayloadBlock>[] = [];
  let first = 0;
  let bytes = 0;
  for (const [i, payload] of payloads.entries()) {
    if (i > first && (i - first === SAMPLES_PER_BLOCK || bytes + payload.length > BYTES_PER_BLOCK)) {
      writes.push(writeBlock(store, payloads.slice(first, i), now));
      first = i;
      bytes = 0;
    }
    bytes += payload.length;
  }
  if (payloads.length > first) writes.push(writeBlock(store, payloads.slice(first), now));
  return Promise.all(writes);
}

async function writeBlock(store: Store, payloads: readonly Uint8Array[], now: number): Promise<PayloadBlock> {
  return { chunk: await orRefusal(store.putChunk(encodeBlock(payloads), now)), count: payloads.length };
}

function encodeBlock(payloads: readonly Uint8Array[]): Uint8Array {
  const header = 4 * (payloads.length + 2);
  const total = payloads.reduce((sum, payload) => sum + payload.length, header);
  const block = new Uint8Array(total);
  const view = new DataView(block.buffer);
  view.setUint32(0, payloads.length, true);
  let offset = header;
  for (const [i, payload] of payloads.entries()) {
    view.setUint32(4 * (i + 1), offset, true);
    block.set(payload, offset);
    offset += payload.length;
  }
  view.setUint32(4 * (payloads.length + 1), offset, true);
  return block;
}

/**
 * A payload of a block, in the block's memory; null: the block is damaged there. What a disk has lost reads as zeros, and
 * JSON has none: that is seen at once, where to hash every block would cost more than all else about it (`concord verify`
 * does).
 */
function payloadIn(block: Uint8Array, index: number): Buffer | null {
  if (block.length < 4 * (index + 3)) return null;
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const from = view.getUint32(4 * (index + 1), true);
  const to = view.getUint32(4 * (index + 2), true);
  if (from >= to || to > block.length) return null;
  const payload = Buffer.from(block.buffer, block.byteOffset + from, to - from);
  return payload.includes(0) ? null : payload;
}

/** Reads payloads; of a store in another process, it keeps the blocks read last. */
export class PayloadReader {
  readonly #store: Store;
  readonly #blocks = new LRUCache<ChunkId, Uint8Array>({
    maxSize: CACHE_BYTES,
    sizeCalculation: (block) => block.length,
  });
  readonly #loading = new Map<ChunkId, Promise<Uint8Array>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * A sample's payload, parsed.
   * @throws {DamagedChunkError} the chunk is missing from the store, or is damaged
   */
  async read(place: PayloadPlace): Promise<unknown> {
    return JSON.parse((await this.json(place)).toString('utf8'));
  }

  /**
   * A sample's payload as it is stored: JSON in UTF-8, to be read only.
   * @throws {DamagedChunkError} the chunk is missing from the store, or is damaged
   */
  async json({ chunk, index }: PayloadPlace): Promise<Buffer> {
    // A block is hundreds of samples, and whoever labels wants one: it is not copied if that can be helped.
    const peeked = this.#store.peekChunk?.(chunk, (block) => {
      const there = payloadIn(block, index);
      return there && Buffer.from(there);
    });
    const payload =
      peeked === undefined ? payloadIn(this.#blocks.get(chunk) ?? (await this.#load(chunk)), index) : peeked;
    if (payload === null) throw unreadable(chunk, 'damaged');
    return payload;
  }

  /** Reads a block, once for all who wait for it: a page's samples lie in few, and want them at the same time. */
  #load(chunk: ChunkId): Promise<Uint8Array> {
    let loading = this.#loading.get(chunk);
    if (loading === undefined) {
      loading = this.#fetch(chunk).finally(() => this.#loading.delete(chunk));
      this.#loading.set(chunk, loading);
    }
    return loading;
  }

  async #fetch(chunk: ChunkId): Promise<Uint8Array> {
    const block = await orRefusal(this.#store.getChunk(chunk));
    if (block === undefined) throw unreadable(chunk, 'missing from the store');
    this.#blocks.set(chunk, block);
    return block;
  }
}

function unreadable(chunk: ChunkId, how: string): DamagedChunkError {
  return new DamagedChunkError(`chunk ${chunk}, which holds sample payloads, is ${how}; restore a backup`);
}
