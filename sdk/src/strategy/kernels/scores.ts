import type { Rows } from '../samples.ts';
import { allot, type Kernels, type ScoreKernel, shared } from './instance.ts';

/*
 * The scores of the built-in strategies, for any strategy to use. They are computed by one kernel on every machine, with
 * nothing but operations that IEEE 754 defines exactly: so a sample has the same score to the last bit wherever, and with
 * whatever others, it is scored.
 */

/** Rows worked on at a time: what goes in and what comes out stay in a core's cache. */
const BLOCK_BYTES = 128 * 1024;

/** What kernels read beyond the end of a matrix: three rows, and a vector. */
const BEYOND = 16;

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

function scores(
  { length, classes, probabilities }: Probabilities,
  choose: (kernels: Kernels) => ScoreKernel,
): Float64Array {
  const kernels = shared();
  const kernel = choose(kernels);
  const block = blockOf(length, classes);
  const [rows, out] = allot(kernels, [(block + 3) * classes * 4 + BEYOND, (block + 3) * 8]) as [
    number,
    number,
  ];
  const { buffer } = kernels.memory;
  const input = new Float32Array(buffer, rows, block * classes);
  const output = new Float64Array(buffer, out, block);
  const result = new Float64Array(length);
  for (let from = 0; from < length; from += block) {
    const to = Math.min(from + block, length);
    input.set(probabilities.subarray(from * classes, to * classes));
    kernel(rows, to - from, classes, out);
    result.set(output.subarray(0, to - from), from);
  }
  return result;
}

/**
 * What the passes disagree on of each row: the entropy of their mean, less their mean entropy, in nats. 0 …
 * ln `classes`, and never more than the logarithm of the number of passes; off the exact value by less than 2e−6.
 */
export function bald(rows: Passes): Float64Array {
  return ofPasses(rows, (kernels, at, next, length, scores) => {
    kernels.bald(at.rows, next, length, rows.passes.length, rows.classes, scores);
  });
}

/**
 * How split the passes' votes are on each row, in nats: −Σ v/m·ln(v/m), where v of the m passes have a class as their
 * likeliest, the first of those that are equally likely. 0 … ln `classes`, and never more than ln m.
 */
export function voteEntropy(rows: Passes): Float64Array {
  return ofPasses(rows, (kernels, at, next, length, scores) => {
    const { passes, classes } = rows;
    kernels.voteEntropy(
      at.rows,
      next,
      length,
      passes.length,
      classes,
      scores,
      at.votes,
      at.counts,
      at.surprise,
    );
  });
}

interface Places {
  readonly rows: number;
  readonly votes: number;
  readonly counts: number;
  readonly surprise: number;
}

function ofPasses(
  { length, classes, passes }: Passes,
  score: (kernels: Kernels, at: Places, next: number, length: number, scores: number) => void,
): Float64Array {
  const kernels = shared();
  const block = blockOf(length, classes * passes.length);
  const sizes = [
    block * passes.length * classes * 4 + BEYOND,
    block * 8,
    passes.length * 4,
    classes * 4,
    (passes.length + 1) * 8,
  ];
  const [rows, out, votes, counts, surprise] = allot(kernels, sizes) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const { buffer } = kernels.memory;
  const output = new Float64Array(buffer, out, block);
  new Int32Array(buffer, counts, classes).fill(0);
  const result = new Float64Array(length);
  for (let from = 0; from < length; from += block) {
    const to = Math.min(from + block, length);
    const next = (to - from) * classes * 4;
    passes.forEach((pass, i) => {
      const part = pass.subarray(from * classes, to * classes);
      new Float32Array(buffer, rows + i * next, part.length).set(part);
    });
    score(kernels, { rows, votes, counts, surprise }, next, to - from, out);
    result.set(output.subarray(0, to - from), from);
  }
  return result;
}

function blockOf(length: number, numbers: number): number {
  return Math.min(length, Math.max(4, Math.floor(BLOCK_BYTES / (4 * numbers))));
}

/** The natural logarithm of each number > 0, correctly rounded or next to it: unlike `Math.log`, alike everywhere. */
export function logarithms(values: Float64Array): Float64Array {
  const kernels = shared();
  const [at] = allot(kernels, [values.byteLength]) as [number];
  const view = new Float64Array(kernels.memory.buffer, at, values.length);
  view.set(values);
  kernels.logarithms(at, values.length);
  return view.slice();
}
