import type { Memory, Need } from '@concord/sdk/strategy';

/**
 * The samples to choose from, and what is known of them. Parallel arrays, one place a sample. What is large lies on
 * `SharedArrayBuffer`s, or each selection copies it on the caller's thread.
 */
export interface SamplePool {
  /** All unlabelled samples, strictly ascending. */
  readonly ordinals: Uint32Array;
  /** 1 where the sample is auto-accepted, else 0. */
  readonly accepted: Uint8Array;
  /** The names of the project's classes, ≥ 2. */
  readonly labelSet: readonly string[];
  /** The current prediction run; null before the first. */
  readonly predictions: PredictionInputs | null;
  /** The newest embeddings; null before the first, and where they were not loaded because nobody needs them. */
  readonly embeddings: EmbeddingInputs | null;
  /** The samples that people have labelled, strictly ascending, and the label of each; null where nobody needs them. */
  readonly labelled: { readonly ordinals: Uint32Array; readonly labels: Uint16Array } | null;
  /** Samples that people have labelled, by class; null where nobody needs it. */
  readonly classCounts: Uint32Array | null;
  /** Mean seconds of an answer, by class; null where nobody needs it, or no answer was measured. */
  readonly cost: Float32Array | null;
}

export interface PredictionInputs {
  /** The row of each sample by its ordinal, or {@link NO_ROW}. It has a place for every sample of the pool. */
  readonly rowOf: Uint32Array;
  /** rows × classes; each row was checked when it was published. */
  readonly probabilities: Float32Array;
  /** One matrix a pass, each as `probabilities`; null if the run has none, or nobody needs them. */
  readonly passes: readonly Float32Array[] | null;
  /** The memory on which kernels find the probabilities, as `sharedMatrices` made it; default: they find a copy. */
  readonly memory?: Memory | null;
  /** Likewise of all passes. */
  readonly passesMemory?: Memory | null;
}

export interface EmbeddingInputs {
  /** As in {@link PredictionInputs}. */
  readonly rowOf: Uint32Array;
  /** rows × dimensions. */
  readonly values: Float32Array;
  /** ≥ 1 */
  readonly dimensions: number;
}

/** In `rowOf`: there is nothing of the sample. */
export const NO_ROW = 0xffffffff;

/** The request's pool is wrong: the caller's mistake, and no fault of a strategy. */
export class InvalidPoolError extends RangeError {
  override name = 'InvalidPoolError';
}

/** @throws {InvalidPoolError} the arrays do not fit together */
export function checkPool({
  ordinals,
  accepted,
  labelSet,
  predictions,
  embeddings,
  ...pool
}: SamplePool): void {
  const classes = labelSet.length;
  check(classes >= 2, `there must be 2 classes or more, and there are ${classes}`);
  check(accepted.length === ordinals.length, 'accepted must have one flag an ordinal');
  checkAscending(ordinals);
  const last = Math.max(ordinals.at(-1) ?? -1, pool.labelled?.ordinals.at(-1) ?? -1);
  if (predictions !== null) {
    const { rowOf, probabilities, passes } = predictions;
    check(rowOf.length > last, `the rows of predictions end before sample ${last}`);
    check(probabilities.length % classes === 0, `probabilities must have a multiple of ${classes} numbers`);
    for (const pass of passes ?? []) {
      check(pass.length === probabilities.length, 'every pass must have as many numbers as probabilities');
    }
  }
  if (embeddings !== null) {
    const { rowOf, values, dimensions } = embeddings;
    check(rowOf.length > last, `the rows of embeddings end before sample ${last}`);
    check(dimensions >= 1, `dimensions must be ≥ 1, and are ${dimensions}`);
    check(values.length % dimensions === 0, `embeddings must have a multiple of ${dimensions} numbers`);
  }
  if (pool.labelled !== null) {
    checkAscending(pool.labelled.ordinals);
    check(pool.labelled.labels.length === pool.labelled.ordinals.length, 'labels must have one an ordinal');
  }
  check((pool.classCounts?.length ?? classes) === classes, 'classCounts must have one number a class');
  check((pool.cost?.length ?? classes) === classes, 'cost must have one number a class');
}

function check(condition: boolean, problem: string): void {
  if (!condition) throw new InvalidPoolError(problem);
}

function checkAscending(ordinals: Uint32Array): void {
  // Most often they are 0, 1, 2 …, which is seen sooner.
  if (isRun(ordinals, 0, ordinals.length)) return;
  for (let i = 1; i < ordinals.length; i++) {
    if ((ordinals[i] as number) <= (ordinals[i - 1] as number)) {
      throw new InvalidPoolError(`ordinals must ascend, and ${ordinals[i]} follows ${ordinals[i - 1]}`);
    }
  }
}

/** Whether, from one place to before another, each number is one more than the number before. */
export function isRun(numbers: Uint32Array, from: number, to: number): boolean {
  if (from >= to) return true;
  // Int32 arithmetic wraps round: then the last would be less than the first.
  if ((numbers[to - 1] as number) < (numbers[from] as number)) return false;
  const run = new Int32Array(numbers.buffer, numbers.byteOffset + 4 * from, to - from);
  const first = run[0] as number;
  const fours = run.length & ~3;
  // Four at a time take half as long.
  for (let i = 0; i < fours; i += 4) {
    const off =
      ((run[i] as number) - i - first) |
      ((run[i + 1] as number) - i - 1 - first) |
      ((run[i + 2] as number) - i - 2 - first) |
      ((run[i + 3] as number) - i - 3 - first);
    if (off !== 0) return false;
  }
  for (let i = fours; i < run.length; i++) {
    if ((run[i] as number) - i !== first) return false;
  }
  return true;
}

/**
 * The pool with its places on memory that all threads share, so that several can score it.
 */
export function shared(pool: SamplePool): SamplePool {
  return { ...pool, ordinals: onSharedMemory(pool.ordinals), accepted: onSharedMemory(pool.accepted) };
}

function onSharedMemory<Numbers extends Uint32Array | Uint8Array>(numbers: Numbers): Numbers {
  if (numbers.buffer instanceof SharedArrayBuffer) return numbers;
  const Kind = numbers.constructor as new (buffer: SharedArrayBuffer) => Numbers;
  const copy = new Kind(new SharedArrayBuffer(numbers.byteLength));
  copy.set(numbers);
  return copy;
}

/** What the pool has for strategies that need it. */
export function available(pool: SamplePool): Need[] {
  const has: Readonly<Record<Need, boolean>> = {
    probabilities: pool.predictions !== null,
    passes: (pool.predictions?.passes ?? null) !== null,
    embeddings: pool.embeddings !== null,
    labelled: pool.labelled !== null,
    classCounts: pool.classCounts !== null,
    cost: pool.cost !== null,
  };
  return (Object.keys(has) as Need[]).filter((need) => has[need]);
}

/** The `rowOf` of each input in which a sample must have a row, for a strategy with these needs to be shown it. */
export function rowsNeeded(pool: SamplePool, needs: Iterable<Need>): Uint32Array[] {
  const rows = new Set<Uint32Array>();
  for (const need of needs) {
    if ((need === 'probabilities' || need === 'passes') && pool.predictions) rows.add(pool.predictions.rowOf);
    if (need === 'embeddings' && pool.embeddings) rows.add(pool.embeddings.rowOf);
  }
  return [...rows];
}

/** Beside each ordinal: 1 where it has a row in each, else 0. */
export function withRows(ordinals: Uint32Array, rows: readonly Uint32Array[]): Uint8Array {
  const has = new Uint8Array(ordinals.length).fill(1);
  for (const rowOf of rows) {
    for (let i = 0; i < ordinals.length; i++) {
      if (rowOf[ordinals[i] as number] === NO_ROW) has[i] = 0;
    }
  }
  return has;
}

/** How many samples need review and have what is needed: what any strategy can be expected to choose. */
export function reviewable(pool: SamplePool, needs: Iterable<Need>): number {
  const { accepted } = visible(pool, needs);
  let count = 0;
  for (let i = 0; i < accepted.length; i++) count += (accepted[i] as number) ^ 1;
  return count;
}

/** The samples of a pool that a strategy with these needs is shown. */
export function visible(pool: SamplePool, needs: Iterable<Need>): SamplePool {
  const rows = rowsNeeded(pool, needs);
  return rows.length === 0 ? pool : keep(pool, withRows(pool.ordinals, rows));
}

export function without(pool: SamplePool, exclude: Uint32Array): SamplePool {
  const kept = new Uint8Array(pool.ordinals.length).fill(1);
  for (const ordinal of exclude) {
    const place = placeOf(pool.ordinals, ordinal);
    if (place >= 0) kept[place] = 0;
  }
  return keep(pool, kept);
}

/**
 * Some samples of a pool.
 * @param flags one a sample: 1 to keep it, 0 to leave it out
 */
function keep(pool: SamplePool, flags: Uint8Array): SamplePool {
  if (!flags.includes(0)) return pool;
  let count = 0;
  for (let i = 0; i < flags.length; i++) count += flags[i] as number;
  const ordinals = new Uint32Array(new SharedArrayBuffer(4 * count));
  const accepted = new Uint8Array(new SharedArrayBuffer(count));
  for (let i = 0, k = 0; k < count; i++) {
    if (flags[i] === 0) continue;
    ordinals[k] = pool.ordinals[i] as number;
    accepted[k++] = pool.accepted[i] as number;
  }
  return { ...pool, ordinals, accepted };
}

/** Whether an ordinal is among those of a pool. */
export function isIn(ascending: Uint32Array, ordinal: number): boolean {
  return placeOf(ascending, ordinal) >= 0;
}

/** Where an ordinal stands among those of a pool, or −1. */
function placeOf(ascending: Uint32Array, ordinal: number): number {
  // Where it could stand if everything missing were on one side of it: in a pool without gaps, that is one place.
  const { length } = ascending;
  let low = Math.max(0, length - 1 - ((ascending[length - 1] as number) - ordinal));
  let high = Math.min(length, ordinal - (ascending[0] as number) + 1);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] as number) < ordinal) low = middle + 1;
    else high = middle;
  }
  return ascending[low] === ordinal ? low : -1;
}
