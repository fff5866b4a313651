import { randomAt } from '../random.ts';
import { NearestCentres } from './centres.ts';

export interface KMeansOptions {
  /** What each row counts, finite and ≥ 0; default: 1. */
  readonly weights?: Float64Array;
  /** A uint32: the same seed gives the same clusters. */
  readonly seed: number;
  /** How many times the centres are moved at most; default: 50. */
  readonly iterations?: number;
  /** Ends it early, with an error. */
  readonly signal?: AbortSignal;
}

export interface Clusters {
  /** How many: as many as were asked for, but no more than there are different rows of some weight. */
  readonly count: number;
  /** The mean of each cluster, `count` × dimensions, row by row. */
  readonly centres: Float32Array;
  /** The cluster of each row. */
  readonly which: Int32Array;
  /** The squared distance of each row to its cluster's centre. */
  readonly squared: Float32Array;
}

/**
 * Weighted k-means: S. Lloyd, "Least squares quantization in PCM", 1982, begun as D. Arthur and S. Vassilvitskii
 * describe, "k-means++: the advantages of careful seeding", SODA 2007.
 *
 * It takes time in proportion to rows × dimensions × clusters × iterations: for 10,000 × 64 in 100 clusters, a second
 * or less.
 *
 * @param rows one row after the other
 * @param dimensions numbers of a row, ≥ 1
 * @param count how many clusters, ≥ 1
 * @throws {RangeError} the rows are not whole, or too large
 */
export function kMeans(
  rows: Float32Array,
  dimensions: number,
  count: number,
  { weights, seed, iterations = 50, signal }: KMeansOptions,
): Clusters {
  const nearest = new NearestCentres(rows, dimensions);
  const { length, squared, which } = nearest;
  const weightOf = (row: number) => (weights === undefined ? 1 : (weights[row] as number));
  let centres = seeds(nearest, weightOf, count, seed, signal);
  const found = centres.length / dimensions;

  for (let i = 0; i < iterations; i++) {
    signal?.throwIfAborted();
    const before = which.slice();
    centres = means(rows, dimensions, found, which, weightOf, centres);
    nearest.clear();
    for (let c = 0; c < found; c++) nearest.add(centres.subarray(c * dimensions, (c + 1) * dimensions));
    if (before.every((cluster, row) => cluster === which[row])) break;
  }
  return { count: length === 0 ? 0 : found, centres, which: which.slice(), squared: squared.slice() };
}

/** The first centres: rows drawn with a chance in proportion to their weight and squared distance to those before. */
function seeds(
  nearest: NearestCentres,
  weightOf: (row: number) => number,
  count: number,
  seed: number,
  signal: AbortSignal | undefined,
): Float32Array {
  const { length, dimensions, squared } = nearest;
  const chosen: number[] = [];
  while (chosen.length < Math.min(count, length)) {
    signal?.throwIfAborted();
    const masses = new Float64Array(length);
    let total = 0;
    for (let row = 0; row < length; row++) {
      total += weightOf(row) * (chosen.length === 0 ? 1 : (squared[row] as number));
      masses[row] = total;
    }
    if (total === 0) break;
    const target = randomAt(seed, chosen.length) * total;
    // Rounded, the target can be the total itself.
    const row = masses.findIndex((mass) => mass > target || mass === total);
    chosen.push(row);
    nearest.add(nearest.row(row));
  }
  const centres = new Float32Array(chosen.length * dimensions);
  chosen.forEach((row, c) => {
    centres.set(nearest.row(row), c * dimensions);
  });
  return centres;
}

/** The weighted mean of each cluster; one of no weight stays where it is. */
function means(
  rows: Float32Array,
  dimensions: number,
  count: number,
  which: Int32Array,
  weightOf: (row: number) => number,
  before: Float32Array,
): Float32Array {
  const sums = new Float64Array(count * dimensions);
  const masses = new Float64Array(count);
  which.forEach((cluster, row) => {
    const weight = weightOf(row);
    masses[cluster] = (masses[cluster] as number) + weight;
    for (let d = 0; d < dimensions; d++) {
      const at = cluster * dimensions + d;
      sums[at] = (sums[at] as number) + weight * (rows[row * dimensions + d] as number);
    }
  });
  return Float32Array.from(sums, (sum, at) => {
    const mass = masses[Math.floor(at / dimensions)] as number;
    return mass === 0 ? (before[at] as number) : sum / mass;
  });
}
