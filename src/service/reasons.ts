import { LRUCache } from 'lru-cache';
import type { ChunkId, Store } from '../journal/port.ts';
import { mustGetChunk } from './chunks.ts';
import { orRefusal } from './trouble.ts';

/**
 * Why a round's samples were chosen, as its strategy says. They lie in a chunk, for they may be larger than all else
 * of the round: as JSON, the different texts once, and beside each sample that has one the place of its text.
 */
interface Reasons {
  readonly texts: readonly string[];
  readonly samples: readonly number[];
  readonly of: readonly number[];
}

/** @param reasons beside each sample, a text or null; null: there are none */
export function encodeReasons(
  samples: Uint32Array,
  reasons: readonly (string | null)[] | null,
): Uint8Array | null {
  const places = new Map<string, number>();
  const named: number[] = [];
  const of: number[] = [];
  for (const [i, sample] of samples.entries()) {
    const reason = reasons?.[i] ?? null;
    if (reason === null) continue;
    if (!places.has(reason)) places.set(reason, places.size);
    named.push(sample);
    of.push(places.get(reason) as number);
  }
  const encoded: Reasons = { texts: [...places.keys()], samples: named, of };
  return named.length === 0 ? null : Buffer.from(JSON.stringify(encoded));
}

const CACHED_ROUNDS = 8;

/** Reads reasons, keeping those of the rounds read last. */
export class ReasonReader {
  readonly #store: Store;
  readonly #rounds = new LRUCache<ChunkId, Promise<ReadonlyMap<number, string>>>({ max: CACHED_ROUNDS });

  constructor(store: Store) {
    this.#store = store;
  }

  /** The reason of a sample of a round; null if it has none. */
  async of(chunk: ChunkId | null, sample: number): Promise<string | null> {
    if (chunk === null) return null;
    let round = this.#rounds.get(chunk);
    if (round === undefined) {
      round = this.#read(chunk);
      round.catch(() => this.#rounds.delete(chunk));
      this.#rounds.set(chunk, round);
    }
    return (await round).get(sample) ?? null;
  }

  async #read(chunk: ChunkId): Promise<ReadonlyMap<number, string>> {
    const bytes = await orRefusal(mustGetChunk(this.#store, chunk));
    const { texts, samples, of }: Reasons = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return new Map(samples.map((sample, i) => [sample, texts[of[i] as number] as string]));
  }
}
