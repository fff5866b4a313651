import { sift } from './kernels/sift.ts';
import { cut } from './radix.ts';
import { randomAt, tieBreak } from './random.ts';

/** What {@link TopK} found, one place a sample, in order. */
export interface Top {
  /** Where each stood among all that were offered: 0 for the very first. */
  readonly places: Uint32Array;
  readonly ordinals: Uint32Array;
  readonly scores: Float64Array;
}

/** So many scores are looked at together: they stay in a core's cache. */
const PORTION = 16_384;

/** So many more than are wanted are held, at least, before the lowest are let go. */
const SPARE = 4096;

/**
 * The one order of Concord: the highest score first; equal scores by {@link tieBreak}, the smaller first; then the
 * smaller ordinal. It is total, so the same scores and seed give the same list everywhere.
 *
 * Exact, and linear in what is offered: most is compared with one number and forgotten, and only the chosen are sorted.
 */
export class TopK {
  readonly #count: number;
  readonly #seed: number;
  readonly #least: number;
  readonly #scores: Float64Array;
  readonly #ordinals: Uint32Array;
  readonly #places: Uint32Array;
  #held = 0;
  #offered = 0;
  /** What is below it, or level with it and later, is not among the highest. */
  #floor = { score: Number.NEGATIVE_INFINITY, tie: Number.POSITIVE_INFINITY };

  /**
   * @param count how many to choose, ≥ 0; more than there are gives all
   * @param seed a uint32
   * @param length how many will be offered at most, ≥ 0
   * @param least no score may be below it; default: any may be offered
   */
  constructor(count: number, seed: number, length: number, least = Number.NEGATIVE_INFINITY) {
    this.#count = Math.min(count, length);
    this.#seed = seed;
    this.#least = least;
    if (this.#count === 0) this.#floor = { score: Number.POSITIVE_INFINITY, tie: 0 };
    const room = Math.min(length, this.#count + Math.max(this.#count, SPARE));
    this.#scores = new Float64Array(room);
    this.#ordinals = new Uint32Array(room);
    this.#places = new Uint32Array(room);
  }

  /**
   * @param scores one finite number a sample
   * @param ordinals the samples' ordinals, as many; they ascend, from each call to the next as well
   * @throws {UnsoundScoreError} a score is not finite, or below the least; what is held is then of no use
   * @throws {RangeError} the lengths differ
   */
  offer(scores: Float64Array | Float32Array, ordinals: Uint32Array): void {
    if (scores.length !== ordinals.length) {
      throw new RangeError(`${scores.length} scores for ${ordinals.length} ordinals`);
    }
    for (let from = 0; from < scores.length; from += PORTION) {
      const to = Math.min(from + PORTION, scores.length);
      this.#take(scores.subarray(from, to), ordinals.subarray(from, to));
    }
  }

  #take(scores: Float64Array | Float32Array, ordinals: Uint32Array): void {
    const high = sift(scores, this.#floor.score, this.#least);
    const first = this.#offered;
    this.#offered += scores.length;
    for (let i = 0; i < high.length; i++) {
      const at = high[i] as number;
      const score = scores[at] as number;
      const ordinal = ordinals[at] as number;
      if (this.#isBelow(score, ordinal)) continue;
      if (this.#held === this.#scores.length) {
        this.#letGo();
        if (this.#isBelow(score, ordinal)) continue;
      }
      this.#scores[this.#held] = score;
      this.#ordinals[this.#held] = ordinal;
      this.#places[this.#held++] = first + at;
    }
  }

  #isBelow(score: number, ordinal: number): boolean {
    const floor = this.#floor;
    return score < floor.score || (score === floor.score && tieBreak(this.#seed, ordinal) >= floor.tie);
  }

  /** The highest of all that were offered. */
  top(): Top {
    if (this.#held > this.#count) this.#letGo();
    const scores = this.#scores.subarray(0, this.#held);
    const ordinals = this.#ordinals.subarray(0, this.#held);
    const ties = Float64Array.from(ordinals, (ordinal) => tieBreak(this.#seed, ordinal));
    const order = upTo(this.#held).sort(
      (a, b) =>
        (scores[b] as number) - (scores[a] as number) || (ties[a] as number) - (ties[b] as number) || a - b,
    );
    return {
      places: order.map((i) => this.#places[i] as number),
      ordinals: order.map((i) => ordinals[i] as number),
      scores: Float64Array.from(order, (i) => scores[i] as number),
    };
  }

  /** Keeps the highest alone, and notes how high the lowest of them is. */
  #letGo(): void {
    const kept = choose(
      this.#scores.subarray(0, this.#held),
      this.#ordinals.subarray(0, this.#held),
      this.#count,
      this.#seed,
    );
    let floor = Number.POSITIVE_INFINITY;
    for (let to = 0; to < kept.length; to++) {
      const from = kept[to] as number;
      const score = this.#scores[from] as number;
      this.#scores[to] = score;
      this.#ordinals[to] = this.#ordinals[from] as number;
      this.#places[to] = this.#places[from] as number;
      if (score < floor) floor = score;
    }
    this.#held = kept.length;
    let tie = 0;
    for (let i = 0; i < this.#held; i++) {
      if (this.#scores[i] === floor) tie = Math.max(tie, tieBreak(this.#seed, this.#ordinals[i] as number));
    }
    this.#floor = { score: floor, tie };
  }
}

/**
 * The highest scores of a whole pool, in the order of {@link TopK}.
 *
 * @param scores one finite number a sample; any sign
 * @param ordinals the samples' ordinals, in ascending order, as long as `scores`
 * @param count how many to choose, ≥ 0; more than there are gives all
 * @param seed a uint32
 * @returns the places (indices into `scores` and `ordinals`) of the chosen, in order
 * @throws {UnsoundScoreError} a score is not finite
 * @throws {RangeError} the lengths differ
 */
export function highest(
  scores: Float64Array | Float32Array,
  ordinals: Uint32Array,
  count: number,
  seed: number,
): Uint32Array {
  const top = new TopK(Math.max(0, count), seed, scores.length);
  top.offer(scores, ordinals);
  return top.top().places;
}

/** Which places are among the highest `count`, in ascending order. */
function choose(scores: Float64Array, ordinals: Uint32Array, count: number, seed: number): Uint32Array {
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
