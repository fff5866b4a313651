import type { LabelledSamples, Need, Pool, Rows, Samples } from '@concord/sdk/strategy';
import { InvalidPoolError, isIn, NO_ROW, rowsNeeded, type SamplePool, withRows } from './pool.ts';

/**
 * What a plugin is shown of a pool. The large inputs lie on memory that all workers share and that JavaScript cannot
 * make read-only, and they serve other rounds after this one; so a plugin never gets hold of them, but of copies:
 * row by row through a buffer that stays in the core's cache, and of a whole pool only what it reads.
 */

/**
 * Copies the rows of the ordinals, each `width` numbers, to the beginning of `into`.
 *
 * @returns whether each has a row; else not all are copied
 * @throws {InvalidPoolError} a row is not in the matrix
 */
function copyRows(
  into: Float32Array,
  matrix: Float32Array,
  width: number,
  rowOf: Uint32Array,
  ordinals: Uint32Array,
): boolean {
  const height = matrix.length / width;
  for (let i = 0; i < ordinals.length; ) {
    const row = rowOf[ordinals[i] as number] as number;
    if (row === NO_ROW) return false;
    // Rows that follow each other are copied as one: most do, as ordinals and rows both ascend.
    let run = 1;
    while (i + run < ordinals.length && rowOf[ordinals[i + run] as number] === row + run) run++;
    if (row + run > height) {
      throw new InvalidPoolError(
        `row ${row} of sample ${ordinals[i]} is not in the matrix of ${height} rows`,
      );
    }
    into.set(matrix.subarray(row * width, (row + run) * width), i * width);
    i += run;
  }
  return true;
}

/** Bytes of rows that are scored in one call: they stay in a core's cache from the copy to the sum. */
const BLOCK_BYTES = 256 * 1024;

/**
 * Hands out the samples of a pool in blocks, through the same memory again and again: those that need review and have
 * what is needed. One pass over the pool finds and copies them.
 */
export class Blocks {
  readonly #pool: SamplePool;
  /** Rows in a block. */
  readonly #size: number;
  /** The `rowOf` of what is needed: a sample must have a row in both. */
  readonly #first: Uint32Array | null;
  readonly #second: Uint32Array | null;
  readonly #ordinals: Uint32Array;
  readonly #probabilities: Float32Array | null;
  readonly #passes: readonly Float32Array[] | null;
  readonly #embeddings: Float32Array | null;
  /** The place in the pool from which the next block is filled. */
  #next = 0;

  constructor(pool: SamplePool, needs: readonly Need[]) {
    this.#pool = pool;
    const classes = pool.labelSet.length;
    const { predictions, embeddings } = pool;
    const has = (need: Need) => needs.includes(need);
    const passes = has('passes') ? (predictions?.passes ?? []) : [];
    const dimensions = has('embeddings') ? (embeddings?.dimensions ?? 0) : 0;
    const width = Math.max(1, classes * (Number(has('probabilities')) + passes.length) + dimensions);
    this.#size = Math.max(1, Math.min(Math.floor(BLOCK_BYTES / (4 * width)), pool.ordinals.length));
    const room = (width: number) => new Float32Array(this.#size * width);
    [this.#first = null, this.#second = null] = rowsNeeded(pool, needs);
    this.#ordinals = new Uint32Array(this.#size);
    this.#probabilities = has('probabilities') ? room(classes) : null;
    this.#passes = has('passes') ? passes.map(() => room(classes)) : null;
    this.#embeddings = has('embeddings') ? room(dimensions) : null;
  }

  /** The next samples, or null if there are no more. The ones before are gone with it. */
  next(): Rows<Need> | null {
    const from = this.#next;
    // Most often all the next samples are to be scored, and nothing need be looked up one by one.
    let length = this.#takeAll();
    if (length === 0 || !this.#copy(length)) {
      this.#next = from;
      length = this.#takeSome();
      this.#copy(length);
    }
    if (length === 0) return null;
    const { labelSet, embeddings } = this.#pool;
    const classes = labelSet.length;
    const part = (room: Float32Array, width: number) => room.subarray(0, length * width);
    // Null is what a strategy sees of what it does not need; its type says so.
    return {
      length,
      classes,
      ordinals: this.#ordinals.subarray(0, length),
      probabilities: this.#probabilities && part(this.#probabilities, classes),
      passes: this.#passes?.map((pass) => part(pass, classes)) ?? null,
      embeddings: this.#embeddings && embeddings && part(this.#embeddings, embeddings.dimensions),
      dimensions: this.#embeddings && embeddings ? embeddings.dimensions : null,
    } as Rows<Need>;
  }

  /** The next block, if its ordinals follow each other and all need review: else 0. They may lack rows. */
  #takeAll(): number {
    const { ordinals, accepted } = this.#pool;
    const from = this.#next;
    const to = Math.min(from + this.#size, ordinals.length);
    const span = (ordinals[to - 1] as number) - (ordinals[from] as number);
    if (span !== to - 1 - from || accepted.subarray(from, to).includes(1)) return 0;
    this.#ordinals.set(ordinals.subarray(from, to));
    this.#next = to;
    return to - from;
  }

  /** Finds the ordinals of the next block one by one, and gives their number. */
  #takeSome(): number {
    const { ordinals, accepted } = this.#pool;
    const into = this.#ordinals;
    const first = this.#first;
    const second = this.#second;
    let length = 0;
    let at = this.#next;
    for (; at < ordinals.length && length < into.length; at++) {
      const ordinal = ordinals[at] as number;
      if (accepted[at] === 1) continue;
      if (first !== null && first[ordinal] === NO_ROW) continue;
      if (second !== null && second[ordinal] === NO_ROW) continue;
      into[length++] = ordinal;
    }
    this.#next = at;
    return length;
  }

  /** Copies what is needed of the block's samples; false if one of them lacks a row. */
  #copy(length: number): boolean {
    const { labelSet, predictions, embeddings } = this.#pool;
    const ordinals = this.#ordinals.subarray(0, length);
    const copied = (into: Float32Array | null, matrix: Float32Array, width: number, rowOf: Uint32Array) =>
      into === null || copyRows(into, matrix, width, rowOf, ordinals);
    if (predictions !== null) {
      const { probabilities, passes, rowOf } = predictions;
      const classes = labelSet.length;
      if (!copied(this.#probabilities, probabilities, classes, rowOf)) return false;
      const rooms = this.#passes ?? [];
      if (!rooms.every((room, i) => copied(room, passes?.[i] as Float32Array, classes, rowOf))) return false;
    }
    return (
      embeddings === null ||
      copied(this.#embeddings, embeddings.values, embeddings.dimensions, embeddings.rowOf)
    );
  }
}

/** Some samples, in any order; each array is copied when it is first read. */
class Copied {
  readonly length: number;
  readonly classes: number;
  readonly dimensions: number | null;
  readonly #pool: SamplePool;
  readonly #needs: readonly Need[];
  readonly #shared: Uint32Array;
  #ordinals: Uint32Array | undefined;
  #probabilities: Float32Array | null | undefined;
  #passes: readonly Float32Array[] | null | undefined;
  #embeddings: Float32Array | null | undefined;

  constructor(pool: SamplePool, needs: readonly Need[], ordinals: Uint32Array) {
    this.#pool = pool;
    this.#needs = needs;
    this.#shared = ordinals;
    this.length = ordinals.length;
    this.classes = pool.labelSet.length;
    this.dimensions = needs.includes('embeddings') ? (pool.embeddings?.dimensions ?? null) : null;
  }

  get ordinals(): Uint32Array {
    this.#ordinals ??= new Uint32Array(this.#shared);
    return this.#ordinals;
  }

  get probabilities(): Float32Array | null {
    const { predictions } = this.#pool;
    this.#probabilities ??= this.#has('probabilities', predictions)
      ? this.#copy(predictions.probabilities, this.classes, predictions.rowOf)
      : null;
    return this.#probabilities;
  }

  get passes(): readonly Float32Array[] | null {
    const { predictions } = this.#pool;
    this.#passes ??= this.#has('passes', predictions)
      ? (predictions.passes ?? []).map((pass) => this.#copy(pass, this.classes, predictions.rowOf))
      : null;
    return this.#passes;
  }

  get embeddings(): Float32Array | null {
    const { embeddings } = this.#pool;
    this.#embeddings ??= this.#has('embeddings', embeddings)
      ? this.#copy(embeddings.values, embeddings.dimensions, embeddings.rowOf)
      : null;
    return this.#embeddings;
  }

  #has<Input>(need: Need, input: Input | null): input is Input {
    return input !== null && this.#needs.includes(need);
  }

  #copy(matrix: Float32Array, width: number, rowOf: Uint32Array): Float32Array {
    const copy = new Float32Array(this.length * width);
    copyRows(copy, matrix, width, rowOf, this.#shared);
    return copy;
  }
}

/** What a `select` is shown of a pool. */
export function poolFor(pool: SamplePool, needs: readonly Need[], count: number): Pool<Need> {
  let accepted: Uint8Array | undefined;
  // Defined on the object itself, so that the getters of its class are kept.
  return Object.defineProperties(new Copied(pool, needs, pool.ordinals), {
    count: { value: count, enumerable: true },
    accepted: {
      enumerable: true,
      get: () => {
        accepted ??= new Uint8Array(pool.accepted);
        return accepted;
      },
    },
    only: {
      value: (ordinals: Uint32Array) => {
        const unknown = ordinals.find((ordinal) => !isIn(pool.ordinals, ordinal));
        if (unknown !== undefined) throw new RangeError(`sample ${unknown} is not in the pool`);
        return new Copied(pool, needs, new Uint32Array(ordinals));
      },
    },
  }) as unknown as Pool<Need>;
}

/** Some samples of a pool, in the order given. */
export function samplesFor(pool: SamplePool, needs: readonly Need[], ordinals: Uint32Array): Samples<Need> {
  return new Copied(pool, needs, ordinals) as unknown as Samples<Need>;
}

/** What a strategy is shown of the labelled samples. */
export function labelledFor(pool: SamplePool, needs: readonly Need[]): LabelledSamples<Need> | null {
  if (pool.labelled === null || !needs.includes('labelled')) return null;
  const { ordinals, labels } = pool.labelled;
  const has = withRows(ordinals, rowsNeeded(pool, needs));
  const places = Uint32Array.from(ordinals.keys()).filter((place) => has[place] === 1);
  const shown = new Copied(
    pool,
    needs,
    places.map((place) => ordinals[place] as number),
  );
  return Object.defineProperty(shown, 'labels', {
    value: Uint16Array.from(places, (place) => labels[place] as number),
    enumerable: true,
  }) as unknown as LabelledSamples<Need>;
}
