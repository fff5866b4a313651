/**
 * Seeded randomness without state: a draw is a hash of a seed and of what is drawn for, e.g. the ordinal of a
 * sample. So any one draw can be made again alone, in any order and by any node, and it depends on nothing
 * that was drawn before it (the counter-based scheme of Salmon et al. 2011, "Parallel random numbers: as easy
 * as 1, 2, 3", with a lighter hash). It is reproducible, not secret: never use it for tokens or ids.
 *
 * The hash is MurmurHash3_x86_32 (Austin Appleby, SMHasher, public domain).
 */

/**
 * A well-mixed uint32 of three integers, each taken modulo 2^32: MurmurHash3 of the words `a`, `b` under
 * `seed`. For a fixed seed and `b` it is a permutation of `a`, so distinct samples never tie.
 */
export function hash32(seed: number, a: number, b = 0): number {
  return finish(mix(mix(seed, a), b), 8);
}

/** A number in [0, 1), a multiple of 2^-32, from the same arguments as `hash32`. */
export function uniform(seed: number, a: number, b = 0): number {
  return hash32(seed, a, b) / 2 ** 32;
}

/** A seed (uint32) for a text, such as a round's id: MurmurHash3 of its UTF-8 under seed 0. */
export function stringSeed(text: string): number {
  const bytes = new TextEncoder().encode(text);
  const whole = bytes.length & ~3;
  const words = new DataView(bytes.buffer, bytes.byteOffset, whole);
  let hash = 0;
  for (let i = 0; i < whole; i += 4) hash = mix(hash, words.getUint32(i, true));
  let tail = 0;
  for (let i = bytes.length - 1; i >= whole; i--) tail = (tail << 8) | (bytes[i] as number);
  return finish(hash ^ scramble(tail), bytes.length);
}

/**
 * `count` distinct integers of 0 … `population` - 1, ascending, every such set equally likely: Robert Floyd's
 * algorithm (Bentley & Floyd 1987, "A sample of brilliance"). Time and memory grow with `count` alone (and its
 * sorting), whatever the population, which is at most 2^32. A count above the population or one that is not a
 * whole number throws RangeError.
 */
export function sampleWithoutReplacement(seed: number, population: number, count: number): Uint32Array {
  if (!Number.isInteger(population) || population < 0 || population > 2 ** 32) {
    throw new RangeError(`A population has 0 to 2^32 members, not ${population}`);
  }
  if (!Number.isInteger(count) || count < 0 || count > population) {
    throw new RangeError(`Cannot draw ${count} of ${population} without replacement`);
  }
  const drawn = new Set<number>();
  let counter = 0;
  for (let newest = population - count; newest < population; newest++) {
    const bound = newest + 1;
    // Hashes at or above the last whole multiple of the bound would favour the smallest remainders.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let hash = hash32(seed, counter++);
    while (hash >= limit) hash = hash32(seed, counter++);
    const candidate = hash % bound;
    drawn.add(drawn.has(candidate) ? newest : candidate);
  }
  return Uint32Array.from(drawn).sort();
}

/** MurmurHash3's step for one word of four bytes. */
function mix(hash: number, word: number): number {
  const mixed = hash ^ scramble(word);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function scramble(word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}

function finish(hash: number, byteCount: number): number {
  let mixed = hash ^ byteCount;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
