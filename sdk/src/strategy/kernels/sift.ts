import { allot, shared } from './instance.ts';
import { stageOf } from './stage.ts';

/**
 * The places, ascending, of the scores that are not below `floor`.
 *
 * @param least no score may be below it
 * @throws {UnsoundScoreError} a score is not finite, or below `least`
 */
export function sift(scores: Float64Array | Float32Array, floor: number, least: number): Int32Array {
  const { length } = scores;
  const stage = scores instanceof Float64Array ? stageOf(scores) : undefined;
  const isThere = stage?.holdsScores(scores as Float64Array) ?? false;
  const kernels = stage !== undefined && isThere ? stage.kernels : shared();
  const [at, into] =
    stage !== undefined && isThere
      ? [scores.byteOffset, stage.places]
      : (allot(kernels, [8 * (length + 7), 4 * length]) as [number, number]);
  const { buffer } = kernels.memory;
  if (!isThere) new Float64Array(buffer, at, length).set(scores);
  const found = kernels.sift(at, length, floor, least, into);
  if (found < 0) throw new UnsoundScoreError(-1 - found, scores[-1 - found] as number, least);
  return new Int32Array(buffer, into, found).slice();
}

/** A score that has no place in an order. */
export class UnsoundScoreError extends RangeError {
  override name = 'UnsoundScoreError';
  /** Where it stands among the scores. */
  readonly place: number;
  readonly score: number;

  constructor(place: number, score: number, least: number) {
    const bound = least === Number.NEGATIVE_INFINITY ? '' : ` and ≥ ${least}`;
    super(`score ${place} is ${score}; it must be finite${bound}`);
    this.place = place;
    this.score = score;
  }
}
