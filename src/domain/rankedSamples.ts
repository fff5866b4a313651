import { firstNotBefore } from './ranks.ts';

/** Samples in a block before it is cut in two: large enough that a million are few, small enough that to move one is cheap. */
const BLOCK = 512;

/**
 * Samples by a cost that may change, the most costly first; of equals, the lower ordinal. A change costs the search for a
 * place and the move of one block, and a page the blocks before it: nobody ever sorts them all.
 */
export class RankedSamples {
  readonly #costs = new Map<number, number>();
  /** In order, and none is empty. */
  readonly #blocks: number[][] = [];

  get size(): number {
    return this.#costs.size;
  }

  has(sample: number): boolean {
    return this.#costs.has(sample);
  }

  /** In order. */
  *[Symbol.iterator](): Generator<number, void, void> {
    for (const block of this.#blocks) yield* block;
  }

  /** Takes a sample in, or moves it to where its cost belongs. */
  set(sample: number, cost: number): void {
    if (this.#costs.get(sample) === cost) return;
    this.delete(sample);
    this.#costs.set(sample, cost);
    const at = Math.min(this.#blockOf(sample, cost), this.#blocks.length - 1);
    const block = this.#blocks[at];
    if (block === undefined) {
      this.#blocks.push([sample]);
      return;
    }
    block.splice(this.#placeIn(block, sample, cost), 0, sample);
    if (block.length > 2 * BLOCK) this.#blocks.splice(at + 1, 0, block.splice(BLOCK));
  }

  delete(sample: number): void {
    const cost = this.#costs.get(sample);
    if (cost === undefined) return;
    const at = this.#blockOf(sample, cost);
    const block = this.#blocks[at] as number[];
    block.splice(this.#placeIn(block, sample, cost), 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
    this.#costs.delete(sample);
  }

  /** Up to `count` of them from a rank on, which counts from 0. */
  slice(from: number, count: number): { readonly sample: number; readonly cost: number }[] {
    const found: { readonly sample: number; readonly cost: number }[] = [];
    let skip = from;
    for (const block of this.#blocks) {
      if (found.length === count) break;
      if (skip < block.length) {
        for (const sample of block.slice(skip, skip + count - found.length))
          found.push({ sample, cost: this.#costs.get(sample) as number });
      }
      skip = Math.max(0, skip - block.length);
    }
    return found;
  }

  /** The first block that ends at this sample or behind it. */
  #blockOf(sample: number, cost: number): number {
    return firstNotBefore(this.#blocks.length, (i) =>
      this.#isBefore(this.#blocks[i]?.at(-1) as number, sample, cost),
    );
  }

  /** Its place in a block, or that which it would have. */
  #placeIn(block: readonly number[], sample: number, cost: number): number {
    return firstNotBefore(block.length, (i) => this.#isBefore(block[i] as number, sample, cost));
  }

  #isBefore(one: number, sample: number, cost: number): boolean {
    const own = this.#costs.get(one) as number;
    return own > cost || (own === cost && one < sample);
  }
}
