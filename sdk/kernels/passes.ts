import { high, lastLanes, lastVector, low } from './lanes';
import { plogp4 } from './logarithm';

/*
 * Scores of rows of which several passes were predicted. Each function takes
 *
 *   rows      where the first pass lies: `length` × `classes` float32, row by row. One vector beyond its end is read,
 *             and what it holds does not matter
 *   next      bytes from one pass to the next
 *   passes    ≥ 1
 *   scores    room for `length` float64
 */

/** H(mean of the passes) − mean of H(pass), where H = −Σ p·ln(p + 1e−10), no less than 0. */
export function bald(rows: usize, next: usize, length: i32, passes: i32, classes: i32, scores: usize): void {
  const stride = (<usize>classes) << 2;
  const last = lastVector(stride);
  const kept = lastLanes(classes);
  const all = i32x4.splat(-1);
  const share = f32x4.splat((1 / <f64>passes) as f32);
  for (let i = 0; i < length; i++, rows += stride, scores += 8) {
    let lower = f64x2.splat(0);
    let upper = f64x2.splat(0);
    for (let at: usize = 0; at <= last; at += 16) {
      const lanes = at === last ? kept : all;
      let sum = f32x4.splat(0);
      let logs = f32x4.splat(0);
      for (let pass = 0, from = rows + at; pass < passes; pass++, from += next) {
        const p = v128.and(v128.load(from), lanes);
        sum = f32x4.add(sum, p);
        logs = f32x4.add(logs, plogp4(p));
      }
      const gain = f32x4.sub(f32x4.mul(logs, share), plogp4(f32x4.mul(sum, share)));
      lower = f64x2.add(lower, low(gain));
      upper = f64x2.add(upper, high(gain));
    }
    const both = f64x2.add(lower, upper);
    // Where the passes agree, rounding can leave a hair below zero.
    store<f64>(scores, max(f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1), 0));
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
