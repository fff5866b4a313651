import { lastLanes, lastVector, sums } from './lanes';

/**
 * Squared Euclidean distances from every row to one centre: where it is nearer than what was nearest so far, it
 * takes its place.
 *
 * @param rows the matrix: `length` × `dimensions` float32, row by row. Up to three rows and one vector beyond its end
 *   are read, and what they hold does not matter
 * @param dimensions ≥ 1
 * @param centre `dimensions` float32; one vector beyond its end is read
 * @param nearest one float32 a row, and room for three more: the smallest squared distance so far
 * @param which one int32 a row, and room for three more: the centre that has it
 * @param index how this centre is called in `which`
 */
export function approach(
  rows: usize,
  length: i32,
  dimensions: i32,
  centre: usize,
  nearest: usize,
  which: usize,
  index: i32,
): void {
  const stride = (<usize>dimensions) << 2;
  const last = lastVector(stride);
  const kept = lastLanes(dimensions);
  const name = i32x4.splat(index);
  for (let i = 0; i < length; i += 4, rows += stride << 2, nearest += 16, which += 16) {
    const distance = fourDistances(rows, stride, last, kept, centre);
    const before = v128.load(nearest);
    const nearer = f32x4.lt(distance, before);
    v128.store(nearest, v128.bitselect(distance, before, nearer));
    v128.store(which, v128.bitselect(name, v128.load(which), nearer));
  }
}

/**
 * The squared distances of four rows to a point, one a lane.
 *
 * @param stride bytes of a row
 * @param last and `kept`: {@link lastVector} and {@link lastLanes} of it
 */
export function fourDistances(rows: usize, stride: usize, last: usize, kept: v128, point: usize): v128 {
  const b = rows + stride;
  const c = b + stride;
  const d = c + stride;
  const lastOfPoint = v128.and(v128.load(point + last), kept);
  let va = square(v128.and(v128.load(rows + last), kept), lastOfPoint);
  let vb = square(v128.and(v128.load(b + last), kept), lastOfPoint);
  let vc = square(v128.and(v128.load(c + last), kept), lastOfPoint);
  let vd = square(v128.and(v128.load(d + last), kept), lastOfPoint);
  for (let at: usize = 0; at < last; at += 16) {
    const x = v128.load(point + at);
    va = f32x4.add(va, square(v128.load(rows + at), x));
    vb = f32x4.add(vb, square(v128.load(b + at), x));
    vc = f32x4.add(vc, square(v128.load(c + at), x));
    vd = f32x4.add(vd, square(v128.load(d + at), x));
  }
  return sums(va, vb, vc, vd);
}

function square(x: v128, y: v128): v128 {
  const difference = f32x4.sub(x, y);
  return f32x4.mul(difference, difference);
}
