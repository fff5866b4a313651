import type { Rows } from '../samples.ts';
import type { Kernels, ScoreKernel } from './instance.ts';
import { placeOf, type Stage, type StageSize, stageKeeper, stageOf } from './stage.ts';

/*
 * The scores of the built-in strategies, for any strategy to use. They are computed by one kernel on every machine, with
 * nothing but operations that IEEE 754 defines exactly: so a sample has the same score to the last bit wherever, and with
 * whatever others, it is scored.
 *
 * Of the rows that the host hands to `score`, what they give holds during that call, as the rows themselves do.
 */

/** Rows worked on at a time: what goes in and what comes out stay in a core's cache. */
const BLOCK_BYTES = 128 * 1024;

/** Rows of class probabilities: what a strategy that needs `probabilities` is given, or any others. */
export type Probabilities = Pick<Rows<'probabilities'>, 'length' | 'classes' | 'probabilities'>;

/** Likewise of several passes. */
export type Passes = Pick<Rows<'passes'>, 'length' | 'classes' | 'passes'>;

/**
 * The entropy of each row, −Σ p·ln(p + 1e−10), in nats: 0 … ln `classes`, and up to 1e−6 more.
 *
 * It is off the exact value by less than 1e−6.
 */
export function entropy(rows: Probabilities): Float64Array {
  return scores(rows, (kernels) => kernels.entropy);
}

/** 1 − (p₁ − p₂) of each row, where p₁ and p₂ are its two largest: 0 … 1, exact in float64. */
export function margin(rows: Probabilities): Float64Array {
  return scores(rows, (kernels) => kernels.margin);
}

/** 1 − max p of each row: 0 … 1 − 1/`classes`, and as much more as the row's sum is below 1. Exact in float64. */
export function leastConfident(rows: Probabilities): Float64Array {
  return scores(rows, (kernels) => kernels.leastConfident);
}

/**
 * What the passes disagree on of each row: the entropy of their mean, less their mean entropy, in nats. 0 …
 * ln `classes`, and never more than the logarithm of the number of passes; off the exact value by less than 2e−6.
 */
export function bald(rows: Passes): Float64Array {
  return ofPasses(rows, ({ kernels, scratch }, from, next, passes, length, to) => {
    const { terms, tile } = scratch;
    kernels.bald(from, next, length, passes, rows.classes, to, terms, tile);
  });
}

/**
 * How split the passes' votes are on each row, in nats: −Σ v/m·ln(v/m), where v of the m passes have a class as their
 * likeliest, the first of those that are equally likely. 0 … ln `classes`, and never more than ln m.
 */
export function voteEntropy(rows: Passes): Float64Array {
  return ofPasses(rows, ({ kernels, scratch }, from, next, passes, length, to) => {
    const { votes, counts, surprise } = scratch;
    kernels.voteEntropy(from, next, length, passes, rows.classes, to, votes, counts, surprise);
  });
}

function scores(rows: Probabilities, choose: (kernels: Kernels) => ScoreKernel): Float64Array {
  const { length, classes } = rows;
  const score = (stage: Stage, from: number, length: number) =>
    stage.scores(length, (to) => choose(stage.kernels)(from, length, classes, to, stage.scratch.terms));
  const place = placeOf(rows, 'probabilities');
  if (place !== null) return score(place.stage, place.at, length);
  const { probabilities } = rows;
  const own = stageOf(probabilities);
  if (own?.holds(probabilities, length, classes)) return score(own, probabilities.byteOffset, length);
  return inBlocks({ length, classes, matrices: 1 }, [probabilities], (stage, length) =>
    score(stage, (stage.matrices[0] as Float32Array).byteOffset, length),
  );
}

type ScorePasses = (
  stage: Stage,
  from: number,
  next: number,
  passes: number,
  length: number,
  to: number,
) => void;

function ofPasses(rows: Passes, run: ScorePasses): Float64Array {
  const { length, classes } = rows;
  const place = placeOf(rows, 'passes');
  if (place !== null) {
    const { stage, at, next, matrices } = place;
    return stage.scores(length, (to) => run(stage, at, next, matrices, length, to));
  }
  const { passes } = rows;
  const score = (stage: Stage, from: number, length: number) =>
    stage.scores(length, (to) => run(stage, from, stage.next, passes.length, length, to));
  const [first] = passes;
  const own = first && stageOf(first);
  const areThere = passes.every(
    (pass, i) =>
      own?.holds(pass, length, classes) &&
      pass.byteOffset === (first as Float32Array).byteOffset + i * own.next,
  );
  if (own && areThere) return score(own, first.byteOffset, length);
  return inBlocks({ length, classes, matrices: passes.length }, passes, (stage, length) =>
    score(stage, (stage.matrices[0] as Float32Array).byteOffset, length),
  );
}

const stageFor = stageKeeper();

/** Brings rows from elsewhere to a stage, block by block. */
function inBlocks(
  { length, classes, matrices }: StageSize,
  from: readonly Float32Array[],
  score: (stage: Stage, length: number) => Float64Array,
): Float64Array {
  const block = Math.min(length, Math.max(4, Math.floor(BLOCK_BYTES / (4 * classes * matrices))));
  const stage = stageFor({ length: block, classes, matrices });
  const result = new Float64Array(length);
  for (let at = 0; at < length; at += block) {
    const to = Math.min(at + block, length);
    stage.refill();
    stage.matrices.forEach((matrix, i) => {
      matrix.set((from[i] as Float32Array).subarray(at * classes, to * classes));
    });
    result.set(score(stage, to - at), at);
  }
  return result;
}
