import { LRUCache } from 'lru-cache';
import type { PayloadBlock } from '../domain/events.ts';
import type { PayloadPlace } from '../domain/sampleTable.ts';
import type { ChunkId, Store } from '../journal/port.ts';
import { DamagedChunkError } from './chunks.ts';
import type { Environment } from './environment.ts';
import { orRefusal } from './trouble.ts';

/**
 * Sample payloads are stored in blocks of consecutive samples: small enough that reading one sample is cheap,
 * large enough that a million of them are not a million writes.
 *
 * A block is, little-endian: uint32 count, uint32 × (count + 1) offsets, then the payloads' JSON in UTF-8, then 16 random
 * bytes. By these no two blocks are the same chunk: one can be deleted without asking who else has it, and what was in it
 * cannot be guessed and held against its hash. Blocks of release 0.1 are without them.
 */
const SAMPLES_PER_BLOCK = 256;
const BYTES_PER_BLOCK = 1024 * 1024;
const SALT_BYTES = 16;
/** In the place of a payload that was erased. */
const ERASED = Buffer.from('null');
const CACHE_BYTES = 16 * 1024 * 1024;

/** The largest payload of one sample, in bytes of JSON. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;

/** What writing a block takes from outside. */
export interface Salted {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** So many random bytes. */
  readonly salt: (count: number) => Uint8Array;
}

export function saltedIn(environment: Environment): Salted {
  return { now: environment.now(), salt: (count) => environment.randomBytes(count) };
}

/** Stores payloads (JSON texts in UTF-8) and tells in which blocks they lie, in their order. */
export async function writePayloads(
  store: Store,
  payloads: readonly Uint8Array[],
  { now, salt }: Salted,
): Promise<PayloadBlock[]> {
  const writes: Promise<PayloadBlock>[] = [];
  let first = 0;
  let bytes = 0;
  for (const [i, payload] of payloads.entries()) {
    if (i > first && (i - first === SAMPLES_PER_BLOCK || bytes + payload.length > BYTES_PER_BLOCK)) {
      writes.push(writeBlock(store, payloads.slice(first, i), { now, salt }));
      first = i;
      bytes = 0;
    }
    bytes += payload.length;
  }
  if (payloads.length > first) writes.push(writeBlock(store, payloads.slice(first), { now, salt }));
  return Promise.all(writes);
}

async function writeBlock(
  store: Store,
  payloads: readonly Uint8Array[],
  { now, salt }: Salted,
): Promise<PayloadBlock> {
  const block = encodeBlock(payloads, salt(SALT_BYTES));
  return { chunk: await orRefusal(store.putChunk(block, now)), count: payloads.length };
}

/**
 * Stores a block anew, without some of its payloads.
 * @returns the new block; null: the old one is not there any more, so something in it was erased meanwhile
 * @throws {DamagedChunkError} the block is damaged
 */
export async function blankPayloads(
  store: Store,
  chunk: ChunkId,
  erased: ReadonlySet<number>,
  salted: Salted,
): Promise<ChunkId | null> {
  const block = await orRefusal(store.getChunk(chunk));
  if (block === undefined) return null;
  const payloads = Array.from({ length: countIn(block) }, (_, index) => {
    const payload = erased.has(index) ? ERASED : payloadIn(block, index);
    if (payload === null) throw unreadable(chunk, 'damaged');
    return payload;
  });
  return (await writeBlock(store, payloads, salted)).chunk;
}

/** Whether a block is like no other: nobody else can have named it. */
export function isSalted(block: Uint8Array): boolean {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  return view.getUint32(4 * (countIn(block) + 1), true) + SALT_BYTES === block.length;
}

function countIn(block: Uint8Array): number {
  const count = new DataView(block.buffer, block.byteOffset, block.length).getUint32(0, true);
  return 4 * (count + 2) <= block.length ? count : 0;
}

function encodeBlock(payloads: readonly Uint8Array[], salt: Uint8Array): Uint8Array {
  const header = 4 * (payloads.length + 2);
  const total = payloads.reduce((sum, payload) => sum + payload.length, header + salt.length);
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
  block.set(salt, offset);
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

/** Finds the block in the place of one that is not there: something in it was erased. */
type SuccessorOf = (chunk: ChunkId) => Promise<ChunkId | undefined>;

/** Reads payloads; of a store in another process, it keeps the blocks read last. */
export class PayloadReader {
  readonly #store: Store;
  readonly #blocks = new LRUCache<ChunkId, Uint8Array>({
    maxSize: CACHE_BYTES,
    sizeCalculation: (block) => block.length,
  });
  readonly #loading = new Map<ChunkId, Promise<Uint8Array>>();
  readonly #successorOf: SuccessorOf;

  constructor(store: Store, successorOf: SuccessorOf = async () => undefined) {
    this.#store = store;
    this.#successorOf = successorOf;
  }

  /** Keeps nothing of a block any more. */
  forget(chunk: ChunkId): void {
    this.#blocks.delete(chunk);
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
    if (block === undefined) {
      // Since somebody was told that their sample is in it, something else in it was erased.
      const successor = await this.#successorOf(chunk);
      if (successor === undefined) throw unreadable(chunk, 'missing from the store');
      return this.#load(successor);
    }
    this.#blocks.set(chunk, block);
    return block;
  }
}

function unreadable(chunk: ChunkId, how: string): DamagedChunkError {
  return new DamagedChunkError(`chunk ${chunk}, which holds sample payloads, is ${how}; restore a backup`);
}
