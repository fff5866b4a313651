import { hash32, stringSeed } from '../../src/domain/random.ts';

/**
 * Seeded randomness of one part of a run. Each part throws dice of its own, so that what one of them draws more or
 * less leaves the draws of all others as they were.
 */
export class Dice {
  readonly #seed: number;
  #thrown = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Dice for a part of the run, by its name. */
  fork(name: string): Dice {
    return new Dice(hash32(this.#seed, stringSeed(name), 1));
  }

  uint32(): number {
    return hash32(this.#seed, this.#thrown++);
  }

  /** In [0, 1). */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[this.between(0, items.length - 1)] as T;
  }

  /** One of the options, each as likely as its weight says. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const options = Object.entries(weights) as [T, number][];
    let left = this.fraction() * options.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [option, weight] of options) {
      left -= weight;
      if (left < 0) return option;
    }
    return (options.at(-1) as [T, number])[0];
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(count / 4) * 4);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < count; i += 4) view.setUint32(i, this.uint32());
    return bytes.slice(0, count);
  }
}
