import { highest, type Need, type Top } from '@concord/sdk/strategy';
import type { SamplePool } from './pool.ts';

/**
 * The scoring of a pool, shared among several threads. A score depends on its own row alone, and the order is total; so
 * who scores which rows decides nothing, and the best of each share hold the best of all.
 */

/** Samples that one thread takes at a time. */
const SHARE = 65_536;

/** Below so many numbers to read, another thread is not worth asking. */
const WORTH = 2_000_000;

/** Where the next share begins, on memory that all share. */
export type Cursor = Int32Array;

/** The first share is left to who makes it: see {@link shares}. */
export function newCursor(): Cursor {
  return new Int32Array(new SharedArrayBuffer(4)).fill(SHARE);
}

/**
 * Shares of a pool, one after the other, until all are taken. Each thread's own come in ascending order.
 *
 * @param first where the first of them begins: 0 for who made the cursor; default: where nobody has been yet
 */
export function* shares(pool: SamplePool, cursor: Cursor, first?: 0): Generator<SamplePool, void, void> {
  const { ordinals, accepted } = pool;
  const next = () => Atomics.add(cursor, 0, SHARE);
  for (let from = first ?? next(); from < ordinals.length; from = next()) {
    const to = Math.min(from + SHARE, ordinals.length);
    yield { ...pool, ordinals: ordinals.subarray(from, to), accepted: accepted.subarray(from, to) };
  }
}

/** Takes all that is left, so that nobody begins another share. */
export function takeRest(pool: SamplePool, cursor: Cursor): void {
  Atomics.store(cursor, 0, pool.ordinals.length);
}

/** Whether scoring a pool takes long enough to be shared. */
export function isWorthSharing({ ordinals, labelSet, ...pool }: SamplePool, needs: readonly Need[]): boolean {
  const classes = labelSet.length;
  const matrices =
    Number(needs.includes('probabilities')) +
    (needs.includes('passes') ? (pool.predictions?.passes?.length ?? 0) : 0);
  const dimensions = needs.includes('embeddings') ? (pool.embeddings?.dimensions ?? 0) : 0;
  return ordinals.length * Math.max(1, classes * matrices + dimensions) >= WORTH;
}

/** What one thread found to be the best of its shares. */
export type Best = Pick<Top, 'ordinals' | 'scores'>;

/** The best of all. */
export function bestOf(parts: readonly Best[], count: number, seed: number): Best {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const length = parts.reduce((sum, { ordinals }) => sum + ordinals.length, 0);
  const scoreOf = new Map<number, number>();
  const ordinals = new Uint32Array(length);
  let at = 0;
  for (const part of parts) {
    ordinals.set(part.ordinals, at);
    at += part.ordinals.length;
    part.ordinals.forEach((ordinal, i) => {
      scoreOf.set(ordinal, part.scores[i] as number);
    });
  }
  ordinals.sort();
  const scores = Float64Array.from(ordinals, (ordinal) => scoreOf.get(ordinal) as number);
  const places = highest(scores, ordinals, count, seed);
  return {
    ordinals: places.map((place) => ordinals[place] as number),
    scores: Float64Array.from(places, (place) => scores[place] as number),
  };
}
