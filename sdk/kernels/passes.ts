import { TOGETHER, terms } from './logarithm';
import { sumRows } from './sums';

/*
 * Scores of rows of which several passes were predicted. Each function takes
 *
 *   rows      where the first pass lies: `length` × `classes` float32, row by row. Up to 16 numbers beyond its end
 *             are read, and what they hold does not matter
 *   next      bytes from one pass to the next
 *   passes    ≥ 1
 *   scores    room for `length` float64
 */

/** So many numbers of each pass are worked on together: they and what is summed of them stay in the nearest cache. */
const TILE: usize = 1024;

/**
 * H(mean of the passes) − mean of H(pass), where H = −Σ p·ln(p + 1e−10), no less than 0.
 *
 * @param gains room for `length` × `classes` float32, and for {@link TOGETHER} more
 * @param tile room for twice 1024 + {@link TOGETHER} float32
 */
export function bald(
  rows: usize,
  next: usize,
  length: i32,
  passes: i32,
  classes: i32,
  scores: usize,
  gains: usize,
  tile: usize,
): void {
  const share = (1 / <f64>passes) as f32;
  const numbers = <usize>length * <usize>classes;
  const mean = tile;
  const part = tile + ((TILE + TOGETHER) << 2);
  for (let first: usize = 0; first < numbers; first += TILE) {
    const count = min(TILE, numbers - first);
    const to = gains + (first << 2);
    memory.fill(mean, 0, (count + TOGETHER) << 2);
    memory.fill(to, 0, (count + TOGETHER) << 2);
    for (let pass = 0, from = rows + (first << 2); pass < passes; pass++, from += next) {
      addShare(from, count, share, mean);
      terms(from, count, Math.LN2 as f32, part);
      addShare(part, count, share, to);
    }
    terms(mean, count, -Math.LN2 as f32, part);
    addShare(part, count, 1, to);
  }
  // Where the passes agree, rounding can leave a hair below zero.
  sumRows(gains, length, classes, scores);
}

/** Adds factor·p to each of some numbers, up to three beyond the last as well. */
function addShare(from: usize, numbers: usize, factor: f32, to: usize): void {
  const scale = f32x4.splat(factor);
  for (const end = from + (numbers << 2); from < end; from += 16, to += 16) {
    v128.store(to, f32x4.add(v128.load(to), f32x4.mul(v128.load(from), scale)));
  }
}

/**
 * −Σ v/m·ln(v/m) over the classes that have votes: v of the m passes have it as their likeliest class, the first of
 * those that are equally likely.
 *
 * @param votes room for 4 × `passes` bytes
 * @param counts room for 4 × `classes` bytes, all 0; they are 0 again at the end
 * @param surprise room for 8 × (`passes` + 1) bytes
 */
export function voteEntropy(
  rows: usize,
  next: usize,
  length: i32,
  passes: i32,
  classes: i32,
  scores: usize,
  votes: usize,
  counts: usize,
  surprise: usize,
): void {
  // What one of v equal votes adds.
  for (let v = 1; v <= passes; v++) {
    const share = <f64>v / <f64>passes;
    store<f64>(surprise + ((<usize>v) << 3), NativeMath.log(share) / -(<f64>passes));
  }
  const stride = (<usize>classes) << 2;
  for (let i = 0; i < length; i++, rows += stride, scores += 8) {
    for (let pass: usize = 0; pass < <usize>passes; pass++) {
      const count = counts + likeliest(rows + pass * next, stride);
      store<i32>(count, load<i32>(count) + 1);
      store<usize>(votes + (pass << 2), count);
    }
    let sum: f64 = 0;
    for (let pass: usize = 0; pass < <usize>passes; pass++) {
      sum += load<f64>(surprise + ((<usize>load<i32>(load<usize>(votes + (pass << 2)))) << 3));
    }
    for (let pass: usize = 0; pass < <usize>passes; pass++) {
      store<i32>(load<usize>(votes + (pass << 2)), 0);
    }
    store<f64>(scores, sum);
  }
}

/** The offset, in bytes, of a row's first largest number. */
function likeliest(row: usize, stride: usize): usize {
  let best: usize = 0;
  let largest = load<f32>(row);
  for (let at: usize = 4; at < stride; at += 4) {
    const p = load<f32>(row + at);
    if (p > largest) {
      largest = p;
      best = at;
    }
  }
  return best;
}
