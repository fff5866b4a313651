/**
 * Randomness without state: the number drawn for a sample depends on the seed and the sample, not on how
 * many numbers were drawn before. So rows can be scored in any order, in any blocks, on any thread, and the
 * round is the same.
 *
 * The generator is Philox2x32-10: J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3", SC '11. It passes BigCrush. The tests hold it to the known answers that the
 * authors publish with Random123.
 */

const ROUNDS = 10;
const MULTIPLIER = 0xd256d193;
const MULTIPLIER_HIGH = MULTIPLIER >>> 16;
const MULTIPLIER_LOW = MULTIPLIER & 0xffff;
const WEYL = 0x9e3779b9;

/**
 * One block of Philox2x32-10.
 *
 * @param seed the key, a uint32
 * @param counter the low word of the counter, a uint32: usually a sample's ordinal
 * @param stream the high word, a uint32: one number for each independent use within a seed
 * @returns the top 53 of the block's 64 bits, an integer in 0 … 2^53 − 1
 */
export function philox(seed: number, counter: number, stream: number): number {
  let left = counter | 0;
  let right = stream | 0;
  let key = seed | 0;
  for (let round = 0; round < ROUNDS; round++) {
    const low = Math.imul(left, MULTIPLIER);
    left = multiplyHigh(left) ^ key ^ right;
    right = low;
    key = (key + WEYL) | 0;
  }
  return (left >>> 0) * 0x200000 + (right >>> 11);
}

/** The upper 32 bits of the 64-bit product with the multiplier, from 16-bit halves: a double holds only 53. */
function multiplyHigh(factor: number): number {
  const low = factor & 0xffff;
  const high = factor >>> 16;
  const inner = Math.imul(low, MULTIPLIER_HIGH);
  const outer = Math.imul(high, MULTIPLIER_LOW);
  const carry = (Math.imul(low, MULTIPLIER_LOW) >>> 16) + (inner & 0xffff) + (outer & 0xffff);
  return (Math.imul(high, MULTIPLIER_HIGH) + (inner >>> 16) + (outer >>> 16) + (carry >>> 16)) | 0;
}

/**
 * A uniform number in [0, 1) with 53 random bits, for a seed, a counter and a stream (uint32 each).
 * The same three always give the same number.
 */
export function randomAt(seed: number, counter: number, stream = 0): number {
  return philox(seed, counter, stream) / 0x20000000000000;
}

/**
 * What a strategy draws by under its seed: as {@link randomAt}.
 *
 * @throws {RangeError} the ordinal or the stream is no uint32: it would be taken for another, and draw the same
 */
export function generator(seed: number): (ordinal: number, stream?: number) => number {
  return (ordinal, stream = 0) => {
    if (ordinal >>> 0 !== ordinal) throw notUint32('an ordinal', ordinal);
    if (stream >>> 0 !== stream) throw notUint32('a stream', stream);
    return randomAt(seed, ordinal, stream);
  };
}

function notUint32(what: string, given: unknown): RangeError {
  return new RangeError(
    `random takes ${what} from 0 to 4294967295, a whole number; it was given ${String(given)}`,
  );
}

/**
 * FNV-1a, 32 bits, over the UTF-8 bytes of a text.
 *
 * @see http://www.isthe.com/chongo/tech/comp/fnv/ (G. Fowler, L. C. Noll, K.-P. Vo)
 */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}

/** Streams of a seed that strategies do not draw from; theirs are counted from 0. */
const DERIVE = 0xffffffff;
const TIES = 0xfffffffe;

/**
 * A seed of its own for each name under one seed, so that two strategies in one round draw independently.
 *
 * @param seed a uint32
 * @returns a uint32
 */
export function deriveSeed(seed: number, name: string): number {
  return Math.floor(philox(seed, hashText(name), DERIVE) / 0x200000);
}

/** What decides between samples of equal score: the smaller goes first. In [0, 1), fixed by seed and ordinal. */
export function tieBreak(seed: number, ordinal: number): number {
  return randomAt(seed, ordinal, TIES);
}
