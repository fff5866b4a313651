/**
 * Growable typed-array columns: one number a row, a row being an index counted from 0.
 *
 * State that has an entry for each of a million samples is kept as columns of the narrowest sufficient kind,
 * because an object a sample would cost a hundred bytes and more before it held anything.
 */

export type NumberArray =
  | Uint8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

const MINIMUM_CAPACITY = 16;

/**
 * A column of numbers. A value is stored as its array kind stores it (300 in a `Uint8Array` is 44), so the
 * caller picks a kind that holds its range. Reading or writing past the end is a programming error and throws
 * RangeError.
 */
export class Column<T extends NumberArray> {
  readonly #kind: new (
    length: number,
  ) => T;
  #data: T;
  #length = 0;

  /** @param kind the array's constructor, e.g. `new Column(Uint32Array)` */
  constructor(kind: new (length: number) => T) {
    this.#kind = kind;
    this.#data = new kind(0);
  }

  get length(): number {
    return this.#length;
  }

  /** Appends a row and returns its index. */
  push(value: number): number {
    const index = this.#length;
    if (index === this.#data.length) this.#reserve(index + 1);
    this.#data[index] = value;
    this.#length = index + 1;
    return index;
  }

  get(index: number): number {
    const value = index < this.#length ? this.#data[index] : undefined;
    if (value === undefined) throw outOfRange(index, this.#length);
    return value;
  }

  set(index: number, value: number): void {
    // `>>> 0` differs from every negative, fractional or NaN index.
    if (index >>> 0 !== index || index >= this.#length) throw outOfRange(index, this.#length);
    this.#data[index] = value;
  }

  /** Appends `count` rows that all hold `fill`; a caller with an array then does `view().set(array, from)`. */
  extend(count: number, fill = 0): void {
    const from = this.#length;
    const length = from + count;
    if (!(Number.isSafeInteger(count) && count >= 0)) throw new RangeError(`Cannot extend by ${count} rows`);
    if (length > this.#data.length) this.#reserve(length);
    this.#data.fill(fill, from, length);
    this.#length = length;
  }

  /**
   * The rows as one array over the column's own memory: for bulk writes, and for scans, which go several times
   * faster over it than through `get` once a process has columns of many kinds. It is good until the next
   * `push` or `extend`, which may move the column elsewhere and leave the view behind.
   */
  view(): T {
    return this.#data.subarray(0, this.#length) as T;
  }

  /**
   * Has these numbers as its rows, in place of those it had. The array is the column's own from then on.
   * @throws {TypeError} the array is of another kind than the column
   */
  adopt(data: NumberArray): void {
    if (!(data instanceof this.#kind))
      throw new TypeError(`Rows of a column cannot be a ${data.constructor.name}`);
    this.#data = data;
    this.#length = data.length;
  }

  /** Grows to hold `length` rows and a quarter more: amortised O(1) a push, never above 25 % unused (from 64). */
  #reserve(length: number): void {
    const grown = new this.#kind(Math.max(MINIMUM_CAPACITY, length + (length >>> 2)));
    grown.set(this.#data);
    this.#data = grown;
  }
}

function outOfRange(index: number, length: number): RangeError {
  return new RangeError(`Row ${index} is outside a column of ${length} rows`);
}
