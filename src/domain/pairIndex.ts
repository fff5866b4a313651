import { Column } from './columns.ts';
import { hash32 } from './random.ts';
import { NONE } from './sampleTable.ts';

const MINIMUM_SLOTS = 16;

/**
 * Numbers pairs of uint32 from 0 on, in the order in which they come: an open-addressing hash table in typed arrays,
 * about 16 bytes a pair, where a Map of pairs would take a hundred. Nothing is ever taken out of it.
 */
export class PairIndex {
  /** The two of each pair, by its number. */
  readonly first = new Column(Uint32Array);
  readonly second = new Column(Uint32Array);
  /** Numbers of pairs, or {@link NONE}; a power of two long, and at most three quarters full. */
  #slots = new Int32Array(MINIMUM_SLOTS).fill(NONE);

  get size(): number {
    return this.first.length;
  }

  /** The pair's number, or {@link NONE}. */
  indexOf(first: number, second: number): number {
    return this.#slots[this.#slotOf(first, second)] as number;
  }

  /** The pair's number, which it is given if it has none. */
  add(first: number, second: number): number {
    const slot = this.#slotOf(first, second);
    const known = this.#slots[slot] as number;
    if (known !== NONE) return known;
    const index = this.first.push(first);
    this.second.push(second);
    this.#slots[slot] = index;
    if (this.size * 4 > this.#slots.length * 3) this.#grow();
    return index;
  }

  /** Where the pair stands, or the free slot where it would. */
  #slotOf(first: number, second: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash32(0, first, second) & mask;
    for (;;) {
      const index = this.#slots[slot] as number;
      if (index === NONE) return slot;
      if (this.first.get(index) === first && this.second.get(index) === second) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(NONE);
    const mask = slots.length - 1;
    for (let index = 0; index < this.size; index++) {
      let slot = hash32(0, this.first.get(index), this.second.get(index)) & mask;
      while (slots[slot] !== NONE) slot = (slot + 1) & mask;
      slots[slot] = index;
    }
    this.#slots = slots;
  }
}
