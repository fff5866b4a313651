/** The samples to choose from, and where their predictions are. Parallel arrays, one place a sample. */
export interface SamplePool {
  /** All unlabelled samples, strictly ascending. */
  readonly ordinals: Uint32Array;
  /** 1 where the sample is auto-accepted, else 0. */
  readonly accepted: Uint8Array;
  /** The row of each sample in `matrix`, or {@link NO_ROW}; null when there is no prediction run. */
  readonly rows: Uint32Array | null;
  /**
   * Class probabilities, rows × `classes`, each row checked when it was published; null when there is no
   * prediction run. On a `SharedArrayBuffer`, or each selection copies it on the caller's thread.
   */
  readonly matrix: Float32Array | null;
  /** How many classes the project has, ≥ 2. */
  readonly classes: number;
}

/** In `SamplePool.rows`: the sample has no prediction. */
export const NO_ROW = 0xffffffff;

/** The request's pool is wrong: the caller's mistake, and no fault of a strategy. */
export class InvalidPoolError extends RangeError {
  override name = 'InvalidPoolError';
}

/** @throws {InvalidPoolError} the arrays do not fit together */
export function checkPool({ ordinals, accepted, rows, matrix, classes }: SamplePool): void {
  const check = (condition: boolean, problem: string) => {
    if (!condition) throw new InvalidPoolError(problem);
  };
  check(Number.isInteger(classes) && classes >= 2, `classes must be an integer ≥ 2, and is ${classes}`);
  check(accepted.length === ordinals.length, 'accepted must have one flag an ordinal');
  for (let i = 1; i < ordinals.length; i++) {
    if ((ordinals[i] as number) <= (ordinals[i - 1] as number)) {
      throw new InvalidPoolError(`ordinals must ascend, and ${ordinals[i]} follows ${ordinals[i - 1]}`);
    }
  }
  if (rows === null || matrix === null) {
    check(rows === null && matrix === null, 'rows and matrix come together');
    return;
  }
  check(rows.length === ordinals.length, 'rows must have one row an ordinal');
  check(matrix.length % classes === 0, `matrix must have a multiple of ${classes} numbers`);
  const height = matrix.length / classes;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    if (row >= height && row !== NO_ROW) {
      throw new InvalidPoolError(
        `row ${row} of sample ${ordinals[i]} is not in the matrix of ${height} rows`,
      );
    }
  }
}

/** How many samples need review and can be scored: what any strategy can be expected to choose. */
export function reviewable({ accepted, rows }: SamplePool, predicted: boolean): number {
  let reviewable = 0;
  for (let i = 0; i < accepted.length; i++) {
    if (accepted[i] === 0 && (!predicted || rows?.[i] !== NO_ROW)) reviewable++;
  }
  return reviewable;
}

export function without(pool: SamplePool, exclude: Uint32Array): SamplePool {
  const excluded = new Set(exclude);
  return excluded.size === 0 ? pool : keep(pool, (i) => !excluded.has(pool.ordinals[i] as number));
}

/** The samples of a pool that pass. */
export function keep(pool: SamplePool, passes: (place: number) => boolean): SamplePool {
  const { length } = pool.ordinals;
  const places = new Uint32Array(length);
  let kept = 0;
  for (let i = 0; i < length; i++) {
    if (passes(i)) places[kept++] = i;
  }
  if (kept === length) return pool;
  const ordinals = new Uint32Array(kept);
  const accepted = new Uint8Array(kept);
  const rows = pool.rows === null ? null : new Uint32Array(kept);
  for (let k = 0; k < kept; k++) {
    const i = places[k] as number;
    ordinals[k] = pool.ordinals[i] as number;
    accepted[k] = pool.accepted[i] as number;
    if (rows !== null) rows[k] = pool.rows?.[i] as number;
  }
  return { ...pool, ordinals, accepted, rows };
}

/**
 * The probabilities of the samples at `from` … `to` − 1, row by row. A copy, for a plugin that writes to its
 * input must not change the predictions that everybody shares.
 */
export function gather({ rows, matrix, classes }: SamplePool, from: number, to: number): Float32Array {
  const probabilities = new Float32Array((to - from) * classes);
  if (rows === null || matrix === null) return probabilities;
  for (let i = from; i < to; ) {
    const row = rows[i] as number;
    // Rows that follow each other are copied as one: most do, as ordinals and rows both ascend.
    let run = 1;
    while (i + run < to && rows[i + run] === row + run) run++;
    probabilities.set(matrix.subarray(row * classes, (row + run) * classes), (i - from) * classes);
    i += run;
  }
  return probabilities;
}

/** Whether an ordinal is among those of a pool. */
export function isIn(ascending: Uint32Array, ordinal: number): boolean {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] as number) < ordinal) low = middle + 1;
    else high = middle;
  }
  return ascending[low] === ordinal;
}
