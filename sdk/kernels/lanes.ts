/**
 * Rows are read four numbers at a time, and four rows are worked on together. Every row goes through the same
 * operations in the same order, whichever others it stands with; so its score depends on it alone, wherever a matrix
 * is split.
 *
 * Of four vectors a, b, c, d, one a row, column k holds the k-th number of each row.
 */

export function column0(a: v128, b: v128, c: v128, d: v128): v128 {
  return i64x2.shuffle(i32x4.shuffle(a, b, 0, 4, 1, 5), i32x4.shuffle(c, d, 0, 4, 1, 5), 0, 2);
}

export function column1(a: v128, b: v128, c: v128, d: v128): v128 {
  return i64x2.shuffle(i32x4.shuffle(a, b, 0, 4, 1, 5), i32x4.shuffle(c, d, 0, 4, 1, 5), 1, 3);
}

export function column2(a: v128, b: v128, c: v128, d: v128): v128 {
  return i64x2.shuffle(i32x4.shuffle(a, b, 2, 6, 3, 7), i32x4.shuffle(c, d, 2, 6, 3, 7), 0, 2);
}

export function column3(a: v128, b: v128, c: v128, d: v128): v128 {
  return i64x2.shuffle(i32x4.shuffle(a, b, 2, 6, 3, 7), i32x4.shuffle(c, d, 2, 6, 3, 7), 1, 3);
}

/** The sum of each row's four numbers, one row a lane. */
export function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  return f32x4.add(
    f32x4.add(column0(a, b, c, d), column1(a, b, c, d)),
    f32x4.add(column2(a, b, c, d), column3(a, b, c, d)),
  );
}

/** The largest of each row's four numbers, one row a lane. */
export function maxima(a: v128, b: v128, c: v128, d: v128): v128 {
  return f32x4.pmax(
    f32x4.pmax(column0(a, b, c, d), column1(a, b, c, d)),
    f32x4.pmax(column2(a, b, c, d), column3(a, b, c, d)),
  );
}

/** Where in a row its last vector begins, which may reach beyond the row's end: 1 to 4 of its lanes belong to it. */
export function lastVector(stride: usize): usize {
  return (stride - 4) & ~15;
}

/** Keeps, by `v128.and`, the lanes of {@link lastVector} that belong to the row, and makes the others 0. */
export function lastLanes(numbers: i32): v128 {
  return i32x4.gt_s(i32x4.splat(((numbers - 1) & 3) + 1), i32x4(0, 1, 2, 3));
}

/** The first two lanes of float32 as float64. */
export function low(lanes: v128): v128 {
  return f64x2.promote_low_f32x4(lanes);
}

/** The last two lanes of float32 as float64. */
export function high(lanes: v128): v128 {
  return f64x2.promote_low_f32x4(i32x4.shuffle(lanes, lanes, 2, 3, 2, 3));
}
