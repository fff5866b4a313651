import { high, lastLanes, lastVector, low, sums } from './lanes';

/** Bytes of a row that are summed in float32, before the sum goes on in float64: so rounding does not pile up. */
const PART: usize = 256;

/**
 * The sum of each row, no less than 0.
 *
 * @param rows `length` × `classes` float32, row by row; up to three rows and one vector beyond its end are read
 * @param scores room for `length` float64, and for three more
 */
export function sumRows(rows: usize, length: i32, classes: i32, scores: usize): void {
  const stride = (<usize>classes) << 2;
  const last = lastVector(stride);
  const kept = lastLanes(classes);
  for (let i = 0; i < length; i += 4, rows += stride << 2, scores += 32) {
    const b = rows + stride;
    const c = b + stride;
    const d = c + stride;
    let lower = f64x2.splat(0);
    let upper = f64x2.splat(0);
    for (let at: usize = 0; at <= last; ) {
      let va = f32x4.splat(0);
      let vb = f32x4.splat(0);
      let vc = f32x4.splat(0);
      let vd = f32x4.splat(0);
      for (const end = min(at + PART, last); at < end; at += 16) {
        va = f32x4.add(va, v128.load(rows + at));
        vb = f32x4.add(vb, v128.load(b + at));
        vc = f32x4.add(vc, v128.load(c + at));
        vd = f32x4.add(vd, v128.load(d + at));
      }
      if (at === last) {
        va = f32x4.add(va, v128.and(v128.load(rows + at), kept));
        vb = f32x4.add(vb, v128.and(v128.load(b + at), kept));
        vc = f32x4.add(vc, v128.and(v128.load(c + at), kept));
        vd = f32x4.add(vd, v128.and(v128.load(d + at), kept));
        at += 16;
      }
      const sum = sums(va, vb, vc, vd);
      lower = f64x2.add(lower, low(sum));
      upper = f64x2.add(upper, high(sum));
    }
    storeFour(scores, lower, upper);
  }
}

/** Four scores, none below 0. */
export function storeFour(to: usize, lower: v128, upper: v128): void {
  const zero = f64x2.splat(0);
  v128.store(to, f64x2.pmax(lower, zero));
  v128.store(to, f64x2.pmax(upper, zero), 16);
}
