import { allot, instantiate, type Kernels } from './instance.ts';

/** What the kernel reads beyond the end: of a matrix three rows and a vector, of a centre a vector. */
const BEYOND = 16;

/**
 * Which of the centres added so far is nearest to each row, by Euclidean distance. Distances are summed in float32, by
 * the same operations on every machine and for every row.
 */
export class NearestCentres {
  /** How many rows. */
  readonly length: number;
  readonly dimensions: number;
  /** The squared distance of each row to its nearest centre; Infinity without any. To be read only. */
  readonly squared: Float32Array;
  /** The nearest centre of each row, the earliest of equally near ones; −1 without any. To be read only. */
  readonly which: Int32Array;
  readonly #kernels: Kernels;
  readonly #rows: number;
  readonly #points: Float32Array;
  readonly #centre: Float32Array;
  #added = 0;

  /**
   * @param rows one row after the other; they are copied
   * @param dimensions numbers of a row, ≥ 1
   * @throws {RangeError} the rows are not whole, or take more than the 4 GiB of a WebAssembly memory
   */
  constructor(rows: Float32Array, dimensions: number) {
    const length = rows.length / dimensions;
    if (!Number.isInteger(length))
      throw new RangeError(`${rows.length} numbers make no rows of ${dimensions}`);
    this.length = length;
    this.dimensions = dimensions;
    this.#kernels = instantiate();
    const stride = 4 * dimensions;
    const sizes = [(length + 3) * stride + BEYOND, stride + BEYOND, 4 * (length + 3), 4 * (length + 3)];
    const [at, centre, squared, which] = allot(this.#kernels, sizes) as [number, number, number, number];
    const { buffer } = this.#kernels.memory;
    this.#rows = at;
    this.#points = new Float32Array(buffer, at, rows.length);
    this.#points.set(rows);
    this.#centre = new Float32Array(buffer, centre, dimensions);
    this.squared = new Float32Array(buffer, squared, length);
    this.which = new Int32Array(buffer, which, length);
    this.clear();
  }

  /** Takes away all centres. */
  clear(): void {
    this.squared.fill(Number.POSITIVE_INFINITY);
    this.which.fill(-1);
    this.#added = 0;
  }

  /** A row, as long as this object lives. To be read only. */
  row(place: number): Float32Array {
    return this.#points.subarray(place * this.dimensions, (place + 1) * this.dimensions);
  }

  /**
   * Adds a centre.
   * @param centre `dimensions` finite numbers
   * @returns what `which` calls it: 0 for the first, and so on
   * @throws {RangeError} it has another number of dimensions
   */
  add(centre: Float32Array): number {
    if (centre.length !== this.dimensions) {
      throw new RangeError(`a centre of ${centre.length} dimensions among rows of ${this.dimensions}`);
    }
    this.#centre.set(centre);
    const { squared, which } = this;
    const index = this.#added++;
    this.#kernels.approach(
      this.#rows,
      this.length,
      this.dimensions,
      this.#centre.byteOffset,
      squared.byteOffset,
      which.byteOffset,
      index,
    );
    return index;
  }
}
