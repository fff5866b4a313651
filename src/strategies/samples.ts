import type { LabelledSamples, Need, Pool, Samples } from '@concord/sdk/strategy';
import { InvalidPoolError, isIn, rowsNeeded, type SamplePool, withRows } from './pool.ts';

/**
 * What a plugin is shown of a pool. The large inputs lie on memory that all workers share and that JavaScript cannot
 * make read-only, and they serve other rounds after this one; so a plugin never gets hold of them, but of copies:
 * row by row as `Blocks` hands them out, and of a whole pool only what it reads.
 */

/**
 * Copies the rows of the ordinals, each `width` numbers, to the beginning of `into`.
 *
 * @throws {InvalidPoolError} a row is not in the matrix
 */
export function copyRows(
  into: Float32Array,
  matrix: Float32Array,
  width: number,
  rowOf: Uint32Array,
  ordinals: Uint32Array,
): void {
  const height = matrix.length / width;
  for (let i = 0; i < ordinals.length; ) {
    const row = rowOf[ordinals[i] as number] as number;
    // Rows that follow each other are copied as one: most do, as ordinals and rows both ascend.
    let run = 1;
    while (i + run < ordinals.length && rowOf[ordinals[i + run] as number] === row + run) run++;
    if (row + run > height) {
      throw noSuchRow(row, ordinals[i] as number, height);
    }
    into.set(matrix.subarray(row * width, (row + run) * width), i * width);
    i += run;
  }
}

export function noSuchRow(row: number, ordinal: number, height: number): InvalidPoolError {
  return new InvalidPoolError(`row ${row} of sample ${ordinal} is not in the matrix of ${height} rows`);
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
