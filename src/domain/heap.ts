/**
 * A binary min-heap (Williams 1964, Algorithm 232) of pairs of numbers: deadlines of assignments, positions
 * that came back to a round.
 *
 * Equal priorities leave in ascending order of value. The order in which pairs leave is therefore a function
 * of what the heap holds and not of how it came to hold it, so a replay or a restored snapshot goes on exactly
 * as the original.
 */

export interface HeapEntry {
  readonly priority: number;
  readonly value: number;
}

export class MinHeap {
  // Two plain arrays of numbers: V8 keeps them unboxed, and unlike typed arrays they shrink.
  readonly #priorities: number[] = [];
  readonly #values: number[] = [];

  get size(): number {
    return this.#priorities.length;
  }

  /** O(log size). Duplicates are kept. NaN has no place in an order and throws RangeError. */
  push(priority: number, value: number): void {
    if (Number.isNaN(priority) || Number.isNaN(value)) throw new RangeError('A heap cannot order NaN');
    let hole = this.#priorities.length;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!this.#isAfter(parent, priority, value)) break;
      this.#move(parent, hole);
      hole = parent;
    }
    this.#put(hole, priority, value);
  }

  /** The smallest entry, which stays. */
  peek(): HeapEntry | undefined {
    const priority = this.#priorities[0];
    const value = this.#values[0];
    return priority === undefined || value === undefined ? undefined : { priority, value };
  }

  /** Removes and returns the smallest entry. O(log size). */
  pop(): HeapEntry | undefined {
    const top = this.peek();
    const priority = this.#priorities.pop();
    const value = this.#values.pop();
    if (priority !== undefined && value !== undefined && this.size > 0) this.#sink(priority, value);
    return top;
  }

  /** Fills the hole at the root: smaller children rise until (priority, value) fits. */
  #sink(priority: number, value: number): void {
    const size = this.size;
    let hole = 0;
    for (let child = 1; child < size; child = 2 * hole + 1) {
      const right = child + 1;
      if (right < size && this.#isAfter(child, this.#priorityAt(right), this.#valueAt(right))) child = right;
      if (this.#isAfter(child, priority, value)) break;
      this.#move(child, hole);
      hole = child;
    }
    this.#put(hole, priority, value);
  }

  #isAfter(at: number, priority: number, value: number): boolean {
    const other = this.#priorityAt(at);
    return other > priority || (other === priority && this.#valueAt(at) > value);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#priorityAt(from), this.#valueAt(from));
  }

  #put(at: number, priority: number, value: number): void {
    this.#priorities[at] = priority;
    this.#values[at] = value;
  }

  // Every index above is below the size, so these never see undefined.
  #priorityAt(at: number): number {
    return this.#priorities[at] as number;
  }

  #valueAt(at: number): number {
    return this.#values[at] as number;
  }
}
