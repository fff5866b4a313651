import { fourDistances } from './distances';
import { lastLanes, lastVector } from './lanes';

/**
 * The row that is farthest from all centres, by its squared distance to the nearest; of equally far ones, the first.
 *
 * Few rows are looked at. What was known of a row when there were fewer centres is an upper bound now: a row whose bound
 * is below the distance of one that has been brought up to date is not the farthest. That gives the very distances and
 * the very row that looking at all of them would.
 *
 * @param rows the matrix: `length` × `dimensions` float32, row by row; one vector beyond its end is read
 * @param length ≥ 1
 * @param centres `count` × `dimensions` float32; up to three rows and one vector beyond its end are read
 * @param bounds one float32 a row, and room for three more that are −1: the squared distance to the nearest of the
 *   centres that were looked at, Infinity without any, or −1 for a row that is out of question. At least one is not
 * @param looked one int32 a row: how many of the centres, from the first, its bound is of
 */
export function farthest(
  rows: usize,
  length: i32,
  dimensions: i32,
  centres: usize,
  count: i32,
  bounds: usize,
  looked: usize,
): i32 {
  const stride = (<usize>dimensions) << 2;
  // The row with the highest bound is a good guess: it shows most others to be nearer.
  let best = highest(bounds, length);
  let most = update(rows, stride, dimensions, centres, count, bounds, looked, best, -1);
  for (let four = 0; four < length; four += 4) {
    const level = f32x4.ge(v128.load(bounds + ((<usize>four) << 2)), f32x4.splat(most));
    if (!v128.any_true(level)) continue;
    for (let row = four, end = min(four + 4, length); row < end; row++) {
      const bound = load<f32>(bounds + ((<usize>row) << 2));
      if (bound < most || (bound === most && row >= best)) continue;
      const distance = update(rows, stride, dimensions, centres, count, bounds, looked, row, most);
      if (distance > most || (distance === most && row < best)) {
        most = distance;
        best = row;
      }
    }
  }
  return best;
}

/** The first row with the highest bound. */
function highest(bounds: usize, length: i32): i32 {
  let high = f32x4.splat(-1);
  for (let i = 0; i < length; i += 4) high = f32x4.pmax(high, v128.load(bounds + ((<usize>i) << 2)));
  const bound = max(
    max(f32x4.extract_lane(high, 0), f32x4.extract_lane(high, 1)),
    max(f32x4.extract_lane(high, 2), f32x4.extract_lane(high, 3)),
  );
  let row = 0;
  while (load<f32>(bounds + ((<usize>row) << 2)) !== bound) row++;
  return row;
}

/** Brings a row's bound up to date, or so far that it is below `enough`; and gives it. */
function update(
  rows: usize,
  stride: usize,
  dimensions: i32,
  centres: usize,
  count: i32,
  bounds: usize,
  looked: usize,
  row: i32,
  enough: f32,
): f32 {
  const point = rows + <usize>row * stride;
  const last = lastVector(stride);
  const kept = lastLanes(dimensions);
  const place = (<usize>row) << 2;
  let bound = load<f32>(bounds + place);
  let from = load<i32>(looked + place);
  for (; from < count && bound >= enough; from += 4) {
    const four = fourDistances(centres + <usize>from * stride, stride, last, kept, point);
    bound = min(bound, f32x4.extract_lane(four, 0));
    if (from + 1 < count) bound = min(bound, f32x4.extract_lane(four, 1));
    if (from + 2 < count) bound = min(bound, f32x4.extract_lane(four, 2));
    if (from + 3 < count) bound = min(bound, f32x4.extract_lane(four, 3));
  }
  store<f32>(bounds + place, bound);
  store<i32>(looked + place, min(from, count));
  return bound;
}
