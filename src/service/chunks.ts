import { createHash } from 'node:crypto';
import type { ChunkId, Store } from '../journal/port.ts';

/** A chunk is missing from the store, or is not what its id says; the message names it. */
export class DamagedChunkError extends Error {
  override name = 'DamagedChunkError';
}

/** @throws {DamagedChunkError} there is no such chunk */
export async function mustGetChunk(store: Store, id: ChunkId): Promise<Uint8Array> {
  const bytes = await store.getChunk(id);
  if (bytes === undefined) throw new DamagedChunkError(`chunk ${id} is missing from the store`);
  return bytes;
}

/** @throws {DamagedChunkError} there is no such chunk, or its bytes are not those that it was named after */
export async function mustGetSoundChunk(store: Store, id: ChunkId): Promise<Uint8Array> {
  const bytes = await mustGetChunk(store, id);
  if (createHash('sha256').update(bytes).digest('hex') !== id) {
    throw new DamagedChunkError(`chunk ${id} is damaged: it holds other bytes than it was named after`);
  }
  return bytes;
}
