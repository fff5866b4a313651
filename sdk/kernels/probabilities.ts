import { column0, column1, column2, column3, high, lastLanes, lastVector, low, maxima } from './lanes';
import { terms } from './logarithm';
import { storeFour, sumRows } from './sums';

/*
 * Scores of rows of class probabilities. Each function takes
 *
 *   rows     where the matrix lies: `length` × `classes` float32, row by row. Up to three rows and one vector beyond
 *            its end, or 16 numbers, are read, and what they hold does not matter
 *   length   how many rows
 *   classes  ≥ 1
 *   scores   room for `length` float64, and for three more
 */

/**
 * −Σ p·ln(p + 1e−10), no less than 0.
 *
 * @param between room for `length` × `classes` float32, and for 16 more; as much is read at `rows`
 */
export function entropy(rows: usize, length: i32, classes: i32, scores: usize, between: usize): void {
  terms(rows, <usize>length * <usize>classes, -Math.LN2 as f32, between);
  // ε makes the logarithm of a certain class a hair above zero, and the sum a hair below.
  sumRows(between, length, classes, scores);
}

/** 1 − (p₁ − p₂), where p₁ and p₂ are the row's two largest, no less than 0. */
export function margin(rows: usize, length: i32, classes: i32, scores: usize): void {
  const stride = (<usize>classes) << 2;
  const last = lastVector(stride);
  const kept = lastLanes(classes);
  for (let i = 0; i < length; i += 4, rows += stride << 2, scores += 32) {
    const b = rows + stride;
    const c = b + stride;
    const d = c + stride;
    // The two largest of each lane's own numbers.
    let va = v128.and(v128.load(rows + last), kept);
    let vb = v128.and(v128.load(b + last), kept);
    let vc = v128.and(v128.load(c + last), kept);
    let vd = v128.and(v128.load(d + last), kept);
    let sa = f32x4.splat(0);
    let sb = f32x4.splat(0);
    let sc = f32x4.splat(0);
    let sd = f32x4.splat(0);
    for (let at: usize = 0; at < last; at += 16) {
      const pa = v128.load(rows + at);
      const pb = v128.load(b + at);
      const pc = v128.load(c + at);
      const pd = v128.load(d + at);
      sa = f32x4.pmax(sa, f32x4.pmin(va, pa));
      sb = f32x4.pmax(sb, f32x4.pmin(vb, pb));
      sc = f32x4.pmax(sc, f32x4.pmin(vc, pc));
      sd = f32x4.pmax(sd, f32x4.pmin(vd, pd));
      va = f32x4.pmax(va, pa);
      vb = f32x4.pmax(vb, pb);
      vc = f32x4.pmax(vc, pc);
      vd = f32x4.pmax(vd, pd);
    }
    // And then those of the lanes.
    let first = column0(va, vb, vc, vd);
    let second = maxima(sa, sb, sc, sd);
    let p = column1(va, vb, vc, vd);
    second = f32x4.pmax(second, f32x4.pmin(first, p));
    first = f32x4.pmax(first, p);
    p = column2(va, vb, vc, vd);
    second = f32x4.pmax(second, f32x4.pmin(first, p));
    first = f32x4.pmax(first, p);
    p = column3(va, vb, vc, vd);
    second = f32x4.pmax(second, f32x4.pmin(first, p));
    first = f32x4.pmax(first, p);
    storeOneMinus(scores, f64x2.sub(low(first), low(second)), f64x2.sub(high(first), high(second)));
  }
}

/** 1 − max p, no less than 0. */
export function leastConfident(rows: usize, length: i32, classes: i32, scores: usize): void {
  const stride = (<usize>classes) << 2;
  const last = lastVector(stride);
  const kept = lastLanes(classes);
  for (let i = 0; i < length; i += 4, rows += stride << 2, scores += 32) {
    const b = rows + stride;
    const c = b + stride;
    const d = c + stride;
    let va = v128.and(v128.load(rows + last), kept);
    let vb = v128.and(v128.load(b + last), kept);
    let vc = v128.and(v128.load(c + last), kept);
    let vd = v128.and(v128.load(d + last), kept);
    for (let at: usize = 0; at < last; at += 16) {
      va = f32x4.pmax(va, v128.load(rows + at));
      vb = f32x4.pmax(vb, v128.load(b + at));
      vc = f32x4.pmax(vc, v128.load(c + at));
      vd = f32x4.pmax(vd, v128.load(d + at));
    }
    const first = maxima(va, vb, vc, vd);
    storeOneMinus(scores, low(first), high(first));
  }
}

/** Rows sum to 1 within a tolerance, so that p₁ alone can be a hair above 1. */
function storeOneMinus(to: usize, lower: v128, upper: v128): void {
  const one = f64x2.splat(1);
  storeFour(to, f64x2.sub(one, lower), f64x2.sub(one, upper));
}
