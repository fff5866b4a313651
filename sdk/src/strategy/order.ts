import { randomAt, tieBreak } from './random.ts';

/**
 * The one order of Concord: the highest score first; equal scores by {@link tieBreak}, the smaller first;
 * then the smaller ordinal. It is total, so the same scores and seed give the same list everywhere.
 *
 * Exact, and linear in the pool: only the chosen are sorted.
 *
 * @param scores one finite number a sample; any sign
 * @param ordinals the samples' ordinals, in ascending order, as long as `scores`
 * @param count how many to choose, ≥ 0; more than there are gives all
 * @param seed a uint32
 * @returns the places (indices into `scores` and `ordinals`) of the chosen, in order
 * @throws {RangeError} the lengths differ
 */
export function highest(
  scores: Float64Array | Float32Array,
  ordinals: Uint32Array,
  count: number,
  seed: number,
): Uint32Array {
  if (scores.length !== ordinals.length) {
    throw new RangeError(`${scores.length} scores for ${ordinals.length} ordinals`);
  }
  if (count <= 0 || scores.length === 0) return new Uint32Array(0);
  const chosen = choose(scores, ordinals, count, seed);

  // Compact copies: the comparison then reads two small arrays, and draws each tie break once.
  const keys = new Float64Array(chosen.length);
  const ties = new Float64Array(chosen.length);
  for (let i = 0; i < chosen.length; i++) {
    const place = chosen[i] as number;
    keys[i] = scores[place] as number;
    ties[i] = tieBreak(seed, ordinals[place] as number);
  }
  const order = upTo(chosen.length);
  order.sort(
    (a, b) =>
      (keys[b] as number) - (keys[a] as number) ||
      (ties[a] as number) - (ties[b] as number) ||
      (chosen[a] as number) - (chosen[b] as number),
  );
  return order.map((i) => chosen[i] as number);
}

/** Which places are among the highest `count`, in ascending order. */
function choose(
  scores: Float64Array | Float32Array,
  ordinals: Uint32Array,
  count: number,
  seed: number,
): Uint32Array {
  if (count >= scores.length) return upTo(scores.length);
  const byScore = cut(scores, count);
  if (byScore.missing === byScore.level.length) return merge(byScore.above, byScore.level);

  const ties = new Float64Array(byScore.level.length);
  for (let i = 0; i < ties.length; i++) {
    ties[i] = -tieBreak(seed, ordinals[byScore.level[i] as number] as number);
  }
  const byTie = cut(ties, byScore.missing);
  // What is level even now differs in its ordinal alone, and the places ascend as the ordinals do.
  const winners = merge(byTie.above, byTie.level.subarray(0, byTie.missing));
  return merge(
    byScore.above,
    winners.map((i) => byScore.level[i] as number),
  );
}

/** 0, 1, 2 … length − 1. */
function upTo(length: number): Uint32Array {
  const numbers = new Uint32Array(length);
  for (let i = 0; i < length; i++) numbers[i] = i;
  return numbers;
}

function merge(one: Uint32Array, other: Uint32Array): Uint32Array {
  const both = new Uint32Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both.sort();
}

interface Cut {
  /** Places whose value is above the count-th highest. */
  readonly above: Uint32Array;
  /** Places whose value is that of the count-th highest. */
  readonly level: Uint32Array;
  /** How many of the level ones complete the count: from 1 to all of them. */
  readonly missing: number;
}

function cut(values: Float64Array | Float32Array, count: number): Cut {
  const { value, above } = nthHighest(values, count);
  let equal = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === value) equal++;
  }
  const higher = new Uint32Array(above);
  const level = new Uint32Array(equal);
  let h = 0;
  let l = 0;
  for (let i = 0; i < values.length; i++) {
    const at = values[i] as number;
    if (at > value) higher[h++] = i;
    else if (at === value) level[l++] = i;
  }
  return { above: higher, level, missing: count - above };
}

/** Where the sign, exponent and upper mantissa of a double lie among its two 32-bit words. */
const UPPER = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;
const SIGN = 0x80000000;
const DIGITS = 4;
const BUCKETS = 0x10000;

/** So few values are sorted faster than counted. */
const FEW = 4096;

/**
 * The n-th highest value, and how many lie above it, by radix selection: count how many values have each
 * upper 16 bits, keep the bucket in which the n-th falls, go on there with the next 16. At most four passes
 * over an ever smaller list, whatever the values; a quickselect has bad inputs.
 */
function nthHighest(values: Float64Array | Float32Array, n: number): { value: number; above: number } {
  // Adding zero turns −0, whose bits differ, into 0.
  let candidates = new Float64Array(values.length);
  for (let i = 0; i < candidates.length; i++) candidates[i] = (values[i] as number) + 0;

  let above = 0;
  for (let digit = 0; digit < DIGITS && candidates.length > FEW; digit++) {
    const words = new Uint32Array(candidates.buffer);
    const counts = new Uint32Array(BUCKETS);
    for (let i = 0; i < candidates.length; i++) {
      const bucket = digitOf(words, i, digit);
      counts[bucket] = (counts[bucket] as number) + 1;
    }
    let bucket = BUCKETS - 1;
    while (above + (counts[bucket] as number) < n) above += counts[bucket--] as number;

    const kept = new Float64Array(counts[bucket] as number);
    for (let i = 0, k = 0; k < kept.length; i++) {
      if (digitOf(words, i, digit) === bucket) kept[k++] = candidates[i] as number;
    }
    candidates = kept;
  }
  // More than a few are left only if no digit tells them apart: they are equal.
  if (candidates.length <= FEW) candidates.sort();
  const value = candidates[candidates.length - (n - above)] as number;
  return { value, above: above + candidates.length - 1 - candidates.lastIndexOf(value) };
}

/** Sixteen bits of a double, from the top, in a form whose unsigned order is the order of the numbers. */
function digitOf(words: Uint32Array, i: number, digit: number): number {
  const upper = words[2 * i + UPPER] as number;
  const negative = upper >= SIGN;
  const word = digit < 2 ? upper : (words[2 * i + 1 - UPPER] as number);
  const ordered = negative ? ~word : digit < 2 ? word | SIGN : word;
  return digit % 2 === 0 ? ordered >>> 16 : ordered & 0xffff;
}

/** A uniform draw without replacement. */
export interface Draw {
  /** The ordinals drawn, in the order drawn; every order is equally likely. */
  readonly ordinals: Uint32Array;
  /** The chance that each sample of the pool had to be drawn, in (0, 1]; null when nothing was drawn. */
  readonly inclusionProbability: number | null;
}

/**
 * Draws `count` of the ordinals, each set of them equally likely: those with the highest random numbers.
 *
 * @param ordinals what to draw from, in ascending order
 * @param count how many, ≥ 0; more than there are draws all
 * @param seed a uint32
 * @param stream tells apart several draws under one seed, a uint32 below 2^32 − 2
 */
export function draw(ordinals: Uint32Array, count: number, seed: number, stream = 0): Draw {
  const keys = new Float64Array(ordinals.length);
  for (let i = 0; i < keys.length; i++) keys[i] = randomAt(seed, ordinals[i] as number, stream);
  const drawn = highest(keys, ordinals, count, seed).map((place) => ordinals[place] as number);
  return {
    ordinals: drawn,
    inclusionProbability: drawn.length === 0 ? null : drawn.length / ordinals.length,
  };
}
