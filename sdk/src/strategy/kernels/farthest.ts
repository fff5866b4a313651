import { allot, instantiate } from './instance.ts';

/** What the kernel reads beyond the end: of the centres three rows and a vector, of the rows a vector. */
const BEYOND = 16;

export interface FarthestOptions {
  /** Centres that are there already, row by row; default: none. */
  readonly centres?: Float32Array;
  /** The row that is taken first if there are no centres, for all are equally far then; default: 0. */
  readonly first?: number;
  /** Ends it early, with an error. */
  readonly signal?: AbortSignal;
}

/** What {@link farthestFirst} took, one place a row, in the order taken. */
export interface Farthest {
  readonly rows: Uint32Array;
  /** The squared distance of each to the nearest centre when it was taken; 0 for a first one without any. */
  readonly squared: Float32Array;
}

/**
 * Takes rows one after the other, each time the one that is farthest, by Euclidean distance, from all centres and all
 * that were taken before; of equally far ones, the first. (T. F. Gonzalez, "Clustering to minimize the maximum
 * intercluster distance", 1985.)
 *
 * Distances are those of `NearestCentres`. Most are never worked out, as a row that was near enough stays so; at the
 * worst it takes time in proportion to (centres + count) × rows × dimensions.
 *
 * @param rows one row after the other
 * @param dimensions numbers of a row, ≥ 1
 * @param count how many to take, ≥ 0; more than there are takes all
 * @throws {RangeError} rows or centres are not whole, `first` is no row, or together they take more than 4 GiB
 */
export function farthestFirst(
  rows: Float32Array,
  dimensions: number,
  count: number,
  { centres = new Float32Array(0), first = 0, signal }: FarthestOptions = {},
): Farthest {
  const length = whole(rows, dimensions);
  const known = whole(centres, dimensions);
  const wanted = Math.min(Math.max(0, count), length);
  const taken = { rows: new Uint32Array(wanted), squared: new Float32Array(wanted) };
  if (wanted === 0) return taken;
  if (!(Number.isInteger(first) && first >= 0 && first < length)) {
    throw new RangeError(`row ${first} is none of ${length}`);
  }
  const kernels = instantiate();
  const stride = 4 * dimensions;
  const sizes = [
    length * stride + BEYOND,
    (known + wanted + 3) * stride + BEYOND,
    4 * (length + 3),
    4 * length,
  ];
  const [at, to, bounds, looked] = allot(kernels, sizes) as [number, number, number, number];
  const { buffer } = kernels.memory;
  new Float32Array(buffer, at, rows.length).set(rows);
  const all = new Float32Array(buffer, to, (known + wanted) * dimensions);
  all.set(centres);
  const bound = new Float32Array(buffer, bounds, length + 3).fill(Number.POSITIVE_INFINITY).fill(-1, length);
  for (let k = 0; k < wanted; k++) {
    signal?.throwIfAborted();
    const among = known + k;
    const row = among === 0 ? first : kernels.farthest(at, length, dimensions, to, among, bounds, looked);
    taken.rows[k] = row;
    taken.squared[k] = among === 0 ? 0 : (bound[row] as number);
    bound[row] = -1;
    all.set(rows.subarray(row * dimensions, (row + 1) * dimensions), among * dimensions);
  }
  return taken;
}

function whole(rows: Float32Array, dimensions: number): number {
  const length = rows.length / dimensions;
  if (Number.isInteger(length)) return length;
  throw new RangeError(`${rows.length} numbers make no rows of ${dimensions}`);
}
